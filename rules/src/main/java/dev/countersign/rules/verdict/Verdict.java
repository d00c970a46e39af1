package dev.countersign.rules.verdict;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all findings together mean.
 *
 * @param outcome allow, approval or deny
 * @param reasons the reason codes of the findings that settled it, by rule, each once; never empty
 * @param settledBy the first rule that settled it, or {@code null} if none did
 * @param missing the attribute for want of which a rule could not be judged, or {@code null}
 * @param matched the rules that applied, by ordinal
 * @param unknown the rules of which it cannot be known whether they applied, by ordinal
 * @param approvals what must be approved; empty unless the outcome is approval
 * @param obligations what comes with an allow: obligations, limits and transformations; empty unless the outcome is allow
 * @param discharged what had to be approved and was; empty unless the outcome is allow
 */
public record Verdict(
        Outcome outcome,
        List<String> reasons,
        @Nullable Rule settledBy,
        @Nullable String missing,
        List<Rule> matched,
        List<Rule> unknown,
        List<Finding> approvals,
        List<Effect> obligations,
        List<Finding> discharged) {
    /** A verdict to which no approval led. */
    public Verdict(
            Outcome outcome,
            List<String> reasons,
            @Nullable Rule settledBy,
            @Nullable String missing,
            List<Rule> matched,
            List<Rule> unknown,
            List<Finding> approvals,
            List<Effect> obligations) {
        this(outcome, reasons, settledBy, missing, matched, unknown, approvals, obligations, List.of());
    }

    /** The reason when no rule allowed the call. */
    public static final String NO_RULE = "no_rule_allows";
    /** The reason when no rule allowed the call, and the tenant's default allows it or asks for approval. */
    public static final String DEFAULT = "default_decision";
    /** The reason when a restricting rule could not be judged. */
    public static final String MISSING_ATTRIBUTE = "missing_attribute";
    /** The reason when the engine failed. */
    public static final String ENGINE_ERROR = "engine_error";

    /** A deny for a fault of ours, about which no rule had a say. */
    public static Verdict fault(String reason) {
        return new Verdict(Outcome.DENY, List.of(reason), null, null, List.of(), List.of(), List.of(), List.of());
    }

    /** Whether metadata is changed or limited: an allow that is a {@code modify} in the words of the policy API. */
    public boolean modifies() {
        return obligations.stream()
                .anyMatch(effect -> effect instanceof Effect.Limit || effect instanceof Effect.Transform);
    }

    /** The risk that the settling rule names, {@code null} if it names none. */
    public @Nullable String namedRisk() {
        return settledBy == null ? null : settledBy.meta().get("risk");
    }

    /** The risk that the settling rule names; if it names none, {@code high} of a deny, {@code low} of an allow. */
    public String risk() {
        String named = namedRisk();
        return named != null ? named : outcome == Outcome.ALLOW ? "low" : outcome == Outcome.DENY ? "high" : "medium";
    }
}
