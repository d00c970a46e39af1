package dev.countersign.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class AbsenceTest {
    private static final String ALLOW = "rule \"allow\" when Request() then decision.allow(\"ok\"); end\n";

    private static Verdict verdict(String rules, String request) {
        RuleBase base = Packs.base(rules);
        try (Evaluator evaluator = base.evaluator()) {
            var made = Packs.request(base, request);
            Verdict verdict = DenyOverrides.combine(evaluator.evaluate(made));
            assertThat(DenyOverrides.combine(base.interpret(made))).isEqualTo(verdict);
            return verdict;
        }
    }

    static Stream<Arguments> everyVerbAndEveryHole() {
        String[][] verbs = {
            {"decision.deny(\"X\");", "DENY"},
            {"decision.requireApproval(\"X\", \"default\");", "DENY"},
            {"decision.limit(\"calls\", 5, \"day\");", "DENY"},
            {"decision.transform(\"mode\", \"draft\");", "DENY"},
            {"decision.oblige(\"log\");", "DENY"},
            {"decision.allow(\"X\");", "ALLOW"},
            {"decision.allow(\"X\"); decision.oblige(\"log\");", "ALLOW"},
            {"decision.allow(\"X\"); decision.limit(\"calls\", 5, \"day\");", "DENY"},
        };
        String[] holes = {"", "{context: {region: null}}", "{context: {region: 5}}", "{context: {region: [eu]}}"};
        return Stream.of(verbs)
                .flatMap(verb -> Stream.of(holes).map(hole -> Arguments.of(verb[0], hole, Outcome.valueOf(verb[1]))));
    }

    @ParameterizedTest
    @MethodSource("everyVerbAndEveryHole")
    void aRuleLeftUnknownDeniesIfItRestrictsAndElseCountsForNothing(String verb, String hole, Outcome outcome) {
        Verdict verdict = verdict(ALLOW + Packs.rule("region == \"eu\"", verb), hole);
        assertThat(verdict.outcome()).isEqualTo(outcome);
        if (outcome == Outcome.DENY) {
            assertThat(verdict.reasons()).containsExactly(Verdict.MISSING_ATTRIBUTE);
            assertThat(verdict.missing()).isEqualTo("region");
            assertThat(verdict.settledBy().name()).isEqualTo("r");
        } else {
            assertThat(verdict.matched()).extracting(rule -> rule.name()).containsExactly("allow");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "region == \"eu\"",
                "region != \"eu\"",
                "region in ( \"eu\" )",
                "region not in ( \"eu\" )",
                "region matches \"e.\"",
                "region not matches \"e.\"",
                "region memberOf list(\"blocked\")",
                "region not memberOf list(\"blocked\")",
                "region memberOf tags",
                "region not memberOf tags",
                "region str[startsWith] \"e\"",
                "region str[endsWith] \"u\"",
                "glob(region, \"e*\")",
                "cidr(region, \"10.0.0.0/8\")",
                "region == other",
                "region == param(\"home\")",
                "score == 1",
                "score != 1",
                "score < 1",
                "score <= 1",
                "score > 1",
                "score >= 1",
                "score in ( 1, 2 )",
                "score not in ( 1, 2 )",
                "score > param(\"ceiling\")",
                "vip",
                "!( vip )",
                "vip == true",
                "vip != true",
                "opened < now",
                "opened >= \"2026-01-01T00:00:00Z\"",
                "opened == now",
                "hoursSince(opened) > 24",
                "tags contains \"a\"",
                "tags not contains \"a\"",
                "count(tags) > 2",
                "count(tags, \"a*\") > 2",
                "!( region == \"eu\" )",
                "region == \"eu\" && score == 1",
                "region == \"eu\" || score == 1",
                "subjectId == region",
            })
    void everyTestOnAnAbsentOrUnusableValueIsUnknown(String condition) {
        RuleBase base = Packs.base(ALLOW + Packs.rule(condition, "decision.deny(\"X\");"));
        CompiledRule rule = base.rules().get(1);
        String wrong = "{region: 1, score: x, vip: x, opened: yesterday, tags: x, other: 1}";
        for (String hole : new String[] {"", "{context: " + wrong + "}"}) {
            var request = Packs.request(base, hole);
            assertThat(rule.test(request)).as(condition + " on " + hole).isEqualTo(Condition.UNKNOWN);
            assertThat(rule.missing(request)).isNotNull();
            assertThat(verdict(ALLOW + Packs.rule(condition, "decision.deny(\"X\");"), hole)
                            .reasons())
                    .containsExactly(Verdict.MISSING_ATTRIBUTE);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "region == null, '', 2",
        "region != null, '', 0",
        "region == null, {context: {region: eu}}, 0",
        "region != null, {context: {region: eu}}, 2",
        "region == null, {context: {region: 5}}, 1",
        "region != null, {context: {region: 5}}, 1",
        "tags == null, {context: {tags: {}}}, 1",
        "region == null && score > 1, '', 1",
        "region != null && score > 1, '', 0",
        "region == null || score > 1, '', 2",
    })
    void absentIsKnownToBeAbsentAndUnavailableIsNot(String condition, String request, int expected) {
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        assertThat(base.rules().get(0).test(Packs.request(base, request))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "count(certificates) == 2 | {resource: {type: tool, id: t, properties: {payment_methods: [{payment_id: certificate_1}, {}]}}} | 2",
                "count(certificates, \"cert*\") > 1 | {resource: {type: tool, id: t, properties: {payment_methods: [{payment_id: certificate_1}, {}]}}} | 1",
                "count(certificates, \"cert*\") > 1 | {resource: {type: tool, id: t, properties: {payment_methods: [{payment_id: certificate_1}, {payment_id: certificate_2}]}}} | 2",
                "certificates contains \"a\" | {resource: {type: tool, id: t, properties: {payment_methods: [{payment_id: b}, {}]}}} | 1",
                "certificates contains \"b\" | {resource: {type: tool, id: t, properties: {payment_methods: [{payment_id: b}, {}]}}} | 2",
                "certificates contains \"a\" | {resource: {type: tool, id: t, properties: {payment_methods: {}}}} | 1",
                "payment.type == \"card\" | {resource: {type: tool, id: t, properties: {payment: {type: card}}}} | 2",
                "payment.type == \"card\" | {resource: {type: doc, id: t, properties: {payment: {type: card}}}} | 1",
                "payment.type == \"card\" | {resource: {type: doc, id: t}, action: {name: a, properties: {payment: {type: card}}}} | 2",
                "tool == \"t\" | {resource: {type: tool, id: t}} | 2",
                "tool == null | {resource: {type: doc, id: t}} | 2",
                "mode == \"auto\" | | 2",
                "mode == \"auto\" | {context: {mode: 5}} | 1",
                "hoursSince(opened) > 24 | {context: {opened: '2026-03-01T08:00:00Z'}} | 2",
                "hoursSince(opened) > 24 | {context: {opened: '2026-03-01T10:00:00+01:00'}} | 0",
                "opened < now | {context: {opened: '2026-03-02T08:59:59Z'}} | 2",
                "cidr(region, \"10.0.0.0/8\") | {context: {region: 10.200.3.4}} | 2",
                "cidr(region, \"10.0.0.0/8\") | {context: {region: 11.0.0.1}} | 0",
                "cidr(region, \"10.0.0.0/8\") | {context: {region: '::ffff:a00:1'}} | 2",
                "score == 0 | {context: {score: -0.0}} | 2",
                "score in ( 0 ) | {context: {score: -0.0}} | 2",
                "tags == null | {context: {tags: []}} | 0",
                "count(tags) == 0 | {context: {tags: []}} | 2",
            })
    void everyHelperReadsItsOneSource(String condition, String request, int expected) {
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        var made = Packs.request(base, request == null ? "" : request);
        assertThat(base.rules().get(0).test(made)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "region != null && region == \"eu\" || score > 1 ; {context: {score: x}} ; score",
                "( region != null && region == \"eu\" ) || !( vip || score > 1 ) ; {context: {vip: false, score: x}} ; score",
                "tags contains \"a\" ; {context: {tags: [1]}} ; tags",
                "region == other ; {context: {region: eu}} ; other",
            })
    void theAttributeThatIsNamedIsTheOneThatLeftTheRuleUnknown(String condition, String request, String missing) {
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        assertThat(base.rules().get(0).missing(Packs.request(base, request)).name())
                .isEqualTo(missing);
    }
}
