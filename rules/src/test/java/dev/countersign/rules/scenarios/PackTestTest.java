package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.scenarios.PackTestResult.Format;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class PackTestTest {
    private static final String RULES = """
            rule "allow" when Request() then decision.allow("OK"); end
            rule "egress" when Request( action == "send", zone == "public" ) then decision.deny("EGRESS"); end
            rule "egress-again" when Request( action == "send", !( zone == "private" ) ) then decision.deny("EGRESS"); end
            rule "never" when Request( zone matches "x.*" || confidence > 0.5 ) then decision.requireApproval("ASK", "default"); end
            """;

    /** Passes, and needs neither of the two egress rules, for each does what the other does. */
    private static final String CASES = """
            suite: zones
            clock: 2026-03-02T09:00:00Z
            defaults: {subject: {type: agent, id: a}, action: {name: send}, resource: {type: tool, id: t}}
            cases:
              - name: public
                given: {context: {zone: public, confidence: 0.1}}
                expect: {decision: deny, reasons: [EGRESS]}
              - name: private
                given: {context: {zone: private, confidence: 0.1}}
                expect: {decision: allow}
            """;

    @TempDir
    Path folder;

    private Path pack(String name, String tests, String rules, String cases) throws IOException {
        Path pack = Files.createDirectories(folder.resolve(name));
        Files.writeString(pack.resolve("pack.yaml"), """
                name: %s
                version: 1.0.0
                approvals:
                  default: {stages: [{quorum: 1, roles: [boss]}], decide_within: 1h, use_within: 15m}
                tests: %s
                """.formatted(name, tests));
        Files.writeString(pack.resolve("rules.drl"), "package " + name + "\n" + rules);
        if (!cases.isEmpty()) {
            Files.createDirectories(pack.resolve("scenarios"));
            Files.writeString(pack.resolve("scenarios/zones.yaml"), cases);
        }
        return pack;
    }

    private PackTestResult run(String tests, String cases) throws IOException {
        return PackTest.run(List.of(pack("zones", tests, RULES, cases)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{rules: 75, conditions: 33, needed: 0} | 0",
                "{rules: 76, conditions: 0, needed: 0} | 3",
                "{rules: 0, conditions: 34, needed: 0} | 3",
                "{rules: 0, conditions: 0, needed: 1} | 3",
                "{rules: 0, conditions: 0, needed: 0} | 0",
                "{} | 3",
            })
    void theBarDecidesBetweenSuccessAndThree(String tests, int code) throws IOException {
        assertThat(run(tests, CASES).exitCode()).isEqualTo(code);
    }

    @Test
    void aFailedCaseIsTwoWhateverTheBar() throws IOException {
        String failing = CASES.replace("decision: allow}", "decision: deny}");
        assertThat(run("{rules: 0, conditions: 0, needed: 0}", failing).exitCode())
                .isEqualTo(2);
        assertThat(run("{}", failing).exitCode()).isEqualTo(2);
    }

    @Test
    void aPackWithoutCasesMissesItsBarAndSaysSo() throws IOException {
        PackTestResult result = run("{rules: 0, conditions: 0, needed: 1}", "");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.render(Format.TEXT)).contains("no cases", "the pack has no case, and pack.yaml sets a bar");
        assertThat(run("{rules: 0, conditions: 0, needed: 0}", "").exitCode()).isZero();
    }

    @Test
    void mistakesInRulesScenariosOrPlacesAreOneAndTheOtherPacksAreStillTested() throws IOException {
        Path good = pack("good", "{rules: 0, conditions: 0, needed: 0}", RULES, CASES);
        Path badRules = pack("norules", "{}", "rule", "");
        Path badCases = pack("nocases", "{}", RULES, CASES.replace("expect:", "expects:"));
        for (Path bad : List.of(badRules, badCases, folder.resolve("missing"))) {
            PackTestResult result = PackTest.run(List.of(bad, good));
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.reports())
                    .extracting(report -> report.pack().name())
                    .containsExactly("good");
            assertThat(result.diagnostics())
                    .filteredOn(diagnostic -> !diagnostic.code().warning())
                    .isNotEmpty()
                    .extracting(Diagnostic::file)
                    .allMatch(file -> file.startsWith(bad.toString()));
        }
        assertThat(PackTest.run(List.of(badRules)).render(Format.TEXT)).contains("error", "nothing was tested");
        assertThat(PackTest.run(List.of()).exitCode()).isEqualTo(1);
    }

    @Test
    void aFolderOfPacksIsTestedPackByPackAndTheWorstCounts() throws IOException {
        pack("a", "{rules: 0, conditions: 0, needed: 0}", RULES, CASES);
        pack("b", "{}", RULES, CASES);
        assertThat(PackTest.run(List.of(folder)).exitCode()).isEqualTo(3);
        pack("c", "{}", RULES, CASES.replace("EGRESS]", "OTHER]"));
        PackTestResult result = PackTest.run(List.of(folder, folder.resolve("a")));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.reports()).extracting(report -> report.pack().name()).containsExactly("a", "b", "c");
        assertThat(result.reports()).extracting(TestReport::exitCode).containsExactly(0, 3, 2);
    }

    @Test
    void coverageCountsRulesThatMatchedAndTestsSeenBothWays() throws IOException {
        Coverage coverage = run("{}", CASES).reports().get(0).coverage();
        assertThat(coverage.rulesMatched()).isEqualTo(new Coverage.Share(3, 4, 100));
        assertThat(coverage.rules()).extracting(Coverage.OfRule::matched).containsExactly(true, true, true, false);
        assertThat(coverage.rules())
                .flatExtracting(Coverage.OfRule::tests)
                .containsExactly(
                        new Coverage.OfTest("action == \"send\"", true, false),
                        new Coverage.OfTest("zone == \"public\"", true, true),
                        new Coverage.OfTest("action == \"send\"", true, false),
                        new Coverage.OfTest("zone == \"private\"", true, true),
                        new Coverage.OfTest("zone matches \"x.*\"", false, true),
                        new Coverage.OfTest("confidence > 0.5", false, true));
        assertThat(coverage.conditionsSeen()).isEqualTo(new Coverage.Share(2, 6, 80));
    }

    @Test
    void aTestThatWasOnlyUnknownWasSeenNeitherWay() throws IOException {
        String cases = CASES.replace(", confidence: 0.1", "").replace("decision: allow}", "decision: deny}");
        assertThat(run("{}", cases).reports().get(0).coverage().rules().get(3).tests())
                .containsExactly(
                        new Coverage.OfTest("zone matches \"x.*\"", false, true),
                        new Coverage.OfTest("confidence > 0.5", false, false));
    }

    @Test
    void aRuleIsNeededIfSomePassingCaseWouldFailWithoutIt() throws IOException {
        assertThat(needs(CASES)).containsExactly("NOT_ASKED", "NOT_NEEDED", "NOT_NEEDED", "NOT_NEEDED");
        String elsewhere = CASES + """
              - name: elsewhere
                given: {context: {zone: home, confidence: 0.1}}
                expect: {decision: deny}
            """;
        assertThat(needs(elsewhere)).containsExactly("NOT_ASKED", "NOT_NEEDED", "NEEDED", "NOT_NEEDED");
        assertThat(needs(elsewhere.replace("EGRESS]}", "EGRESS], matched: [egress]}")))
                .containsExactly("NOT_ASKED", "NEEDED", "NEEDED", "NOT_NEEDED");
        assertThat(needs(elsewhere.replace("decision: deny}", "decision: deny, reasons: [OTHER]}")))
                .as("a case that fails anyway needs no rule")
                .containsExactly("NOT_ASKED", "NOT_NEEDED", "NOT_NEEDED", "NOT_NEEDED");
        assertThat(needs(CASES + """
              - name: unsure
                given: {context: {zone: private}}
                expect: {decision: deny, missing: confidence}
            """))
                .as("a rule that denies because it cannot be judged")
                .containsExactly("NOT_ASKED", "NOT_NEEDED", "NOT_NEEDED", "NEEDED");
    }

    private List<String> needs(String cases) throws IOException {
        return run("{}", cases).reports().get(0).coverage().rules().stream()
                .map(rule -> rule.need().name())
                .toList();
    }

    @Test
    void theTextTellsAnAuthorWhatFailedAndWhatIsLeftToTest() throws IOException {
        String cases = CASES + """
              - name: sure
                given: {context: {zone: private, confidence: 0.4}}
                expect: {decision: require_approval, matched: [never]}
            """;
        String text = run("{}", cases).render(Format.TEXT).replace(folder.toString(), "");
        assertThat(text).startsWith("/zones/rules.drl:5:28: warning W001: ");
        assertThat(text).endsWith("\n\na case failed\n");
        assertThat(text.substring(text.indexOf('\n') + 1)).startsWith("""
                pack zones 1.0.0: 2 of 3 cases passed
                  FAILED zones: sure
                    /zones/scenarios/zones.yaml:11
                    expected decision require_approval, got allow
                    expected a rule `never` to match, matched: [allow]
                    matched: allow
                    why not never (/zones/rules.drl:5), 1 condition away:
                      zone matches "x.*" is false: zone is "private"
                      confidence > 0.5 is false: confidence is 0.4
                  rules matched in some case: 3 of 4 (75 %, bar 100 %) BELOW THE BAR
                    never matched: never (/zones/rules.drl:5)
                  conditions seen true and false: 2 of 6 (33 %, bar 80 %) BELOW THE BAR
                    never true: zone matches "x.*"  in never (/zones/rules.drl:5)
                    never true: confidence > 0.5  in never (/zones/rules.drl:5)
                    never false: action == "send"  in egress (/zones/rules.drl:3)
                    never false: action == "send"  in egress-again (/zones/rules.drl:4)
                  rules that deny or ask, needed by some case: 0 of 3 (0 %, bar 100 %) BELOW THE BAR
                    no case would fail without: egress (/zones/rules.drl:3)
                    no case would fail without: egress-again (/zones/rules.drl:4)
                    no case would fail without: never (/zones/rules.drl:5)
                  small mistakes in conditions, noticed by some case: 6 of 14 (42 %, bar 0 %)
                """);
    }

    @Test
    void theJsonHoldsTheSameForPrograms() throws IOException {
        JsonNode json = new ObjectMapper()
                .readTree(run("{}", CASES.replace("EGRESS]", "OTHER]")).render(Format.JSON));
        assertThat(json.get("exit_code").intValue()).isEqualTo(2);
        JsonNode pack = json.get("packs").get(0);
        assertThat(pack.get("cases").intValue()).isEqualTo(2);
        assertThat(pack.get("failed").intValue()).isEqualTo(1);
        assertThat(pack.at("/results/0/failures/0").toString())
                .isEqualTo(
                        "{\"kind\":\"expectation\",\"what\":\"reasons\",\"expected\":\"[OTHER]\",\"got\":\"[EGRESS]\"}");
        assertThat(pack.at("/results/1/passed").booleanValue()).isTrue();
        assertThat(pack.at("/coverage/matched").toString())
                .isEqualTo("{\"reached\":3,\"of\":4,\"percent\":75,\"bar\":100,\"met\":false}");
        assertThat(pack.at("/coverage/rules/3/need").textValue()).isEqualTo("not_needed");
        assertThat(pack.at("/coverage/rules/3/tests/0/seen_false").booleanValue())
                .isTrue();
    }

    @Test
    void theJunitXmlIsWellFormedAndItsCountsAreRight() throws Exception {
        String nasty = "<&\\\"'>]]> \\u0007 \\uD83D\\uDE00 ok";
        String cases = CASES.replace("name: public", "name: \"" + nasty + "\"").replace("EGRESS]", "'<OTHER>']");
        Path bad = pack("bad", "{}", "rule", "");
        String xml =
                PackTest.run(List.of(pack("zones", "{}", RULES, cases), bad)).render(Format.JUNIT);
        Element root = DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(xml)))
                .getDocumentElement();
        var suites = root.getElementsByTagName("testsuite");
        assertThat(suites.getLength()).isEqualTo(3);
        assertThat(suites.item(0).getAttributes().getNamedItem("name").getNodeValue())
                .isEqualTo("check");
        Element zones = (Element) suites.item(1);
        assertThat(zones.getAttribute("name")).isEqualTo("zones/zones");
        assertThat(counts(zones)).containsExactly("2", "1", "0");
        assertThat(counts((Element) suites.item(2))).containsExactly("4", "3", "0");
        int checks = ((Element) suites.item(0)).getElementsByTagName("error").getLength();
        assertThat(checks).isPositive();
        assertThat(counts(root)).containsExactly(String.valueOf(6 + checks), "4", String.valueOf(checks));
        Element failed = (Element) zones.getElementsByTagName("testcase").item(0);
        assertThat(failed.getAttribute("name")).isEqualTo("<&\"'>]]> \uFFFD \uD83D\uDE00 ok");
        Element failure = (Element) failed.getElementsByTagName("failure").item(0);
        assertThat(failure.getAttribute("message")).isEqualTo("expected reasons [<OTHER>], got [EGRESS]");
        assertThat(failure.getTextContent()).contains("zones.yaml:5");
    }

    private static List<String> counts(Element element) {
        return List.of(element.getAttribute("tests"), element.getAttribute("failures"), element.getAttribute("errors"));
    }
}
