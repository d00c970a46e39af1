package dev.countersign.rules.explain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.RuleBase;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExplainerTest {
    private static RuleExplanation explain(String condition, String request) {
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        return new Explainer(base).rules(Packs.request(base, request)).get(0);
    }

    private static String seen(String condition, String request) {
        return explain(condition, request).tests().get(0).seen().get(0).value();
    }

    @Test
    void aMatchedRuleShowsEveryTestAndWhatItSaw() {
        RuleExplanation rule = explain("region == \"eu\", score > 3", "{context: {region: eu, score: 4}}");
        assertThat(rule.result()).isEqualTo(Truth.TRUE);
        assertThat(rule.away()).isZero();
        assertThat(rule.tests())
                .containsExactly(
                        new TestExplanation(
                                "region == \"eu\"",
                                Truth.TRUE,
                                true,
                                false,
                                List.of(new TestExplanation.Seen("region", "\"eu\""))),
                        new TestExplanation(
                                "score > 3", Truth.TRUE, true, false, List.of(new TestExplanation.Seen("score", "4"))));
    }

    @Test
    void aRuleThatDoesNotMatchNamesTheTestsThatKeepItFromMatching() {
        RuleExplanation rule = explain("region == \"eu\", score > 3", "{context: {region: us, score: 4}}");
        assertThat(rule.result()).isEqualTo(Truth.FALSE);
        assertThat(rule.away()).isEqualTo(1);
        assertThat(rule.tests()).extracting(TestExplanation::against).containsExactly(true, false);
        assertThat(rule.toText())
                .contains("not matched", "1 condition away", "region == \"eu\" is false: region is \"us\"")
                .doesNotContain("score");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "region == \"eu\"    | ``                                  | absent",
                "region == \"eu\"    | {context: {region: null}}           | absent",
                "region == \"eu\"    | {context: {region: 5}}              | unavailable (is a number, needs a text)",
                "region == \"eu\"    | {context: {region: [eu]}}           | unavailable (is a list, needs a text)",
                "score > 1           | {context: {score: x}}               | unavailable (is a text, needs a number)",
                "vip                 | {context: {vip: {}}}                | unavailable (is an object, needs a bool)",
                "tags contains \"a\" | {context: {tags: true}}             | unavailable (is a bool, needs a list)",
                "opened < now        | {context: {opened: soon}}           | unavailable (is a text, needs a time such as 2026-03-02T09:00:00Z)",
                "opened < now        | {context: {opened: '2026-01-01T01:00:00+01:00'}} | \"2026-01-01T00:00:00Z\"",
                "score > 1           | {context: {score: 2.50}}            | 2.5",
                "score > 1           | {context: {score: 10000}}           | 10000",
                "vip                 | {context: {vip: true}}              | true",
                "tags contains \"a\" | {context: {tags: [b, 5, 'c\"']}}    | [\"b\", (no text), \"c\\\"\"]",
                "count(tags) > 1     | {context: {tags: [b]}}              | [\"b\"]",
                "tool == \"t\"       | {resource: {type: doc, id: t}}      | absent",
                "mode == \"auto\"    | ``                                  | \"auto\"",
                "subjectId == \"x\"  | ``                                  | \"a-1\"",
                "payment.type == \"card\" | {resource: {type: tool, id: t, properties: {payment: 5}}} | unavailable (something on its path arguments.payment.type is no object)",
            })
    void everyValueIsShownAsTheTestSawIt(String condition, String request, String value) {
        assertThat(seen(condition, request)).isEqualTo(value);
    }

    @Test
    void aLongValueIsCut() {
        assertThat(seen("region == \"eu\"", "{context: {region: " + "x".repeat(5_000) + "}}"))
                .hasSizeLessThan(250)
                .endsWith("...");
    }

    @Test
    void parametersAndTheClockAreShownBesideTheAttribute() {
        assertThat(explain("score > param(\"ceiling\")", "{context: {score: 5}}")
                        .tests()
                        .get(0)
                        .seen())
                .containsExactly(
                        new TestExplanation.Seen("score", "5"), new TestExplanation.Seen("param(\"ceiling\")", "100"));
        assertThat(explain("hoursSince(opened) > 24", "{context: {opened: '2026-03-02T08:00:00Z'}}")
                        .tests()
                        .get(0)
                        .line())
                .isEqualTo("hoursSince(opened) > 24 is false: opened is \"2026-03-02T08:00:00Z\","
                        + " now is \"2026-03-02T09:00:00Z\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "region == \"eu\" || score > 3 ; {context: {region: us, score: 1}} ; 1 ; true,true",
                "region == \"eu\" || score > 3 ; {context: {region: eu, score: 1}} ; 0 ; false,false",
                "region == \"eu\", score > 3 ; {context: {region: us, score: 1}} ; 2 ; true,true",
                "!( region == \"eu\" ) ; {context: {region: eu}} ; 1 ; true",
                "!( region == \"eu\" && score > 3 ) ; {context: {region: eu, score: 4}} ; 1 ; true,true",
                "!( region == \"eu\" || score > 3 ) ; {context: {region: eu, score: 4}} ; 2 ; true,true",
                "!( region == \"eu\" || score > 3 ) ; {context: {region: eu, score: 1}} ; 1 ; true,false",
                "region == \"eu\", vip ; {context: {region: us}} ; 2 ; true,true",
            })
    void theDistanceCountsTheFewestTestsThatWouldHaveToChange(
            String condition, String request, int away, String against) {
        RuleExplanation rule = explain(condition, request);
        assertThat(rule.away()).isEqualTo(away);
        assertThat(rule.tests())
                .extracting(test -> String.valueOf(test.against()))
                .containsExactly(against.split(",", -1));
    }

    private static final String RANKED = """
            rule "far" when Request( region == "eu", score > 3, action == "pay" ) then decision.deny("A"); end
            rule "near" when Request( region == "eu", action == "pay" ) then decision.deny("A"); end
            rule "hole" @reason("vips wait") when Request( vip ) then decision.deny("A"); end
            rule "hit" when Request( action == "pay" ) then decision.allow("OK"); end
            """;

    @Test
    void matchedRulesComeFirstThenUnknownThenTheNearest() {
        RuleBase base = Packs.base(RANKED);
        var request = Packs.request(base, "{action: {name: pay}, context: {region: us, score: 1}}");
        assertThat(new Explainer(base).rules(request))
                .extracting(rule -> rule.rule().name())
                .containsExactly("hit", "hole", "near", "far");
    }

    @Test
    void theTextSaysTheVerdictFirstThenWhyAndWhyNot() {
        RuleBase base = Packs.base(RANKED);
        var request = Packs.request(base, "{action: {name: pay}, context: {region: us, score: 1}}");
        assertThat(new Explainer(base).explain(request).toText()).isEqualTo("""
                deny (missing_attribute), settled by test/hole, which needs `vip`
                  vips wait
                matched      test/hit (rules.drl:5)
                               decision.allow("OK");
                unknown      test/hole (rules.drl:4), 1 condition away
                               vip is unknown: vip is absent
                not matched  test/near (rules.drl:3), 1 condition away
                               region == "eu" is false: region is "us"
                not matched  test/far (rules.drl:2), 2 conditions away
                               region == "eu" is false: region is "us"
                               score > 3 is false: score is 1
                """);
    }

    @Test
    void theJsonHoldsEveryRuleAndEveryTest() {
        RuleBase base = Packs.base(RANKED);
        var json = new Explainer(base)
                .explain(Packs.request(base, "{action: {name: pay}, context: {region: us, score: 1}}"))
                .toJson();
        assertThat(json.get("decision").textValue()).isEqualTo("deny");
        assertThat(json.get("settled_by").textValue()).isEqualTo("test/hole");
        assertThat(json.get("missing").textValue()).isEqualTo("vip");
        assertThat(json.get("rules")).hasSize(4);
        var far = json.get("rules").get(3);
        assertThat(far.get("result").textValue()).isEqualTo("not_matched");
        assertThat(far.get("tests")).hasSize(3);
        assertThat(far.get("tests").get(2).toString())
                .isEqualTo("{\"text\":\"action == \\\"pay\\\"\",\"result\":\"true\",\"wanted\":true,\"against\":false,"
                        + "\"seen\":[{\"name\":\"action\",\"value\":\"\\\"pay\\\"\"}]}");
    }

    @Test
    void ofManyRulesThatDidNotMatchTheTextShowsTheNearest() {
        var rules = new StringBuilder();
        for (int i = 0; i < 13; i++) {
            rules.append(
                    "rule \"r" + i + "\" when Request( action == \"a" + i + "\" ) then decision.deny(\"X\"); end\n");
        }
        RuleBase base = Packs.base(rules.toString());
        Explanation explanation = new Explainer(base).explain(Packs.request(base, ""));
        assertThat(explanation.toText())
                .contains("test/r9 ", "and 3 rules further away")
                .doesNotContain("test/r10 ");
        assertThat(explanation.toJson().get("rules")).hasSize(13);
    }
}
