package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.verdict.Finding;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which of two verdicts on one request lets more happen. */
record Strictness(Judge before, Judge after) {
    /** How two verdicts differ, and whether the second lets more happen. */
    record Difference(Change.Kind kind, boolean widens) {}

    /** How the verdicts differ, or {@code null} if they do not. */
    @Nullable
    Difference compare(Verdict first, Verdict second) {
        if (first.outcome() != second.outcome()) {
            return new Difference(Change.Kind.OUTCOME, second.outcome().compareTo(first.outcome()) < 0);
        }
        if (first.outcome() == Outcome.REQUIRE_APPROVAL) {
            boolean covered = first.approvals().stream()
                    .allMatch(asked -> second.approvals().stream().anyMatch(other -> asksAsMuch(asked, other)));
            if (!covered || !approvals(first, before).equals(approvals(second, after))) {
                return new Difference(Change.Kind.APPROVALS, !covered);
            }
        }
        if (first.outcome() == Outcome.ALLOW && !equal(first.obligations(), second.obligations())) {
            return new Difference(Change.Kind.OBLIGATIONS, !binds(first.obligations(), second.obligations()));
        }
        boolean same = new HashSet<>(first.reasons()).equals(new HashSet<>(second.reasons()))
                && Objects.equals(id(first), id(second));
        return same ? null : new Difference(Change.Kind.REASON, false);
    }

    static @Nullable String id(Verdict verdict) {
        return verdict.settledBy() == null ? null : verdict.settledBy().id();
    }

    private static boolean equal(List<Effect> some, List<Effect> others) {
        return new HashSet<>(some).equals(new HashSet<>(others));
    }

    /** What must be approved: rule, code and template with all that it asks for. */
    private static HashSet<List<@Nullable Object>> approvals(Verdict verdict, Judge judge) {
        var out = new HashSet<List<@Nullable Object>>();
        for (Finding finding : verdict.approvals()) {
            out.add(java.util.Arrays.asList(finding.rule().id(), finding.effect(), template(finding, judge)));
        }
        return out;
    }

    /** What an approval asks for or an allow carries, in whatever order. */
    static List<Object> terms(Verdict verdict, Judge judge) {
        return List.of(approvals(verdict, judge), new HashSet<>(verdict.obligations()));
    }

    private static @Nullable ApprovalTemplate template(Finding finding, Judge judge) {
        return finding.effect() instanceof Effect.RequireApproval asked
                ? judge.template(finding.rule().pack(), asked.template())
                : null;
    }

    private boolean asksAsMuch(Finding asked, Finding other) {
        ApprovalTemplate first = template(asked, before);
        ApprovalTemplate second = template(other, after);
        if (first == null || second == null) {
            return first == null
                    && second == null
                    && asked.effect() instanceof Effect.RequireApproval one
                    && other.effect() instanceof Effect.RequireApproval two
                    && asked.rule().pack().equals(other.rule().pack())
                    && one.template().equals(two.template());
        }
        return asksAsMuch(first, second);
    }

    /** Whether every stage is still there, in the same place, with at least its reviewers, roles and haste, and opens to no more. */
    static boolean asksAsMuch(ApprovalTemplate first, ApprovalTemplate second) {
        if (second.stages().size() < first.stages().size()
                || second.decideWithin().compareTo(first.decideWithin()) > 0
                || second.useWithin().compareTo(first.useWithin()) > 0
                || second.breakGlass() && !first.breakGlass()) {
            return false;
        }
        for (int i = 0; i < first.stages().size(); i++) {
            ApprovalTemplate.Stage one = first.stages().get(i);
            ApprovalTemplate.Stage two = second.stages().get(i);
            if (two.quorum() < one.quorum()
                    || !new HashSet<>(two.roles()).containsAll(one.roles())
                    || !escalatesAsLittle(one, two)) {
                return false;
            }
        }
        return true;
    }

    /** Whether nobody may fill the second stage who could not fill the first by then. */
    private static boolean escalatesAsLittle(ApprovalTemplate.Stage one, ApprovalTemplate.Stage two) {
        ApprovalTemplate.Escalation first = one.escalate();
        ApprovalTemplate.Escalation second = two.escalate();
        return second == null
                || new HashSet<>(second.to()).containsAll(one.roles())
                || first != null
                        && second.after().compareTo(first.after()) >= 0
                        && new HashSet<>(second.to()).containsAll(first.to());
    }

    /** Whether the second obligations bind at least as much: none is gone or looser, and no mode turns automatic. */
    private static boolean binds(List<Effect> first, List<Effect> second) {
        return first.stream()
                        .allMatch(effect -> loose(effect)
                                || second.stream().anyMatch(other -> other.equals(effect) || tighter(other, effect)))
                && second.stream().noneMatch(effect -> loose(effect) && !first.contains(effect));
    }

    private static boolean tighter(Effect effect, Effect than) {
        return effect instanceof Effect.Limit limit
                && than instanceof Effect.Limit other
                && limit.name().equals(other.name())
                && limit.per().equals(other.per())
                && limit.max() <= other.max();
    }

    /** Whether it takes a bond away rather than adding one: a call that was a draft runs by itself. */
    static boolean loose(Effect effect) {
        return effect instanceof Effect.Transform transform
                && !transform.value().equals("draft");
    }
}
