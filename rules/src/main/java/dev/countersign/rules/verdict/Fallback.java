package dev.countersign.rules.verdict;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.ServerOwn;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What a tenant has the server answer where the rules do not: where nothing allows a call, and where the engine fails.
 *
 * @param outcome the answer
 * @param template the approval template, if the outcome is approval
 */
public record Fallback(Outcome outcome, String template) {
    /** The template where none is named. */
    public static final String TEMPLATE = "default";
    /** Deny: what holds unless a tenant says otherwise. */
    public static final Fallback DENY = new Fallback(Outcome.DENY, TEMPLATE);

    /** The answer with this outcome; an approval by the template {@code default}. */
    public static Fallback of(Outcome outcome) {
        return new Fallback(outcome, TEMPLATE);
    }

    /**
     * The verdict on a request that the engine failed to judge, under {@code on_error}: nothing was found, so it is this
     * outcome alone, with the reason {@link Verdict#ENGINE_ERROR}. An approval is asked for by the rule
     * {@code countersign/on_error}.
     */
    public Verdict onError() {
        return onError(finding -> false);
    }

    /** The same for a call for which humans have approved some of what is asked for. */
    public Verdict onError(Predicate<Finding> approved) {
        return verdict(Verdict.ENGINE_ERROR, "on_error", List.of(), List.of(), List.of(), approved);
    }

    /** The verdict where nothing allows. */
    Verdict byDefault(List<Rule> matched, List<Rule> unknown, List<Effect> obligations, Predicate<Finding> approved) {
        String reason = outcome == Outcome.DENY ? Verdict.NO_RULE : Verdict.DEFAULT;
        return verdict(reason, "default", matched, unknown, obligations, approved);
    }

    private Verdict verdict(
            String reason,
            String rule,
            List<Rule> matched,
            List<Rule> unknown,
            List<Effect> obligations,
            Predicate<Finding> approved) {
        List<Finding> asked = outcome == Outcome.REQUIRE_APPROVAL ? List.of(asked(rule, reason)) : List.of();
        boolean discharged = !asked.isEmpty() && approved.test(asked.get(0));
        Outcome made = discharged ? Outcome.ALLOW : outcome;
        return new Verdict(
                made,
                List.of(reason),
                null,
                null,
                matched,
                unknown,
                discharged ? List.of() : asked,
                made == Outcome.ALLOW ? obligations : List.of(),
                discharged ? asked : List.of());
    }

    private Finding asked(String rule, String reason) {
        var effect = new Effect.RequireApproval(reason, template);
        return new Finding(
                new Rule(ServerOwn.PACK, rule, ServerOwn.PACK, 0, Map.of(), List.of(), List.of(effect)), effect);
    }
}
