package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class InvariantTest {
    private static final String HEAD = "suite: s\nclock: 2026-03-02T09:00:00Z\ninvariants:\n";

    private static InvariantResult check(String invariant) {
        Pack pack = Suites.pack();
        return PackTest.run(pack, Suites.read(pack, Map.of("scenarios/a.yaml", HEAD + "  - " + invariant + "\n")))
                .invariants()
                .get(0);
    }

    @Test
    void whatNeverHappensHolds() {
        InvariantResult result = check("never: {when: \"region == \\\"us\\\"\", decision: allow}");

        assertThat(result.passed()).isTrue();
        assertThat(result.tried()).isPositive();
        assertThat(result.invariant().name()).isEqualTo("never allow when region == \"us\"");
    }

    @Test
    void whatHappensIsShownByARequest() {
        InvariantResult result = check("never: {when: \"action == \\\"pay\\\", amount > 50\", decision: allow}");

        assertThat(result.passed()).isFalse();
        var example = Objects.requireNonNull(result.example());
        assertThat(example.verdict().outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(example.body().at("/action/name").asText()).isEqualTo("pay");
        double amount = example.body().at("/resource/properties/amount").doubleValue();
        assertThat(amount).isGreaterThan(50).isLessThanOrEqualTo(100);
        assertThat(result.problem()).contains("decision allow for {\"subject\"");
    }

    @Test
    void theTenantsSettingsCount() {
        String never = "never: {when: \"amount == 150\", decision: allow}";

        assertThat(check(never).passed()).isTrue();
        assertThat(check("{settings: {ceiling: 200}, " + never + "}").passed()).isFalse();
    }

    @Test
    void alwaysIsBrokenByAnyOtherDecision() {
        assertThat(check("always: {when: \"resourceId == \\\"rm\\\"\", decision: deny}")
                        .passed())
                .isTrue();
        assertThat(check("always: {when: \"amount > 100\", decision: require_approval}")
                        .passed())
                .as("another rule may deny")
                .isFalse();
    }

    @Test
    void anInvariantThatSpeaksOfNoRequestIsBroken() {
        InvariantResult result = check("never: {when: \"amount > 5, amount < 5\", decision: allow}");

        assertThat(result.passed()).isFalse();
        assertThat(result.problem()).contains("nothing was checked");
    }

    @Test
    void mistakesAreSaid() {
        assertThat(Suites.mistakes(HEAD + "  - never: {when: \"amuont > 5\", decision: allow}\n"))
                .first()
                .asString()
                .contains(":4:")
                .contains("no name `amuont`")
                .contains("did you mean `amount`?");
        assertThat(Suites.mistakes(HEAD + "  - {}\n")).first().asString().contains("either `never:` or `always:`");
        assertThat(
                        Suites.mistakes(
                                HEAD
                                        + "  - never: {when: \"vip ) then decision.deny(\\\"X\\\"); end rule \\\"b\\\" when Request( vip\", decision: allow}\n"))
                .first()
                .asString()
                .contains("the conditions of one rule");
        assertThat(Suites.mistakes(HEAD + "  - never: {when: \"vip\", decision: never}\n"))
                .first()
                .asString()
                .contains("no decision `never`");
    }

    @Test
    void aBrokenInvariantFailsTheRunInEveryFormat() {
        Pack pack = Suites.pack();
        TestReport report = PackTest.run(
                pack,
                Suites.read(
                        pack,
                        Map.of("scenarios/a.yaml", HEAD + "  - never: {when: \"amount > 5\", decision: allow}\n")));
        var result = new PackTestResult(List.of(report), List.of());

        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.render(PackTestResult.Format.TEXT))
                .contains("0 of 1 invariants hold")
                .contains("BROKEN s: never allow when amount > 5")
                .contains("decision allow for {")
                .endsWith("an invariant does not hold\n");
        assertThat(result.render(PackTestResult.Format.JSON)).contains("\"passed\" : false", "\"example\" : {");
        assertThat(result.render(PackTestResult.Format.JUNIT)).contains("type=\"invariant\"");
    }
}
