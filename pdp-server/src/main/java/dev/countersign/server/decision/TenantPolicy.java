package dev.countersign.server.decision;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Values;
import java.util.List;
import java.util.Map;

/** What judges the requests of one tenant: its values, and the words for them and for the packs in the record of a decision. */
public final class TenantPolicy {
    private static final ObjectMapper JSON = new ObjectMapper();
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

    /** The values of a tenant, with the digest of each active pack by name. */
    static TenantPolicy of(Values values, Map<String, String> digests) {
        ObjectNode basis = JSON.createObjectNode();
        ObjectNode packs = basis.putObject("packs");
        digests.forEach(packs::put);
        if (!values.changed().isEmpty()) {
            ObjectNode changed = basis.putObject("values");
            values.changed().forEach((name, value) -> {
                if (value instanceof List<?> entries) {
                    changed.set(name, JSON.valueToTree(entries));
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
