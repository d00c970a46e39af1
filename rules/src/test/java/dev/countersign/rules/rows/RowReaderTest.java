package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.dialect.Rule;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowReaderTest {
    private static RowReader.Read read(String row) {
        return new RowReader(Rows.VOCABULARY).read(Rows.row(row));
    }

    private static RowReader.Read when(String condition) {
        return read("{rule_expr: {when: " + condition + "}}");
    }

    private static String text(Rule rule) {
        return rule.conditions().stream().map(Canonical::expr).collect(Collectors.joining(", "));
    }

    private static String said(List<JsonMistake> mistakes) {
        return mistakes.stream().map(JsonMistake::toString).collect(Collectors.joining("\n"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{field: region, op: ==, value: eu} ; region == \"eu\"",
                "{field: region, op: '!=', value: 'a\"\\b'} ; region != \"a\\\"\\\\b\"",
                "{field: score, op: <, value: 5} ; score < 5",
                "{field: score, op: <=, value: -2.50} ; score <= -2.5",
                "{field: score, op: '>', value: 0.001} ; score > 0.001",
                "{field: score, op: '>=', value: {param: ceiling}} ; score >= param(\"ceiling\")",
                "{field: opened, op: '>', value: '2026-01-31T00:00:00Z'} ; opened > \"2026-01-31T00:00:00Z\"",
                "{field: opened, op: <, value: {field: now}} ; opened < now",
                "{field: vip} ; vip",
                "{not: {field: vip}} ; !( vip )",
                "{field: vip, op: ==, value: false} ; vip == false",
                "{field: region, op: is null} ; region == null",
                "{field: region, op: not null} ; region != null",
                "{field: region, op: in, value: [eu, us]} ; region in ( \"eu\", \"us\" )",
                "{field: score, op: not in, value: [1, -2]} ; score not in ( 1, -2 )",
                "{field: region, op: matches, value: 'e.'} ; region matches \"e.\"",
                "{field: region, op: not matches, value: 'e.'} ; region not matches \"e.\"",
                "{field: region, op: startsWith, value: e} ; region str[startsWith] \"e\"",
                "{field: region, op: endsWith, value: u} ; region str[endsWith] \"u\"",
                "{field: region, op: glob, value: 'e*'} ; glob(region, \"e*\")",
                "{field: region, op: cidr, value: 10.0.0.0/8} ; cidr(region, \"10.0.0.0/8\")",
                "{field: region, op: memberOf, value: {list: blocked}} ; region memberOf list(\"blocked\")",
                "{field: region, op: not memberOf, value: {list: blocked}} ; region not memberOf list(\"blocked\")",
                "{field: subjectId, op: memberOf, value: {field: tags}} ; subjectId memberOf tags",
                "{field: subjectId, op: not memberOf, value: {field: tags}} ; subjectId not memberOf tags",
                "{field: tags, op: contains, value: x} ; tags contains \"x\"",
                "{field: tags, op: not contains, value: {field: region}} ; tags not contains region",
                "{count: tags, op: '>', value: 2} ; count(tags) > 2",
                "{count: certificates, glob: 'c*', op: '>=', value: {count: tags}} ; count(certificates, \"c*\") >= count(tags)",
                "{hoursSince: opened, op: '>', value: 24} ; hoursSince(opened) > 24",
                "{field: payment.type, op: ==, value: card} ; payment.type == \"card\"",
                "{all: [{field: vip}, {any: [{field: vip}, {field: score, op: ==, value: 1}]}]} ; vip && ( vip || score == 1 )",
                "{any: [{all: [{field: vip}, {field: vip}]}, {not: {any: [{field: vip}, {field: vip}]}}]} ; vip && vip || !( vip || vip )",
                "{all: [{field: vip}]} ; vip",
            })
    void everyOperatorOfTheLanguageCanBeWrittenAsJson(String json, String canonical) {
        RowReader.Read read = when(json);
        assertThat(said(read.mistakes())).isEmpty();
        assertThat(text(read.rule())).isEqualTo("action == \"run\", " + canonical);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{field: amuont, op: '>', value: 1} | /field: error N001 | did you mean `amount`?",
                "{field: 'true'} | /field: error N001 | an active pack declares it",
                "{field: region, op: '>', value: a} | /op: error T001 | use `==` or `!=`",
                "{field: amount, op: '>', value: '100'} | /value: error T001 | remove the quotes",
                "{field: region, op: ==, value: 5} | /value: error T001 | put the value in quotes",
                "{field: region, op: in, value: [a, 5]} | /value/1: error T001 | put the value in quotes",
                "{field: region, op: in, value: []} | /value: error E001 | {\"list\": ...}",
                "{field: region, op: in, value: [{field: other}]} | /value/0/field: error E001 | use `memberOf` with {\"list\"",
                "{field: region, op: ==, value: [a]} | /value: error E001 | goes with `in`",
                "{field: region, op: ==, value: null} | /value: error E001 | `is null`",
                "{field: region, op: ==} | /value: error E001 | needs a value",
                "{field: region} | /op: error E001 | only a bool",
                "{field: region, value: eu} | /op: error E001 | the operators are",
                "{field: region, op: equals, value: eu} | /op: error E001 | the operators are",
                "{field: region, op: startswith, value: eu} | /op: error E001 | did you mean `startsWith`?",
                "{field: region, op: is null, value: 1} | /value: error E001 | remove it",
                "{field: action, op: is null} | /field: error T001 | remove the condition",
                "{field: tags, op: ==, value: a} | /field: error T001 | {\"count\": ...}",
                "{field: region, op: contains, value: a} | /field: error T001 | use `glob` with",
                "{field: region, op: matches, value: '[a-'} | /value: error R001 | RE2",
                "{field: region, op: cidr, value: 10.0.0.0/99} | /value: error T002 | 10.0.0.0/8",
                "{field: opened, op: <, value: soon} | /value: error T002 | 2026-01-31T00:00:00Z",
                "{field: score, op: <, value: 1e300} | /value: error T002 | at most 20",
                "{field: score, op: <, value: 9007199254740993} | /value: error T002 | 15 exact digits",
                "{field: region, op: ==, value: {param: flor}} | /value/param: error N002 | an active pack",
                "{field: region, op: memberOf, value: {list: bloked}} | /value/list: error N002 | `blocked`",
                "{field: region, op: ==, value: {list: blocked}} | /value/list: error E001 | memberOf",
                "{field: region, op: ==, value: {}} | /value: error E001 | one of field",
                "{field: region, count: tags, op: ==, value: 1} | : error E001 | only one of",
                "{field: region, glob: a, op: ==, value: b} | /glob: error E001 | operator `glob`",
                "{field: region, oop: ==, value: 1} | /oop: error J001 | did you mean `op`?",
                "{op: ==, value: 1} | : error E001 | one of field, count, hoursSince",
                "{} | : error E001 | one of",
                "5 | : error E001 | {\"field\"",
                "{all: []} | /all: error E001 | at least one",
                "{all: {field: vip}} | /all: error E001 | a list",
                "{all: [{field: vip}], any: [{field: vip}]} | : error E001 | under `all`",
                "{not: {not: {not: {not: {not: {field: vip}}}}}} | /not/not/not/not: error E002 | split",
                "{field: \"a/b~c\"} | /field: error N001 | an active pack",
                "{field: region, op: ==, value: \"a\\nb\"} | /value: error S002 | remove it",
                "{field: region, op: ==, value: \"a\\u202Eb\"} | /value: error S002 | U+202E",
                "{hoursSince: score, op: '>', value: 1} | /hoursSince: error T001 | needs a time",
            })
    void aMistakeNamesItsPlaceAndWhatToDo(String json, String place, String hint) {
        RowReader.Read read = when(json);
        assertThat(read.mistakes()).hasSize(1);
        assertThat(said(read.mistakes()))
                .startsWith("/rule_expr/when" + place.strip())
                .contains(hint)
                .doesNotContain("pack.yaml")
                .doesNotContain("count(...)")
                .doesNotContain("list(\"");
    }

    @Test
    void allMistakesOfARowComeAtOnce() {
        RowReader.Read read = read("""
                id: x
                name: ''
                scope: app
                action_pattern: run
                resource_pattern: tool
                rule_expr:
                  when: {all: [{field: nope}, {field: vip}, {not: {field: score, op: '==', value: a}}]}
                  then: {template: x}
                """);
        assertThat(read.mistakes())
                .extracting(JsonMistake::pointer)
                .containsExactly(
                        "/id",
                        "/name",
                        "/scope_ref",
                        "/resource_pattern",
                        "/rule_expr/when/all/0/field",
                        "/rule_expr/when/all/2/not/value",
                        "/rule_expr/then");
        assertThat(read.fits()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{scope: global, action_pattern: '*'} | ",
                "{operator: true, scope: tool, scope_ref: t-1} | ",
                "{operator: true, scope: user, scope_ref: u} | /scope",
                "{operator: true, scope: tenant} | /scope",
                "{scope: tenant, scope_ref: x} | /scope_ref",
                "{scope: workflow} | /scope_ref",
                "{scope: agent, scope_ref: '*'} | /scope_ref",
                "{scope: user, scope_ref: 'u*'} | /scope_ref",
                "{scope: user, scope_ref: '*'} | ",
                "{scope: user, scope_ref: '*', owner: u} | /owner",
                "{scope: user, scope_ref: u, owner: u} | ",
                "{scope: user, scope_ref: u, owner: v} | /owner",
                "{scope: agent, scope_ref: a, owner: v} | ",
                "{resource_pattern: '*'} | ",
                "{resource_pattern: 'tool/a/b*'} | ",
                "{resource_pattern: '/a'} | /resource_pattern",
                "{resource_pattern: 'a/'} | /resource_pattern",
                "{effect: modify} | /rule_expr/then",
                "{effect: modify, rule_expr: {then: {}}} | /rule_expr/then",
                "{effect: modify, rule_expr: {then: {mode: dry}}} | /rule_expr/then/mode",
                "{effect: modify, rule_expr: {then: {mode: draft, extra: 1}}} | /rule_expr/then/extra",
                "{effect: modify, rule_expr: {then: {limits: []}}} | /rule_expr/then/limits",
                "{effect: modify, rule_expr: {then: {limits: [{name: n, max: 1}]}}} | /rule_expr/then/limits/0/per",
                "{effect: modify, rule_expr: {then: {limits: [{name: n, max: 1, per: week}]}}} | /rule_expr/then/limits/0/per",
                "{effect: modify, rule_expr: {then: {limits: [{name: n, max: -1, per: day}]}}} | /rule_expr/then/limits/0/max",
                "{effect: modify, rule_expr: {then: {limits: [{name: 1, max: 1, per: day}]}}} | /rule_expr/then/limits/0/name",
                "{effect: modify, rule_expr: {then: {limits: [5]}}} | /rule_expr/then/limits/0",
                "{effect: require_approval} | ",
                "{effect: require_approval, rule_expr: {then: {template: defualt}}} | /rule_expr/then/template",
                "{effect: require_approval, rule_expr: {then: {mode: draft}}} | /rule_expr/then/mode",
                "{effect: allow, rule_expr: {then: {mode: draft}}} | /rule_expr/then",
                "{effect: allow, rule_expr: {then: {}}} | ",
                "{effect: allow, rule_expr: {wen: {}}} | /rule_expr/wen",
                "{effect: allow, rule_expr: [1]} | /rule_expr",
                "{effect: allow, rule_expr: null} | ",
            })
    void everyColumnIsHeldToItsMeaning(String row, String pointer) {
        RowReader.Read read = read(row);
        assertThat(read.mistakes())
                .extracting(JsonMistake::pointer)
                .isEqualTo(pointer == null ? List.of() : List.of(pointer));
    }

    @Test
    void aRowBecomesARuleWithItsCodeRiskAndName() {
        Rule rule = read("{effect: require_approval, name: Payouts, reason: PAYOUT, risk: high}")
                .rule();
        assertThat(rule.id()).startsWith("policies/").endsWith(rule.name());
        assertThat(rule.meta())
                .containsOnly(java.util.Map.entry("name", "Payouts"), java.util.Map.entry("risk", "high"));
        assertThat(rule.effects())
                .extracting(Canonical::effect)
                .containsExactly("decision.requireApproval(\"PAYOUT\", \"default\");");
    }

    @Test
    void aReasonForPeopleIsKeptAndTheCodeSaysTheEffect() {
        Rule rule = read("{reason: 'We do not do this.'}").rule();
        assertThat(rule.reason()).isEqualTo("We do not do this.");
        assertThat(rule.effects()).extracting(Canonical::effect).containsExactly("decision.deny(\"policy_deny\");");
    }

    @Test
    void aModificationIsModeAndLimitsAndNothingElse() {
        Rule rule =
                read("{effect: modify, rule_expr: {then: {mode: draft, limits: [{name: calls, max: 5, per: day}]}}}")
                        .rule();
        assertThat(rule.effects())
                .extracting(Canonical::effect)
                .containsExactly("decision.transform(\"mode\", \"draft\");", "decision.limit(\"calls\", 5, \"day\");");
        assertThat(rule.restricting()).isTrue();
    }

    @Test
    void fiftyTestsFitAndOneMoreIsRefusedOnce() {
        String test = "{field: vip}, ";
        assertThat(when("{all: [" + test.repeat(49) + "{field: vip}]}").fits()).isTrue();
        assertThat(when("{all: [" + test.repeat(60) + "{field: vip}]}").mistakes())
                .extracting(mistake -> mistake.pointer() + " " + mistake.code())
                .containsExactly("/rule_expr/when/all/50 G033");
    }

    @Test
    void patternsThatAreEachSmallEnoughAreRefusedWhereTogetherTheyAreNot() {
        String test = "{field: region, op: matches, value: 'a{900}'}";
        assertThat(when("{any: [" + test + ", " + test + "]}").fits()).isTrue();
        assertThat(said(when("{any: [" + test + ", " + test + ", " + test + "]}")
                        .mistakes()))
                .startsWith("/rule_expr/when: error R001");
    }

    @Test
    void aConditionOfNothingButMistakesShowsSomeOfThem() {
        assertThat(when("{any: [" + "{all: []}, ".repeat(1_000) + "5]}").mistakes())
                .hasSize(200);
        assertThat(when("[" + "5, ".repeat(1_000) + "5]").mistakes()).hasSize(1);
    }

    @Test
    void deepOrLargeJsonIsRefusedWithoutBeingWalkedByCalls() {
        ObjectNode deep = JsonNodeFactory.instance.objectNode().put("field", "vip");
        for (int i = 0; i < 200_000; i++) {
            deep = JsonNodeFactory.instance.objectNode().set("not", deep);
        }
        PolicyRow row = Rows.row("{}");
        assertThat(said(new RowReader(Rows.VOCABULARY)
                        .read(with(row, JsonNodeFactory.instance.objectNode().set("when", deep)))
                        .mistakes()))
                .contains("/rule_expr: error E002");
        ObjectNode large = JsonNodeFactory.instance.objectNode();
        large.putObject("when").put("field", "x".repeat(RowReader.MAX_BYTES));
        assertThat(said(new RowReader(Rows.VOCABULARY).read(with(row, large)).mistakes()))
                .contains("/rule_expr: error S001");
    }

    private static PolicyRow with(PolicyRow row, ObjectNode expr) {
        return new PolicyRow(
                row.id(),
                row.tenant(),
                row.owner(),
                row.name(),
                row.description(),
                row.scope(),
                row.scopeRef(),
                row.effect(),
                row.actionPattern(),
                row.resourcePattern(),
                expr,
                row.risk(),
                row.reason(),
                row.enabled(),
                row.version());
    }
}
