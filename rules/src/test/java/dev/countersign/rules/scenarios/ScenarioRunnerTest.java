package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScenarioRunnerTest {
    private static CaseResult one(String body) {
        return Suites.run("  - name: one\n    " + body + "\n").get(0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "decision: allow",
                "decision: allow, reasons: [OK]",
                "decision: allow, matched: [allow]",
                "decision: allow, matched: ['al*', allow], not_matched: ['deny*', ask-large]",
                "decision: allow, obligations: [{type: log, properties: {days: 30, level: full}}]",
                "decision: allow, obligations: [{type: log, properties: {days: 30.0, level: full}}]",
            })
    void anExpectationThatIsMetPasses(String expect) {
        assertThat(one("expect: {" + expect + "}").failures()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "decision: deny | expected decision deny, got allow",
                "decision: allow, reasons: [OK, MORE] | expected reasons [MORE, OK], got [OK]",
                "decision: allow, reasons: [] | expected reasons [], got [OK]",
                "decision: allow, matched: ['deny*'] | expected a rule `deny*` to match, matched: [allow]",
                "decision: allow, not_matched: ['*low'] | expected no rule `*low` to match, matched: [allow]",
                "decision: allow, missing: zone | expected missing zone, got none",
                "decision: allow, obligations: [] | expected obligations [], got [decision.oblige(\"log\", \"days\", 30, \"level\", \"full\");]",
                "decision: allow, obligations: [{type: log, properties: {days: 31, level: full}}] | expected obligations",
                "decision: allow, obligations: [{type: log}] | expected obligations [decision.oblige(\"log\");], got",
                "decision: allow, obligations: [{type: log, properties: {days: 30, level: full}}, {limit: calls, max: 5, per: day}] | expected obligations",
            })
    void anExpectationThatIsNotMetFailsAndSaysWhatCame(String expect, String line) {
        assertThat(one("expect: {" + expect + "}").failures()).singleElement().satisfies(failure -> {
            assertThat(failure.kind()).isEqualTo(Failure.Kind.EXPECTATION);
            assertThat(failure.line()).startsWith(line);
        });
    }

    @Test
    void everyOutcomeAndEveryKindOfObligationCanBeExpected() {
        List<CaseResult> results = Suites.run("""
              - name: us
                given: {context: {region: us, score: 1}}
                expect: {decision: deny, reasons: [NO_US], obligations: []}
              - name: large
                table:
                  columns: [resource.properties.amount, decision]
                  rows: [[100, allow], [100.5, require_approval]]
              - name: no region
                given: {context: {score: 1}}
                expect: {decision: deny, reasons: [missing_attribute], missing: region}
              - name: no context
                given: {context: null}
                expect: {decision: deny, reasons: [missing_attribute], missing: region}
              - name: limited
                given: {context: {region: eu, score: 9}}
                expect:
                  decision: allow
                  obligations:
                    - {transform: mode, value: draft}
                    - {limit: calls, max: 5, per: day}
                    - {type: log, properties: {level: full, days: 30}}
            """);
        assertThat(results)
                .hasSize(6)
                .allSatisfy(result -> assertThat(result.failures()).isEmpty());
        assertThat(results)
                .extracting(result -> result.verdict().outcome())
                .containsExactly(
                        Outcome.DENY,
                        Outcome.ALLOW,
                        Outcome.REQUIRE_APPROVAL,
                        Outcome.DENY,
                        Outcome.DENY,
                        Outcome.ALLOW);
    }

    @Test
    void aTableIsOneCaseARow() {
        List<CaseResult> results = Suites.run("""
              - name: by score
                given: {context: {region: eu, opened: null}}
                table:
                  columns: [context.score, subject, resource.properties.deep.er, decision, reasons, not_matched]
                  rows:
                    - [9, user, 1, allow, [OK], null]
                    - [1, {type: agent, id: b}, 2, allow, null, [limit]]
                    - [null, agent, 3, deny, [OK], null]
                expect: {matched: [allow]}
            """);
        assertThat(results)
                .extracting(result -> result.scenario().name())
                .containsExactly("by score [row 1]", "by score [row 2]", "by score [row 3]");
        assertThat(results).extracting(result -> result.scenario().line()).containsExactly(16, 17, 18);
        assertThat(results).extracting(CaseResult::passed).containsExactly(true, true, false);
        assertThat(results)
                .extracting(result -> result.scenario().call().subjectId())
                .containsExactly("u-1", "b", "a-1");
        assertThat(results)
                .extracting(result ->
                        result.scenario().call().resource().at("/properties").toString())
                .containsExactly(
                        "{\"amount\":10,\"deep\":{\"er\":1}}",
                        "{\"amount\":10,\"deep\":{\"er\":2}}",
                        "{\"amount\":10,\"deep\":{\"er\":3}}");
        assertThat(results.get(2).failures())
                .extracting(Failure::line)
                .containsExactly("expected reasons [OK], got [missing_attribute]");
    }

    @Test
    void settingsOfACaseWinOverTheSuitesAndTheSuitesOverThePacks() {
        Pack pack = Suites.pack();
        String yaml = Suites.HEAD.replace("settings: {}", "settings: {ceiling: 5, blocked: [\"t-*\"]}") + """
              - name: the suite's
                expect: {decision: deny, reasons: [BLOCKED], matched: [ask-large]}
              - name: the case's
                settings: {blocked: []}
                expect: {decision: require_approval, reasons: [LARGE]}
              - name: both the case's
                settings: {blocked: [], ceiling: 10}
                expect: {decision: allow}
            """;
        assertThat(PackTest.run(pack, Suites.read(pack, Map.of("scenarios/a.yaml", yaml)))
                        .results())
                .hasSize(3)
                .allSatisfy(result -> assertThat(result.failures()).isEmpty());
    }

    @ParameterizedTest
    @CsvSource({"2026-03-02T08:00:00Z, allow", "2026-03-02T08:00:01Z, deny", "2026-03-02T09:00:00+01:00, allow"})
    void timeIsTheSuitesClock(String clock, String decision) {
        Pack pack = Suites.pack();
        String yaml = Suites.HEAD.replace("clock: 2026-03-02T09:00:00Z", "clock: " + clock)
                + "  - name: old\n    given: {context: {region: eu, score: 1, opened: '2026-03-01T08:00:00Z'}}\n"
                + "    expect: {decision: " + decision + "}\n";
        assertThat(PackTest.run(pack, Suites.read(pack, Map.of("scenarios/a.yaml", yaml)))
                        .results())
                .singleElement()
                .satisfies(result -> assertThat(result.failures()).isEmpty());
    }

    @Test
    void theTenantIsDemoUnlessTheSuiteNamesOne() {
        assertThat(one("expect: {decision: allow}").reference().request().tenant())
                .isEqualTo("demo");
        Pack pack = Suites.pack();
        String yaml =
                Suites.HEAD.replace("settings: {}", "tenant: acme") + "  - name: a\n    expect: {decision: allow}\n";
        assertThat(PackTest.run(pack, Suites.read(pack, Map.of("scenarios/a.yaml", yaml)))
                        .results()
                        .get(0)
                        .reference()
                        .request()
                        .tenant())
                .isEqualTo("acme");
    }

    @Test
    void aFailedCaseExplainsTheRulesThatItNamesOrWhoseReasonsItExpects() {
        assertThat(one("expect: {decision: allow, matched: [limit]}").whyNot())
                .singleElement()
                .satisfies(rule -> assertThat(rule.toText())
                        .contains("test/limit", "1 condition away", "score > 8 is false: score is 4"));
        assertThat(one("expect: {decision: deny, reasons: [NO_US]}").whyNot())
                .extracting(rule -> rule.rule().name())
                .containsExactly("deny-us");
        assertThat(one("expect: {decision: deny}").whyNot())
                .extracting(rule -> rule.rule().name())
                .containsExactly("deny-us", "deny-tool", "deny-old");
        assertThat(one("expect: {decision: allow}").whyNot()).isEmpty();
    }

    @Test
    void anEngineThatDisagreesWithTheInterpreterIsAFailureOfItsOwnKind() {
        Pack pack = Suites.pack();
        RuleBase base = RuleBase.of(List.of(pack));
        List<Suite> suites = Suites.read(
                pack,
                Map.of(
                        "scenarios/a.yaml",
                        Suites.HEAD + "  - name: us\n    given: {context: {region: us, score: 1}}\n"
                                + "    expect: {decision: allow}\n"));
        var deaf = new ScenarioRunner(
                base, request -> base.interpret(request).without(base.rules().get(1)));
        assertThat(deaf.run(suites)).singleElement().satisfies(result -> {
            assertThat(result.passed()).isFalse();
            assertThat(result.failures()).singleElement().satisfies(failure -> {
                assertThat(failure.kind()).isEqualTo(Failure.Kind.ENGINE);
                assertThat(failure.line())
                        .isEqualTo("engine and interpreter disagree (please report this): interpreter says"
                                + " matched [allow, deny-us], unknown [], engine says matched [allow], unknown []");
            });
        });
        var broken = new ScenarioRunner(base, request -> {
            throw new IllegalStateException("lost");
        });
        assertThat(broken.run(suites))
                .singleElement()
                .satisfies(result -> assertThat(result.failures())
                        .extracting(Failure::kind)
                        .containsExactly(Failure.Kind.ENGINE, Failure.Kind.EXPECTATION));
    }
}
