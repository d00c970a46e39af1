package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScenarioReaderTest {
    private static final String GOOD = "  - name: one\n    expect: {decision: allow}\n";

    @Test
    void aGoodFileHasNoMistakes() {
        assertThat(Suites.mistakes(Suites.HEAD + GOOD)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "expect: {decision: maybe} | 12 | there is no decision `maybe` (known are allow, require_approval, deny)",
                "expect: {decision: alow} | 12 | there is no decision `alow` (did you mean `allow`?)",
                "expect: {reasons: [OK]} | 11 | `decision:` is missing",
                "given: {action: pay} | 11 | `decision:` is missing",
                "expect: {decision: allow, reason: [OK]} | 12 | `expect` has no key `reason` (did you mean `reasons`?)",
                "expect: {decision: allow, matched: [dney*]} | 12 | no rule of this pack is named `dney*`",
                "expect: {decision: allow, not_matched: [dney*]} | 12 | no rule of this pack is named `dney*`",
                "expect: {decision: allow, matched: []} | 12 | an empty `matched` checks nothing",
                "expect: {decision: allow, reasons: OK} | 12 | `reasons` must be a list of texts",
                "expect: {decision: allow, reasons: [5]} | 12 | an element of `reasons` must be a text",
                "expect: {decision: allow, missing: 5} | 12 | `missing` must be a text",
                "expect: {decision: allow, obligations: [{type: log, extra: 1}]} | 12 | an obligation has no key `extra`",
                "expect: {decision: allow, obligations: [{limit: calls, max: many, per: day}]} | 12 | `max` of a limit must be a number",
                "expect: {decision: allow, obligations: [{limit: calls, max: 5}]} | 12 | `per:` is missing",
                "expect: {decision: allow, obligations: [{type: log, properties: {a: [1]}}]} | 12 | `a` must be a text, a number, true or false",
                "expects: {decision: allow} | 12 | a case has no key `expects` (did you mean `expect`?)",
                "given: {subject: agnt} | 12 | no subject fixture is named `agnt` (did you mean `agent`?)",
                "given: {context: 5} | 12 | `context` must be the name of a fixture, or an object",
                "given: {contexts: sure} | 12 | `given` has no key `contexts` (did you mean `context`?)",
                "given: {subject: null} | 11 | the request is not well formed: `subject` is missing",
                "given: {subject: {type: agent}} | 11 | the request is not well formed: `subject.id` is missing",
                "given: {subject: {type: agent, id: 5}} | 11 | the request is not well formed: `subject.id` must be a string",
                "settings: {ceilin: 5} | 12 | `settings` has no key `ceilin` (did you mean `ceiling`?)",
                "settings: {ceiling: high} | 12 | `ceiling` needs a number, not `high`",
                "settings: {home: 5} | 12 | `home` needs a text, not 5",
                "settings: {blocked: rm} | 12 | `blocked` needs a list of texts, not `rm`",
                "settings: {blocked: [rm, 5]} | 12 | `blocked` needs a list of texts, none of them blank; entry 2 is 5",
                "table: {columns: [decision]} | 12 | a table needs `columns:` and at least one row",
                "table: {columns: [decision], rows: []} | 12 | a table needs `columns:` and at least one row",
                "table: {columns: [confidence, decision], rows: [[1, allow]]} | 12 | `confidence` is no column",
                "table: {columns: [context..a, decision], rows: [[1, allow]]} | 12 | `context..a` is no column",
                "table: {columns: [decision, decision], rows: [[allow, allow]]} | 12 | a column stands twice",
                "table: {columns: [context.score, decision], rows: [[1, allow], [2]]} | 12 | row 2 has 1 cells, the table has 2 columns",
                "table: {columns: [context.score.a, decision], rows: [[1, allow]]} | 12 | `context.score.a` cannot be set",
                "table: {columns: [subject, decision], rows: [[agnt, allow]]} | 12 | no subject fixture is named",
                "table: {columns: [subject.id, decision], rows: [[null, allow]]} | 12 | the request is not well formed: `subject.id` is missing",
            })
    void everyMistakeInACaseIsSaidWithItsLine(String member, int line, String message) {
        assertThat(Suites.mistakes(Suites.HEAD + "  - name: one\n    " + member + "\n"))
                .anySatisfy(said -> assertThat(said)
                        .startsWith("p/scenarios/a.yaml:" + line + ":1: error Y002: ")
                        .contains(message));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "suite: payments | ^^ | 2 | `suite:` is missing",
                "suite: payments | suite: 5 | 1 | `suite` must be a text",
                "clock: 2026-03-02T09:00:00Z | clock: today | 2 | `clock` must be a time such as",
                "clock: 2026-03-02T09:00:00Z | ^^ | 1 | `clock:` is missing",
                "settings: {} | owner: me | 8 | a suite has no key `owner`",
                "settings: {} | tenant: 5 | 8 | `tenant` must be a text",
                "settings: {} | suite: again | 8 | Duplicate field 'suite'",
                "settings: {} | settings: {ceiling: x} | 8 | `ceiling` needs a number",
                "actions: {pay: {name: pay}} | actions: {pay: pay} | 5 | the fixture `pay` must be an object",
                "actions: {pay: {name: pay}} | action: {pay: {name: pay}} | 5 | `fixtures` has no key `action` (did you mean `actions`?)",
                "actions: {pay: {name: pay}} | actions: &a {pay: {name: pay}} | 5 | anchors and aliases are not read",
                "actions: {pay: {name: pay}} | actions: {pay: *a} | 5 | anchors and aliases are not read",
                "actions: {pay: {name: pay}} | actions: {pay: [ | 7 | expected ',' or ']'",
                "defaults: {subject: agent, | defaults: {subject: [agent], | 9 | `subject` must be the name of a fixture",
            })
    void everyMistakeInASuiteIsSaidWithItsLine(String part, String instead, int line, String message) {
        assertThat(Suites.mistakes((Suites.HEAD + GOOD).replace(part, instead)))
                .anySatisfy(said -> assertThat(said)
                        .startsWith("p/scenarios/a.yaml:" + line + ":")
                        .contains(message));
    }

    @Test
    void aSuiteNeedsACase() {
        assertThat(Suites.mistakes(Suites.HEAD)).singleElement().asString().contains(":10:", "at least one case");
        assertThat(Suites.mistakes("")).singleElement().asString().contains("the file is empty");
        assertThat(Suites.mistakes(Suites.HEAD + GOOD + "---\na: 1\n"))
                .singleElement()
                .asString()
                .contains("a file holds one document");
        assertThat(Suites.mistakes("- 1\n")).first().asString().contains("a suite must be an object");
    }

    @Test
    void namesAreUniqueRowsIncluded() {
        assertThat(Suites.mistakes(Suites.HEAD + GOOD + GOOD))
                .singleElement()
                .asString()
                .contains(":13:", "there is another case `one` in this suite");
        assertThat(Suites.mistakes(Suites.HEAD + GOOD.replace("one", "one [row 1]")
                        + "  - name: one\n    table: {columns: [decision], rows: [[allow]]}\n"))
                .singleElement()
                .asString()
                .contains("there is another case `one [row 1]` in this suite");
        var diagnostics = new Diagnostics();
        new ScenarioReader(Suites.pack(), diagnostics)
                .read("", Map.of("scenarios/a.yaml", Suites.HEAD + GOOD, "scenarios/b.yaml", Suites.HEAD + GOOD));
        assertThat(diagnostics.all())
                .singleElement()
                .asString()
                .startsWith("scenarios/b.yaml:1:")
                .contains("there is another suite `payments` in scenarios/a.yaml");
    }

    @Test
    void allMistakesOfAFileComeAtOnce() {
        assertThat(Suites.mistakes(Suites.HEAD.replace("suite: payments", "suit: payments")
                        + "  - name: one\n    expect: {decision: no}\n  - nam: two\n"))
                .hasSizeGreaterThanOrEqualTo(5);
    }

    @Test
    void sharedFixturesServeAllSuitesAndASuitesOwnWin() {
        String shared = "fixtures:\n  contexts: {sure: {region: us}, us: {region: us, score: 1}}\n";
        var pack = Suites.pack();
        List<Suite> suites = Suites.read(
                pack,
                Map.of(
                        "scenarios/fixtures.yaml",
                        shared,
                        "scenarios/a.yaml",
                        Suites.HEAD + "  - name: own\n    expect: {decision: allow}\n"
                                + "  - name: shared\n    given: {context: us}\n    expect: {decision: deny}\n"));
        assertThat(PackTest.run(pack, suites).results()).hasSize(2).allMatch(CaseResult::passed);
    }

    @Test
    void theFileOfSharedFixturesHoldsNothingElse() {
        var diagnostics = new Diagnostics();
        new ScenarioReader(Suites.pack(), diagnostics)
                .read("", Map.of("scenarios/fixtures.yaml", "fixtures: {}\nsuite: x\n"));
        assertThat(diagnostics.all())
                .singleElement()
                .asString()
                .startsWith("scenarios/fixtures.yaml:2:")
                .contains("fixtures.yaml has no key `suite`");
    }

    @Test
    void noFileOfTheFolderIsPassedOverInSilence(@TempDir Path folder) throws IOException {
        Files.createDirectory(folder.resolve("scenarios"));
        Files.writeString(folder.resolve("scenarios/a.yml"), Suites.HEAD + GOOD);
        Files.write(folder.resolve("scenarios/b.yaml"), new byte[] {(byte) 0xC3, 0x28});
        var diagnostics = new Diagnostics();
        new ScenarioReader(Suites.pack(), diagnostics).read(folder);
        assertThat(diagnostics.all())
                .extracting(Diagnostic::message)
                .contains("a scenario file's name ends in .yaml", "the file is not UTF-8");
    }
}
