package dev.countersign.server.decision;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.Values;
import java.util.List;
import java.util.Map;

/** What judges the requests of one tenant: its values, and the words for them and for the packs in the record of a decision. */
public final class TenantPolicy {
    private static final ObjectMapper JSON = new ObjectMapper();
    /**
     * The most characters, as JSON, of a value that stands in every record. A longer one is there as the digest of its
     * JSON, which the history of settings holds.
     */
    private static final int MAX_RECORDED = 4_096;

    private static final List<String> MEMBERS = List.of("packs", "values");

    private final Values values;
    private final ObjectNode basis;
    private final SerializableString members;

    private TenantPolicy(Values values, ObjectNode basis) {
        this.values = values;
        this.basis = basis;
        String text = basis.toString();
        this.members = new SerializedString("," + text.substring(1, text.length() - 1));
    }

    /**
     * What judges a tenant by the rules of {@code base}.
     *
     * @param env the environment, in which packs look for values
     * @param settings the tenant's own values by name, as {@link dev.countersign.rules.facts.Setting#read} gives them
     * @throws IllegalArgumentException if one of them does not fit; the message names it
     */
    public static TenantPolicy of(RuleBase base, Map<String, String> env, Map<String, Object> settings) {
        Values values = base.values(env, settings);
        ObjectNode basis = JSON.createObjectNode();
        ObjectNode packs = basis.putObject("packs");
        base.packs().forEach(pack -> packs.put(pack.name(), pack.digest()));
        if (!values.changed().isEmpty()) {
            ObjectNode changed = basis.putObject("values");
            values.changed().forEach((name, value) -> {
                JsonNode json = Setting.json(value);
                String text = json.toString();
                if (text.length() > MAX_RECORDED) {
                    changed.putObject(name).put("sha256", Sha256.hex(text));
                } else if (json.isArray()) {
                    changed.set(name, json);
                } else {
                    changed.put(name, value.toString());
                }
            });
        }
        return new TenantPolicy(values, basis);
    }

    /** The parameters and lists. */
    public Values values() {
        return values;
    }

    /** The members {@code packs} and {@code values} of a record, written once: a comma, then the members. */
    SerializableString members() {
        return members;
    }

    /** Whether a record was made by these packs and values. */
    public boolean made(JsonNode record) {
        return MEMBERS.stream().allMatch(member -> record.path(member).equals(basis.path(member)));
    }
}
