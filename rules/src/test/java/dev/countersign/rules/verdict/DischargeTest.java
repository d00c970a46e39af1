package dev.countersign.rules.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.RuleBase;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DischargeTest {
    private static final RuleBase BASE = Packs.base("""
            rule "asks" when Request( action in ("one", "both", "limited", "denied", "hole") )
            then decision.requireApproval("ASK", "default"); end
            rule "asks too" when Request( action == "both" ) then decision.requireApproval("MORE", "default"); end
            rule "limits" when Request( action == "limited" ) then decision.limit("calls", 5, "day"); end
            rule "denies" when Request( action == "denied" ) then decision.deny("NO"); end
            rule "hole" when Request( action == "hole", vip ) then decision.deny("HOLE"); end
            """);

    private static Verdict verdict(String action, String... approved) {
        return DenyOverrides.combine(
                BASE.interpret(Packs.request(BASE, "{action: {name: '" + action + "'}}")), Fallback.DENY, by(approved));
    }

    private static Predicate<Finding> by(String... rules) {
        return finding -> Set.of(rules).contains(finding.rule().name());
    }

    @Test
    void aDischargedFindingCountsAsAnAllowByItsRule() {
        Verdict verdict = verdict("one", "asks");
        assertThat(verdict.outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(verdict.reasons()).containsExactly("ASK");
        assertThat(verdict.settledBy()).extracting(rule -> rule.name()).isEqualTo("asks");
        assertThat(verdict.discharged())
                .extracting(finding -> finding.rule().name())
                .containsExactly("asks");
        assertThat(verdict.approvals()).isEmpty();
    }

    @Test
    void anotherFindingStandsAndAsksAgain() {
        Verdict verdict = verdict("both", "asks");
        assertThat(verdict.outcome()).isEqualTo(Outcome.REQUIRE_APPROVAL);
        assertThat(verdict.reasons()).containsExactly("MORE");
        assertThat(verdict.approvals())
                .extracting(finding -> finding.rule().name())
                .containsExactly("asks too");
        assertThat(verdict.discharged()).isEmpty();
        assertThat(verdict("both", "asks", "asks too").outcome()).isEqualTo(Outcome.ALLOW);
    }

    @Test
    void whatLimitsAnApprovedCallComesWithIt() {
        assertThat(verdict("limited", "asks").obligations()).hasSize(1);
    }

    @Test
    void noApprovalDischargesADenialOrWhatCannotBeJudged() {
        assertThat(verdict("denied", "asks", "denies").reasons()).containsExactly("NO");
        assertThat(verdict("hole", "asks", "hole").reasons()).containsExactly("missing_attribute");
    }

    @ParameterizedTest
    @EnumSource(Outcome.class)
    void theDefaultAndAFaultAreDischargedOnlyWhereTheyAskForApproval(Outcome outcome) {
        Outcome expected = outcome == Outcome.REQUIRE_APPROVAL ? Outcome.ALLOW : outcome;
        var evaluation = BASE.interpret(Packs.request(BASE, "{action: {name: 'other'}}"));
        assertThat(DenyOverrides.combine(evaluation, Fallback.of(outcome), by("default"))
                        .outcome())
                .isEqualTo(expected);
        assertThat(Fallback.of(outcome).onError(by("on_error")).outcome()).isEqualTo(expected);
        assertThat(Fallback.of(outcome).onError(by("default")).outcome()).isEqualTo(outcome);
    }
}
