package dev.countersign.rules.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.RuleBase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FallbackTest {
    private static final String RULES = """
            rule "denies" when Request( action == "no" ) then decision.deny("NO"); end
            rule "asks" when Request( action == "ask" ) then decision.requireApproval("ASK", "default"); end
            rule "allows" when Request( action == "yes" ) then decision.allow("YES"); end
            rule "hole" when Request( action == "hole", vip ) then decision.deny("HOLE"); end
            rule "limits" when Request( action == "counted" ) then decision.limit("calls", 5, "day"); end
            """;
    private static final RuleBase BASE = Packs.base(RULES);

    private static Verdict verdict(String action, Outcome otherwise) {
        return DenyOverrides.combine(
                BASE.interpret(Packs.request(BASE, "{action: {name: '" + action + "'}}")), Fallback.of(otherwise));
    }

    @ParameterizedTest
    @CsvSource({
        "no, DENY, NO",
        "ask, REQUIRE_APPROVAL, ASK",
        "yes, ALLOW, YES",
        "hole, DENY, missing_attribute",
    })
    void whatARuleSaysBeatsEveryDefault(String action, Outcome outcome, String reason) {
        for (Outcome otherwise : Outcome.values()) {
            Verdict verdict = verdict(action, otherwise);
            assertThat(verdict.outcome()).isEqualTo(outcome);
            assertThat(verdict.reasons()).containsExactly(reason);
        }
    }

    @ParameterizedTest
    @CsvSource({"DENY, no_rule_allows", "REQUIRE_APPROVAL, default_decision", "ALLOW, default_decision"})
    void whereNothingIsSaidTheDefaultIsTheAnswer(Outcome otherwise, String reason) {
        Verdict verdict = verdict("other", otherwise);
        assertThat(verdict.outcome()).isEqualTo(otherwise);
        assertThat(verdict.reasons()).containsExactly(reason);
        assertThat(verdict.settledBy()).isNull();
        assertThat(verdict.approvals()).hasSize(otherwise == Outcome.REQUIRE_APPROVAL ? 1 : 0);
    }

    @Test
    void withoutADefaultTheAnswerIsDeny() {
        assertThat(DenyOverrides.combine(BASE.interpret(Packs.request(BASE, ""))))
                .isEqualTo(verdict("run", Outcome.DENY));
    }

    @Test
    void aDefaultApprovalIsAskedForByARuleOfTheServer() {
        Finding asked = verdict("other", Outcome.REQUIRE_APPROVAL).approvals().get(0);
        assertThat(asked.rule().id()).isEqualTo("countersign/default");
        assertThat(asked.effect())
                .isEqualTo(new dev.countersign.rules.dialect.Effect.RequireApproval("default_decision", "default"));
    }

    @Test
    void limitsComeWithADefaultAllowAndWithNothingElse() {
        assertThat(verdict("counted", Outcome.ALLOW).obligations()).hasSize(1);
        assertThat(verdict("counted", Outcome.REQUIRE_APPROVAL).obligations()).isEmpty();
        assertThat(verdict("counted", Outcome.DENY).obligations()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Outcome.class)
    void aFaultOfTheEngineIsAnsweredAsTheTenantSays(Outcome outcome) {
        Verdict verdict = Fallback.of(outcome).onError();
        assertThat(verdict.outcome()).isEqualTo(outcome);
        assertThat(verdict.reasons()).containsExactly("engine_error");
        assertThat(verdict.matched()).isEmpty();
        assertThat(verdict.approvals())
                .extracting(finding -> finding.rule().id())
                .isEqualTo(
                        outcome == Outcome.REQUIRE_APPROVAL
                                ? java.util.List.of("countersign/on_error")
                                : java.util.List.of());
    }

    @Test
    void moreFindingsThanCanBeKeptAreDeniedWhateverTheDefault() {
        var rules = new StringBuilder();
        for (int i = 0; i < 1_001; i++) {
            rules.append("rule \"r").append(i).append("\" when Request() then decision.allow(\"A\"); end\n");
        }
        RuleBase base = Packs.base(rules.toString());
        Verdict verdict = DenyOverrides.combine(base.interpret(Packs.request(base, "")), Fallback.of(Outcome.ALLOW));
        assertThat(verdict.outcome()).isEqualTo(Outcome.DENY);
        assertThat(verdict.reasons()).containsExactly("engine_error");
    }
}
