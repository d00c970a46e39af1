package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.pack.Pack;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MutantsTest {
    private static final String ALLOW = "rule \"allow\" when Request() then decision.allow(\"OK\"); end\n";
    private static final String DENY =
            "rule \"no\" when Request( action == \"pay\", amount > 100 ) then decision.deny(\"NO\"); end\n";
    private static final String BELOW = """
              - name: below
                given: {resource: {type: tool, id: t, properties: {amount: 10}}}
                expect: {decision: allow}
            """;
    private static final String ABOVE = """
              - name: above
                given: {resource: {type: tool, id: t, properties: {amount: 1000}}}
                expect: {decision: deny}
            """;

    private static TestReport report(String rules, String cases) {
        Pack pack = Packs.pack(rules);
        return PackTest.run(pack, Suites.read(pack, Map.of("scenarios/a.yaml", Suites.HEAD + cases)));
    }

    private static List<String> how(TestReport report) {
        return report.mutants().survivors().stream().map(Mutants.Survivor::how).toList();
    }

    @Test
    void smallMistakesThatNoCaseNoticesSurvive() {
        TestReport report = report(ALLOW + DENY, BELOW + ABOVE);

        assertThat(how(report))
                .containsExactly(
                        "`action == \"pay\"` left out",
                        "`amount > 100` as `amount > 99`",
                        "`amount > 100` as `amount > 101`");
        assertThat(report.mutants().all()).isEqualTo(6);
        assertThat(report.mutants().killed()).isEqualTo(3);
        assertThat(report.mutants().equivalent()).isZero();
    }

    @Test
    void theCaseThatComesWithASurvivorKillsIt() {
        String cases = BELOW + ABOVE;
        TestReport report = report(ALLOW + DENY, cases);
        while (!report.mutants().survivors().isEmpty()) {
            int before = report.mutants().survivors().size();
            cases += report.mutants().survivors().get(0).scenario().indent(2);
            report = report(ALLOW + DENY, cases);
            assertThat(report.failed()).as(cases).isEmpty();
            assertThat(report.mutants().survivors()).as(cases).hasSizeLessThan(before);
        }
        assertThat(report.noticed().percent()).isEqualTo(100);
    }

    @Test
    void suggestedCasesKillEverySurvivorOfARichPack() {
        String cases = "  - name: one\n    expect: {decision: allow}\n";
        TestReport report = report(Suites.RULES, cases);
        assertThat(report.mutants().survivors()).hasSizeGreaterThan(4);
        var all = new StringBuilder(cases);
        report.mutants()
                .survivors()
                .forEach(survivor -> all.append(survivor.scenario().indent(2)));

        TestReport better = report(Suites.RULES, all.toString());

        assertThat(better.failed()).as(all.toString()).isEmpty();
        assertThat(better.mutants().survivors()).isEmpty();
    }

    @Test
    void aMistakeThatChangesNoVerdictIsNoSurvivor() {
        String twice = "rule \"no\" when Request( amount > 100, amount > 50 ) then decision.deny(\"NO\"); end\n";
        TestReport report = report(ALLOW + twice, BELOW + ABOVE);

        assertThat(how(report)).doesNotContain("`amount > 50` left out", "`amount > 50` as `amount > 51`");
        assertThat(report.mutants().equivalent()).isEqualTo(3);
    }

    @Test
    void inAndNotInAreSwapped() {
        TestReport report = report(
                ALLOW + "rule \"no\" when Request( action in ( \"rm\" ) ) then decision.deny(\"NO\"); end\n",
                "  - name: rm\n    given: {action: {name: rm}}\n    expect: {decision: deny}\n");

        assertThat(report.mutants().killed()).isEqualTo(1);
        assertThat(how(report)).containsExactly("`action in ( \"rm\" )` left out");
    }

    @Test
    void theBarIsOptionalAndFailsTheRunIfItIsMissed() {
        TestReport report = report(ALLOW + DENY, BELOW + ABOVE);
        assertThat(report.noticed().bar()).isZero();
        Pack strict = new Pack(
                report.pack().name(),
                report.pack().version(),
                report.pack().description(),
                report.pack().digest(),
                report.pack().vocabulary(),
                report.pack().templates(),
                report.pack().rules(),
                new Pack.Bar(0, 0, 0, 60),
                report.pack().entities());
        TestReport missed =
                new TestReport(strict, report.results(), report.invariants(), report.coverage(), report.mutants());

        assertThat(missed.noticed().met()).isFalse();
        assertThat(missed.exitCode()).isEqualTo(3);
        var result = new PackTestResult(List.of(missed), List.of());
        assertThat(result.render(PackTestResult.Format.TEXT))
                .contains("noticed by some case: 3 of 6 (50 %, bar 60 %) BELOW THE BAR")
                .contains("no case would notice: `amount > 100` as `amount > 101`");
        assertThat(result.render(PackTestResult.Format.JSON)).contains("\"survivors\"", "\"scenario\"");
        assertThat(result.render(PackTestResult.Format.JUNIT)).contains("name=\"mutants\"");
    }
}
