package dev.countersign.server.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.boundary.BoundaryDiff;
import dev.countersign.rules.boundary.Change;
import dev.countersign.rules.boundary.DiffResult;
import dev.countersign.rules.boundary.DiffResult.Widening;
import dev.countersign.rules.boundary.Frame;
import dev.countersign.rules.boundary.Judge;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Precedence;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Finding;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decision.TenantPolicy;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a change does to the decisions that are made.
 *
 * @param revision the number of the last change in what it was compared with
 * @param widens whether something is or could be let through that was not, or with less approval or fewer obligations
 * @param shown whether that was found, or the comparison was cut short before all was looked at: it is not only feared
 *     because patterns are sampled
 * @param json the changes of decisions that were found, with an example of each
 */
public record Difference(long revision, boolean widens, boolean shown, String json) {
    /** When the requests are made that are compared: the same change always shows the same. */
    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_SHOWN = 20;
    /** What of a change is an example of it. */
    private static final List<String> EXAMPLE = List.of("requests", "now", "example");

    private static final int LONGEST_EXAMPLE = 4_000;
    private static final Map<Outcome, Function<Evaluation, Verdict>> COMBINING = Arrays.stream(Outcome.values())
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Difference::combining));

    private static Function<Evaluation, Verdict> combining(Outcome otherwise) {
        Fallback fallback = Fallback.of(otherwise);
        return evaluation -> DenyOverrides.combine(evaluation, fallback);
    }

    /**
     * What is different once a change is made.
     *
     * @throws IllegalArgumentException if it cannot be made; the message says why
     */
    static Difference of(TenantState before, PolicyChange<?> change) {
        TenantPolicy after = change.applied(before);
        TenantPolicy now = before.policy();
        var frame = new Frame(before.tenant(), NOW);
        boolean operator = before.tenant().isEmpty();
        DiffResult found = compare(
                frame, now, after, now.byDefault().outcome(), after.byDefault().outcome());
        if (operator && found.widening() == Widening.NO) {
            // What the operator forbids matters where a tenant allows.
            found = compare(frame, now, after, Outcome.ALLOW, Outcome.ALLOW);
        }
        String unseen = Stream.of(
                        operator ? ofEveryTenant(now, after) : ofDefaultSet(now, after),
                        ofPacks(now.base(), after.base(), operator),
                        change.unseen(before))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        Map<String, List<String>> loosened = now.actions().loosenedBy(after.actions());
        ObjectNode json = json(found, unseen, templates(now), templates(after));
        if (!loosened.isEmpty()) {
            // No boundary request shows it: they are what callers claim, and the registry is what is true instead.
            if (found.widening() == Widening.NO) {
                json.put("widening", Widening.COULD.word());
            }
            ObjectNode actions = json.putObject("actions");
            loosened.forEach((action, what) -> what.forEach(actions.withArrayProperty(action)::add));
        }
        boolean shown = found.widening() == Widening.YES
                || found.widening() == Widening.COULD && found.cut()
                || unseen != null
                || !loosened.isEmpty();
        return new Difference(before.revision(), shown || found.widening() == Widening.COULD, shown, json.toString());
    }

    /**
     * Why a change of the operator's rows could widen in some tenant, whose values and rows are not looked at; {@code null} if
     * it cannot: only denials are new, and nothing but allows is gone.
     */
    private static @Nullable String ofEveryTenant(TenantPolicy before, TenantPolicy after) {
        Set<Said> was = said(before);
        Set<Said> is = said(after);
        boolean narrows = was.stream().allMatch(rule -> is.contains(rule) || rule.only(Effect.Allow.class))
                && is.stream().allMatch(rule -> was.contains(rule) || rule.only(Effect.Deny.class));
        return narrows ? null : "tenants have values and policies of their own, with which it could let more through";
    }

    /**
     * Why other packs could widen though no boundary request shows it, or {@code null}: requests are made up with what the caller
     * says and what the store says alike, with the values in force here, and without the entities that packs carry.
     */
    private static @Nullable String ofPacks(RuleBase before, RuleBase after, boolean operator) {
        if (before.equals(after)) {
            return null;
        }
        Map<String, Pack> now = byName(after);
        for (Pack pack : before.packs()) {
            Pack other = now.get(pack.name());
            if (other != null && believesMore(pack, other)) {
                return "what the store said of an attribute, the caller says now";
            }
            if (operator && (other == null || !declared(pack).equals(declared(other)))) {
                return "tenants may have given values to what is declared otherwise now";
            }
        }
        return carrying(before).equals(carrying(after)) ? null : "the entities that packs carry are others";
    }

    private static boolean believesMore(Pack before, Pack after) {
        return before.vocabulary().attributes().values().stream()
                .filter(attribute -> attribute.precedence() == Precedence.STORE)
                .map(attribute -> after.vocabulary().attribute(attribute.name()))
                .anyMatch(now -> now != null && now.precedence() == Precedence.CALLER);
    }

    private static Map<String, Pack> byName(RuleBase base) {
        return base.packs().stream().collect(Collectors.toMap(Pack::name, Function.identity()));
    }

    private static Set<Object> declared(Pack pack) {
        var declared = new HashSet<Object>(pack.vocabulary().params().values());
        declared.addAll(pack.vocabulary().lists().values());
        return declared;
    }

    private static Set<String> carrying(RuleBase base) {
        return base.packs().stream()
                .filter(pack -> pack.entities().size() > 0)
                .map(Pack::digest)
                .collect(Collectors.toSet());
    }

    /** What a rule says, whatever it is called. */
    private record Said(List<Expr> conditions, List<Effect> effects) {
        boolean only(Class<? extends Effect> kind) {
            return effects.stream().allMatch(kind::isInstance);
        }
    }

    private static Set<Said> said(TenantPolicy policy) {
        return Stream.concat(
                        policy.base().rules().stream(),
                        policy.tables().stream().flatMap(table -> table.rules().stream()))
                .map(rule -> new Said(rule.rule().conditions(), rule.rule().effects()))
                .collect(Collectors.toSet());
    }

    /** Why a change of whose rows are their own could widen: for them the tenant's default set is off; else {@code null}. */
    private static @Nullable String ofDefaultSet(TenantPolicy before, TenantPolicy after) {
        return before.exempt().equals(after.exempt())
                ? null
                : "the default policies hold for other users than before: not for those who have policies of their own";
    }

    /** Whether a stored difference shows the same; how many requests were tried for it does not matter. */
    boolean sameAs(String stored) {
        return substance(json).equals(substance(stored));
    }

    private static Set<JsonNode> substance(String json) {
        try {
            JsonNode diff = JSON.readTree(json);
            var substance = new HashSet<JsonNode>();
            substance.add(diff.path("widening"));
            substance.add(diff.path("exact"));
            substance.add(diff.path("found"));
            substance.add(diff.path("digest"));
            substance.add(diff.path("actions"));
            diff.path("changes")
                    .forEach(change ->
                            substance.add(((ObjectNode) change).deepCopy().without(EXAMPLE)));
            return substance;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a proposal holds what is no JSON", e);
        }
    }

    private static DiffResult compare(
            Frame frame, TenantPolicy before, TenantPolicy after, Outcome otherwise, Outcome otherwiseAfter) {
        return new BoundaryDiff(frame).compare(judge(before, otherwise), judge(after, otherwiseAfter));
    }

    private static Judge judge(TenantPolicy policy, Outcome otherwise) {
        Judge rules = Judge.of(policy.base(), policy.values());
        Judge all = rules.plus(policy.tables().stream()
                .map(RowTable::rules)
                .flatMap(List::stream)
                .toList());
        Function<Evaluation, Verdict> combining = COMBINING.getOrDefault(otherwise, DenyOverrides::combine);
        return new Judge(all.rules(), all.values(), all.templates(), combining);
    }

    /** The judge whose templates say what an approval asks for. */
    private static Judge templates(TenantPolicy policy) {
        return Judge.of(policy.base(), policy.values());
    }

    private static ObjectNode json(DiffResult found, @Nullable String unseen, Judge before, Judge after) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        Widening widening = unseen != null && found.widening() == Widening.NO ? Widening.COULD : found.widening();
        out.put("widening", widening.word());
        out.put("exact", found.exact() && unseen == null);
        String why =
                Stream.of(found.whyNotExact(), unseen).filter(Objects::nonNull).collect(Collectors.joining("; "));
        if (!why.isEmpty()) {
            out.put("why_not_exact", why);
        }
        out.put("tried", found.tried());
        out.put("found", found.changes().size());
        List<ObjectNode> all = found.changes().stream()
                .map(change -> json(change, before, after))
                .toList();
        out.put("digest", digest(all));
        ArrayNode changes = out.putArray("changes");
        all.stream().limit(MOST_SHOWN).forEach(changes::add);
        return out;
    }

    /** Of all changes that were found, those that are not shown too: which decisions become which, by which rules, on what terms. */
    private static String digest(List<ObjectNode> changes) {
        return Sha256.hex(changes.stream()
                .map(change -> change.deepCopy().without(EXAMPLE).toString())
                .sorted()
                .collect(Collectors.joining("\n")));
    }

    private static ObjectNode json(Change change, Judge before, Judge after) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("kind", change.kind().word());
        out.put("widens", change.widens());
        verdict(out.putObject("before"), change.before(), before);
        verdict(out.putObject("after"), change.after(), after);
        out.put("requests", change.requests());
        out.put("now", change.now().toString());
        // A literal of a rule can be long, and stands in the example.
        if (change.example().toString().length() <= LONGEST_EXAMPLE) {
            out.set("example", change.example());
        }
        return out;
    }

    private static void verdict(ObjectNode out, Verdict verdict, Judge judge) {
        out.put("decision", verdict.outcome().word());
        ArrayNode reasons = out.putArray("reasons");
        verdict.reasons().forEach(reasons::add);
        if (verdict.settledBy() != null) {
            out.put("policy", verdict.settledBy().id());
        }
        if (!verdict.obligations().isEmpty()) {
            ArrayNode obligations = out.putArray("obligations");
            verdict.obligations().stream().map(Canonical::effect).sorted().forEach(obligations::add);
            shorten(out, "obligations", obligations);
        }
        if (!verdict.approvals().isEmpty()) {
            ArrayNode approvals = out.putArray("approvals");
            verdict.approvals().stream()
                    .map(asked -> approval(asked, judge))
                    .sorted(Comparator.comparing(ObjectNode::toString))
                    .forEach(approvals::add);
            shorten(out, "approvals", approvals);
        }
    }

    /** Many rules have much to say together: what is too long to be shown stands as its digest. */
    private static void shorten(ObjectNode out, String name, ArrayNode terms) {
        String text = terms.toString();
        if (text.length() > LONGEST_EXAMPLE) {
            out.put(name, "sha256:" + Sha256.hex(text));
        }
    }

    private static ObjectNode approval(Finding asked, Judge judge) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("policy", asked.rule().id());
        if (asked.effect() instanceof Effect.RequireApproval effect) {
            out.put("template", effect.template());
            ApprovalTemplate template = judge.templates().get(asked.rule().pack() + "/" + effect.template());
            if (template != null) {
                ArrayNode stages = out.putArray("stages");
                template.stages().forEach(stage -> {
                    ObjectNode one = stages.addObject();
                    one.put("name", stage.name());
                    one.put("quorum", stage.quorum());
                    ArrayNode roles = one.putArray("roles");
                    stage.roles().stream().sorted().forEach(roles::add);
                    if (stage.escalate() != null) {
                        ArrayNode to = one.putObject("escalate")
                                .put("after", stage.escalate().after().toString())
                                .putArray("to");
                        stage.escalate().to().stream().sorted().forEach(to::add);
                    }
                });
                out.put("decide_within", template.decideWithin().toString());
                out.put("use_within", template.useWithin().toString());
                if (template.breakGlass()) {
                    out.put("break_glass", true);
                }
            }
        }
        return out;
    }
}
