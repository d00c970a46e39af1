package dev.countersign.server.decision;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What judges the requests of one tenant: its values, and the words for them and for the packs in the record of a decision. */
public final class TenantPolicy {
    private static final ObjectMapper JSON = new ObjectMapper();
    /**
     * The most that the values of one record come to, in bytes of their JSON. Beyond that the longest stands as
     * {@code {"sha256": ...}}, the digest of its JSON, then the next longest, until they fit; of two that are equally long
     * the first by name. Nothing shorter than a digest is replaced, so more than some fifty values may come to more.
     *
     * <p>The history of settings holds the JSON of what a tenant set. What came from the environment stands nowhere else:
     * of that a record tells only whether it was the same.
     */
    private static final int MAX_RECORDED = 4_096;

    private static final int DIGEST = digest("").toString().length();
    private static final List<String> MEMBERS = List.of("packs", "values");

    /** A value in a record, and how many bytes it takes there if it stands there itself. */
    private record Recorded(String name, Object value, int bytes) {}

    private final RuleBase base;
    private final Values values;
    private final ObjectNode basis;
    private final SerializableString members;
    private final Redaction redaction;
    private final List<RowTable> tables;
    private final Fallback byDefault;
    private final Fallback onError;
    private final List<Shadow> shadows;

    private TenantPolicy(
            RuleBase base,
            Values values,
            List<RowTable> tables,
            ObjectNode basis,
            Redaction redaction,
            Fallback byDefault,
            Fallback onError) {
        this.base = base;
        this.values = values;
        this.tables = tables;
        this.redaction = redaction;
        this.byDefault = byDefault;
        this.onError = onError;
        this.shadows = List.of();
        this.basis = basis;
        String text = basis.toString();
        this.members = new SerializedString("," + text.substring(1, text.length() - 1));
    }

    private TenantPolicy(TenantPolicy other, List<Shadow> shadows) {
        this.base = other.base;
        this.values = other.values;
        this.tables = other.tables;
        this.redaction = other.redaction;
        this.byDefault = other.byDefault;
        this.onError = other.onError;
        this.basis = other.basis;
        this.members = other.members;
        this.shadows = List.copyOf(shadows);
    }

    /** The same with these judging beside it, which never answer. */
    public TenantPolicy withShadows(List<Shadow> others) {
        return others.isEmpty() ? this : new TenantPolicy(this, others);
    }

    /** What judges a tenant that has made nothing of its own by the rules of {@code base} alone. */
    public static TenantPolicy of(RuleBase base, Map<String, String> env) {
        return of(base, env, Map.of(), List.of());
    }

    /**
     * What judges a tenant by the rules of {@code base}.
     *
     * @param env the environment, in which packs look for values
     * @param settings the tenant's own values by name, as {@link dev.countersign.rules.facts.Setting#read} gives them
     * @param tables the rows that judge it, made for {@code base}: the operator's, then its own
     * @throws IllegalArgumentException if a value does not fit; the message names it
     */
    public static TenantPolicy of(
            RuleBase base, Map<String, String> env, Map<String, Object> settings, List<RowTable> tables) {
        Values values = base.values(env, settings);
        ObjectNode basis = JSON.createObjectNode();
        ObjectNode packs = basis.putObject("packs");
        base.packs().forEach(pack -> packs.put(pack.name(), pack.digest()));
        var changed = new TreeMap<>(values.changed());
        Outcome byDefault = outcome(ServerSettings.DEFAULT_DECISION, env, settings, changed);
        Outcome onError = outcome(ServerSettings.ON_ERROR, env, settings, changed);
        if (!changed.isEmpty()) {
            basis.set("values", recorded(changed));
        }
        return new TenantPolicy(
                base, values, tables, basis, redaction(env, settings), Fallback.of(byDefault), Fallback.of(onError));
    }

    private static Outcome outcome(
            Param setting, Map<String, String> env, Map<String, Object> settings, Map<String, Object> changed) {
        Outcome outcome = ServerSettings.outcome(setting, env, settings);
        if (outcome != Outcome.DENY) {
            changed.put(setting.pack() + "/" + setting.name(), outcome.word());
        }
        return outcome;
    }

    private static Redaction redaction(Map<String, String> env, Map<String, Object> settings) {
        return ServerSettings.REDACTED.inForce(env, settings).value() instanceof List<?> names && !names.isEmpty()
                ? Redaction.also(names.stream().map(String::valueOf).toList())
                : Redaction.USUAL;
    }

    private static ObjectNode recorded(Map<String, Object> changed) {
        ObjectNode recorded = JSON.createObjectNode();
        var longestFirst = new ArrayList<Recorded>();
        changed.forEach((name, value) -> {
            JsonNode node = value instanceof List<?> ? Setting.json(value) : TextNode.valueOf(value.toString());
            recorded.set(name, node);
            longestFirst.add(new Recorded(name, value, node.toString().getBytes(StandardCharsets.UTF_8).length));
        });
        longestFirst.sort(Comparator.comparingInt(Recorded::bytes).reversed().thenComparing(Recorded::name));
        int sum = longestFirst.stream().mapToInt(Recorded::bytes).sum();
        for (Recorded longest : longestFirst) {
            if (sum <= MAX_RECORDED || longest.bytes() <= DIGEST) {
                break;
            }
            recorded.set(longest.name(), digest(Setting.json(longest.value()).toString()));
            sum += DIGEST - longest.bytes();
        }
        return recorded;
    }

    private static ObjectNode digest(String json) {
        return JSON.createObjectNode().put("sha256", Sha256.hex(json));
    }

    /** What judges beside it and never answers. */
    List<Shadow> shadows() {
        return shadows;
    }

    /** The rules. */
    public RuleBase base() {
        return base;
    }

    /** The parameters and lists. */
    public Values values() {
        return values;
    }

    /** The rows that judge: the operator's, then the tenant's own. */
    public List<RowTable> tables() {
        return tables;
    }

    /** What a call comes to of which no rule says anything. */
    public Fallback byDefault() {
        return byDefault;
    }

    /** What all that judges makes of a request, once the rules have been asked. */
    public Verdict verdict(Evaluation evaluation) {
        judge(evaluation);
        return DenyOverrides.combine(evaluation, byDefault);
    }

    /** What a request comes to of which the engine could not tell: a deny that rows find stands. */
    Verdict failed(Request request) {
        var evaluation = new Evaluation(request);
        judge(evaluation);
        Verdict found = DenyOverrides.combine(evaluation, Fallback.of(Outcome.ALLOW));
        return found.outcome() == Outcome.DENY ? found : onError.onError();
    }

    /** The user of a request to whom the tenant's default policies apply; {@code null} if they do not. */
    @Nullable
    String byDefaultFor(Request request) {
        for (RowTable table : tables) {
            String user = table.byDefaultFor(request);
            if (user != null) {
                return user;
            }
        }
        return null;
    }

    private void judge(Evaluation evaluation) {
        for (RowTable table : tables) {
            table.judge(evaluation);
        }
    }

    /** What takes out of the record what must not stand in it. */
    Redaction redaction() {
        return redaction;
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
