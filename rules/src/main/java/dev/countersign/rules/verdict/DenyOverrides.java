package dev.countersign.rules.verdict;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.facts.Attribute;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The one combining algorithm: deny, or a restricting rule that cannot be judged, beats approval beats allow; if nothing
 * allows, the answer is the tenant's default, which is deny. The order in which rules fired does not matter.
 */
public final class DenyOverrides {
    private static final Comparator<CompiledRule> BY_ORDINAL = Comparator.comparingInt(CompiledRule::ordinal);

    private DenyOverrides() {}

    /** The verdict on an evaluation, deny if nothing allows. */
    public static Verdict combine(Evaluation evaluation) {
        return combine(evaluation, Fallback.DENY);
    }

    /**
     * The verdict on an evaluation.
     *
     * @param otherwise the answer if nothing allows, denies or asks for approval, and nothing is unknown that could; what
     *     then limits and obliges comes with an allow. An evaluation that overflows is denied all the same
     */
    public static Verdict combine(Evaluation evaluation, Fallback otherwise) {
        return combine(evaluation, otherwise, finding -> false);
    }

    /**
     * The same for a call for which humans have approved some of what rules ask for: such a finding counts as an allow by
     * that rule. Every other approval that is asked for stands, and so does everything else that is found.
     */
    public static Verdict combine(Evaluation evaluation, Fallback otherwise, Predicate<Finding> approved) {
        List<CompiledRule> unknown = sorted(evaluation.unknown());
        List<Rule> matched = rules(sorted(evaluation.matched()));
        List<Rule> unjudged = rules(unknown);
        if (evaluation.overflow() > 0) {
            return new Verdict(
                    Outcome.DENY, List.of(Verdict.ENGINE_ERROR), null, null, matched, unjudged, List.of(), List.of());
        }
        List<Finding> denials = findings(matched, Effect.Deny.class);
        if (!denials.isEmpty()) {
            return new Verdict(
                    Outcome.DENY, codes(denials), denials.get(0).rule(), null, matched, unjudged, List.of(), List.of());
        }
        for (CompiledRule rule : unknown) {
            if (rule.rule().restricting()) {
                Attribute missing = rule.missing(evaluation.request());
                return new Verdict(
                        Outcome.DENY,
                        List.of(Verdict.MISSING_ATTRIBUTE),
                        rule.rule(),
                        missing == null ? null : missing.name(),
                        matched,
                        unjudged,
                        List.of(),
                        List.of());
            }
        }
        List<Finding> asked = findings(matched, Effect.RequireApproval.class);
        List<Finding> standing = asked.isEmpty()
                ? asked
                : asked.stream().filter(approved.negate()).toList();
        if (!standing.isEmpty()) {
            return new Verdict(
                    Outcome.REQUIRE_APPROVAL,
                    codes(standing),
                    standing.get(0).rule(),
                    null,
                    matched,
                    unjudged,
                    standing,
                    List.of());
        }
        List<Finding> allows = findings(matched, Effect.Allow.class);
        allows.addAll(asked);
        if (allows.isEmpty()) {
            return otherwise.byDefault(matched, unjudged, obligations(matched), approved);
        }
        return new Verdict(
                Outcome.ALLOW,
                codes(allows),
                allows.get(0).rule(),
                null,
                matched,
                unjudged,
                List.of(),
                obligations(matched),
                asked);
    }

    private static List<CompiledRule> sorted(List<CompiledRule> rules) {
        if (rules.size() < 2) {
            return rules;
        }
        var out = new ArrayList<>(rules);
        out.sort(BY_ORDINAL);
        return out;
    }

    private static List<Rule> rules(List<CompiledRule> compiled) {
        var out = new ArrayList<Rule>(compiled.size());
        for (CompiledRule rule : compiled) {
            out.add(rule.rule());
        }
        return out;
    }

    private static List<Finding> findings(List<Rule> matched, Class<? extends Effect> kind) {
        var out = new ArrayList<Finding>(2);
        for (Rule rule : matched) {
            for (Effect effect : rule.effects()) {
                if (kind.isInstance(effect)) {
                    out.add(new Finding(rule, effect));
                }
            }
        }
        return out;
    }

    private static List<String> codes(List<Finding> findings) {
        if (findings.size() == 1) {
            return List.of(findings.get(0).code());
        }
        var out = new LinkedHashSet<String>();
        findings.forEach(finding -> out.add(finding.code()));
        return List.copyOf(out);
    }

    /** Equal obligations once; of limits with one name and window the lowest; of modes, draft before auto. */
    private static List<Effect> obligations(List<Rule> matched) {
        Map<Object, Effect> joined = null;
        for (Rule rule : matched) {
            for (Effect effect : rule.effects()) {
                if (effect instanceof Effect.Allow || effect instanceof Effect.RequireApproval) {
                    continue;
                }
                joined = joined == null ? new LinkedHashMap<>() : joined;
                joined.merge(key(effect), effect, DenyOverrides::stricter);
            }
        }
        return joined == null ? List.of() : List.copyOf(joined.values());
    }

    private static Object key(Effect effect) {
        if (effect instanceof Effect.Limit limit) {
            return List.of("limit", limit.name(), limit.per());
        }
        return effect instanceof Effect.Transform transform ? List.of("transform", transform.name()) : effect;
    }

    private static Effect stricter(Effect a, @Nullable Effect b) {
        if (a instanceof Effect.Limit first && b instanceof Effect.Limit second) {
            return first.max() <= second.max() ? first : second;
        }
        return b instanceof Effect.Transform second && second.value().equals("draft") ? second : a;
    }
}
