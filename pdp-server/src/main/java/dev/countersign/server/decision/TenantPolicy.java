package dev.countersign.server.decision;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Registered;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Finding;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionRegistry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
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
    private static final List<String> MEMBERS = List.of("packs", "values", "rows");

    /** A value in a record, and how many bytes it takes there if it stands there itself. */
    private record Recorded(String name, Object value, int bytes) {}

    private final RuleBase base;
    private final Values values;
    private final ObjectNode basis;
    private final SerializableString members;
    private final Redaction redaction;
    private final List<RowTable> tables;
    private final EntityNeeds needs;
    private final Fallback byDefault;
    private final Fallback onError;
    private final ApprovalRules approvals;
    private final ActionRegistry actions;
    private final List<Shadow> shadows;
    /** Made when first asked for: it takes a look at every rule. */
    private volatile @Nullable List<String> boundContext;

    private TenantPolicy(
            RuleBase base,
            Values values,
            List<RowTable> tables,
            ObjectNode basis,
            Redaction redaction,
            Fallback byDefault,
            Fallback onError,
            ApprovalRules approvals) {
        this.base = base;
        this.values = values;
        this.tables = tables;
        this.needs = needs(base, tables);
        this.redaction = redaction;
        this.byDefault = byDefault;
        this.onError = onError;
        this.approvals = approvals;
        this.actions = ActionRegistry.NONE;
        this.shadows = List.of();
        this.basis = basis;
        String text = basis.toString();
        this.members = new SerializedString("," + text.substring(1, text.length() - 1));
    }

    private TenantPolicy(TenantPolicy other, ActionRegistry actions, List<Shadow> shadows) {
        this.base = other.base;
        this.values = other.values;
        this.tables = other.tables;
        this.needs = other.needs;
        this.redaction = other.redaction;
        this.byDefault = other.byDefault;
        this.onError = other.onError;
        this.approvals = other.approvals;
        this.boundContext = other.boundContext;
        this.basis = other.basis;
        this.members = other.members;
        this.actions = actions;
        this.shadows = List.copyOf(shadows);
    }

    /** The same with these judging beside it, which never answer. */
    public TenantPolicy withShadows(List<Shadow> others) {
        return others.isEmpty() ? this : new TenantPolicy(this, actions, others);
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
        List<String> digests = tables.stream()
                .map(table -> Objects.requireNonNullElse(table.digest(), ""))
                .toList();
        if (!String.join("", digests).isEmpty()) {
            basis.put("rows", Sha256.hex(String.join("\n", digests)));
        }
        return new TenantPolicy(
                base,
                values,
                tables,
                basis,
                redaction(env, settings),
                Fallback.of(byDefault),
                Fallback.of(onError),
                ApprovalRules.of(base, env, settings));
    }

    /** The same with this registry of actions. */
    public TenantPolicy with(ActionRegistry registry) {
        return new TenantPolicy(this, registry, shadows);
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

    /** The registered actions: what a call's action is, whatever the caller claims. */
    public ActionRegistry actions() {
        return actions;
    }

    private static EntityNeeds needs(RuleBase base, List<RowTable> tables) {
        return base.needs()
                .and(EntityNeeds.ofRules(tables.stream()
                        .flatMap(table -> table.rules().stream())
                        .map(CompiledRule::rule)
                        .toList()));
    }

    /** Which stored entities a request needs. */
    public EntityNeeds needs() {
        return needs;
    }

    /** The entities that the packs carry, beneath the tenant's own. */
    public PackEntities entities() {
        return base.entities();
    }

    /** A recorded call, with what the store and the registry said when it was decided. */
    public Call recorded(JsonNode entry) throws BadCall {
        Call call = StoredRecord.recorded(entry, needs, Call.of(entry.path("request")));
        JsonNode registry = entry.get("registry");
        return registry == null
                ? call
                : call.with(new Registered(
                        registry.path("version").asLong(),
                        registry.path("class").asText(),
                        registry.path("reversible").asBoolean(),
                        registry.path("risk").asText(),
                        List.of()));
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

    /** The same for a call for which humans have approved some of what is asked for. */
    Verdict verdict(Evaluation evaluation, Set<Asked> approved) {
        judge(evaluation);
        return DenyOverrides.combine(evaluation, byDefault, approved(approved));
    }

    private Predicate<Finding> approved(Set<Asked> approved) {
        return finding -> {
            Asked asked = approvals.asked(finding);
            return asked != null && approved.contains(asked);
        };
    }

    /** What it takes to approve a call; {@code null} if nobody can. */
    public @Nullable Terms terms(Call call, Verdict verdict) {
        return approvals.terms(call.actionName(), verdict.approvals());
    }

    /** The members of the context that an approval of this action binds, in alphabetical order. */
    public List<String> boundContext(String action) {
        List<String> all = boundContext;
        if (all == null) {
            all = BoundContext.of(base, tables);
            boundContext = all;
        }
        Action registered = actions.find(action);
        if (registered == null || registered.volatileContext().isEmpty()) {
            return all;
        }
        return all.stream()
                .filter(member -> !registered.volatileContext().contains(member))
                .toList();
    }

    /**
     * What a request comes to that the engine failed to judge: what the tenant says for that, but never less than what rules
     * and rows restrict, asked one by one.
     */
    Verdict failed(Request request, Set<Asked> approved) {
        Evaluation evaluation = interpreted(request);
        judge(evaluation);
        Verdict rows = DenyOverrides.combine(evaluation, Fallback.of(Outcome.ALLOW), approved(approved));
        Verdict fault = onError.onError(approved(approved));
        if (rows.outcome() != Outcome.ALLOW && rows.outcome().compareTo(fault.outcome()) >= 0) {
            return rows;
        }
        return fault.outcome() != Outcome.ALLOW
                ? fault
                : new Verdict(
                        Outcome.ALLOW,
                        fault.reasons(),
                        null,
                        null,
                        rows.matched(),
                        rows.unknown(),
                        List.of(),
                        rows.obligations(),
                        discharged(rows, fault));
    }

    private static List<Finding> discharged(Verdict rows, Verdict fault) {
        var all = new ArrayList<>(rows.discharged());
        all.addAll(fault.discharged());
        return all;
    }

    /** The users to whom the tenant's default policies do not apply; none if there are no such policies. */
    public Set<String> exempt() {
        return tables.isEmpty() ? Set.of() : tables.get(tables.size() - 1).exempt();
    }

    /** What the rules say without the engine that failed; nothing if they cannot be asked at all. */
    private Evaluation interpreted(Request request) {
        try {
            return base.interpret(request);
        } catch (RuntimeException e) {
            return new Evaluation(request);
        }
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
    public Redaction redaction() {
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
