package dev.countersign.rules.boundary;

import static dev.countersign.rules.boundary.Judges.ALLOW;
import static dev.countersign.rules.boundary.Judges.diff;
import static dev.countersign.rules.boundary.Judges.rule;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.boundary.DiffResult.Widening;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class BoundaryDiffTest {
    private static String deny(String condition) {
        return ALLOW + rule("no", condition, "decision.deny(\"NO\");");
    }

    private static String ask(String condition) {
        return ALLOW + rule("ask", condition, "decision.requireApproval(\"ASK\", \"default\");");
    }

    private static Change only(DiffResult result) {
        assertThat(result.changes()).hasSize(1);
        return result.changes().get(0);
    }

    private static Outcome[] outcomes(Change change) {
        return new Outcome[] {change.before().outcome(), change.after().outcome()};
    }

    @Test
    void whatIsTheSameDoesNotDiffer() {
        DiffResult same = diff(deny("amount > 10000"), "// said otherwise\n" + deny("amount>10000"));

        assertThat(same.changes()).isEmpty();
        assertThat(same.widening()).isEqualTo(Widening.NO);
        assertThat(same.exact()).isTrue();
        assertThat(same.tried()).isZero();
    }

    @Test
    void aBoundThatMovesByNothingIsFoundAtTheBound() {
        DiffResult result = diff(ask("amount > 10000"), ask("amount >= 10000"));

        Change change = only(result);
        assertThat(outcomes(change)).containsExactly(Outcome.ALLOW, Outcome.REQUIRE_APPROVAL);
        assertThat(change.widens()).isFalse();
        assertThat(change.example().at("/resource/properties/amount").doubleValue())
                .isEqualTo(10_000);
        assertThat(change.after().reasons()).containsExactly("ASK");
        assertThat(change.after().settledBy()).isNotNull();
        assertThat(change.requests()).isEqualTo(1);
        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
        assertThat(result.widening()).isEqualTo(Widening.NO);
    }

    @Test
    void theOtherWayRoundItWidens() {
        DiffResult result = diff(ask("amount >= 10000"), ask("amount > 10000"));

        assertThat(result.widening()).isEqualTo(Widening.YES);
        assertThat(only(result).widens()).isTrue();
    }

    @Test
    void anotherSubjectIsOneClassThatWidensAndOneThatNarrows() {
        DiffResult result = diff(deny("subjectType == \"agent\""), deny("subjectType == \"bot\""));

        assertThat(result.changes()).hasSize(2);
        Change wider = result.changes().get(0);
        Change narrower = result.changes().get(1);
        assertThat(wider.widens()).isTrue();
        assertThat(wider.example().at("/subject/type").asText()).isEqualTo("agent");
        assertThat(outcomes(wider)).containsExactly(Outcome.DENY, Outcome.ALLOW);
        assertThat(narrower.widens()).isFalse();
        assertThat(narrower.example().at("/subject/type").asText()).isEqualTo("bot");
        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
    }

    @Test
    void aDenyThatIsRemovedWidens() {
        DiffResult result = diff(deny("region == \"us\""), ALLOW);

        assertThat(result.widening()).isEqualTo(Widening.YES);
        assertThat(result.changes()).allMatch(Change::widens);
        assertThat(result.changes())
                .anySatisfy(change -> assertThat(
                                change.example().at("/context/region").asText())
                        .isEqualTo("us"));
        assertThat(result.changes())
                .as("a request without the attribute was denied, too")
                .anySatisfy(change -> assertThat(change.before().missing()).isEqualTo("region"));
    }

    @Test
    void aDenyThatIsAddedNeverWidensHoweverItIsWritten() {
        DiffResult result = diff(ALLOW, deny("region matches \"(a|b)[c-e]{2,}.*\", region str[endsWith] \"z\""));

        assertThat(result.widening()).isEqualTo(Widening.NO);
        assertThat(result.changes()).isNotEmpty().noneMatch(Change::widens);
    }

    @Test
    void anApprovalThatIsAddedWidensWhereNothingAllows() {
        String some = rule("some", "action == \"read\"", "decision.allow(\"OK\");");
        DiffResult result =
                diff(some, some + rule("ask", "action != \"drop\"", "decision.requireApproval(\"A\", \"default\");"));

        assertThat(result.changes())
                .anySatisfy(change -> {
                    assertThat(outcomes(change)).containsExactly(Outcome.DENY, Outcome.REQUIRE_APPROVAL);
                    assertThat(change.widens()).isTrue();
                })
                .anySatisfy(change -> {
                    assertThat(outcomes(change)).containsExactly(Outcome.ALLOW, Outcome.REQUIRE_APPROVAL);
                    assertThat(change.widens()).isFalse();
                });
    }

    @Test
    void whatAnotherRuleDeniesAnywayIsNoWidening() {
        String before = deny("region == \"us\"") + rule("all us", "region == \"us\"", "decision.deny(\"US\");");

        DiffResult result = diff(before, ALLOW + rule("all us", "region == \"us\"", "decision.deny(\"US\");"));

        assertThat(result.widening()).isEqualTo(Widening.NO);
        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
        assertThat(result.changes()).isNotEmpty().allMatch(change -> change.kind() == Change.Kind.REASON);
    }

    @Test
    void aLimitThatIsRaisedWidensAndOneThatIsLoweredDoesNot() {
        String five = ALLOW + rule("limit", "amount > 5", "decision.limit(\"calls\", 5, \"day\");");
        String nine = five.replace("\"calls\", 5", "\"calls\", 9");

        Change raised = only(diff(five, nine));
        Change lowered = only(diff(nine, five));

        assertThat(raised.kind()).isEqualTo(Change.Kind.OBLIGATIONS);
        assertThat(raised.widens()).isTrue();
        assertThat(lowered.kind()).isEqualTo(Change.Kind.OBLIGATIONS);
        assertThat(lowered.widens()).isFalse();
    }

    @Test
    void obligationsAndModesThatGoWiden() {
        String bound = ALLOW
                + rule("log", "subjectType == \"agent\"", "decision.oblige(\"log\", \"level\", \"full\");")
                + rule("draft", "subjectType == \"agent\"", "decision.transform(\"mode\", \"draft\");");

        assertThat(diff(bound, ALLOW).widening()).isEqualTo(Widening.YES);
        assertThat(diff(bound, bound.replace("\"draft\")", "\"auto\")")).widening())
                .isEqualTo(Widening.YES);
        assertThat(diff(ALLOW, bound).widening()).isEqualTo(Widening.NO);
    }

    @Test
    void aParameterOfTheTenantIsALiteralOfTheRule() {
        String rules = ask("amount > param(\"ceiling\")");

        DiffResult raised =
                new BoundaryDiff(Judges.FRAME).compare(Judges.of(rules), Judges.of(rules, Map.of("ceiling", 500.0)));
        DiffResult lowered =
                new BoundaryDiff(Judges.FRAME).compare(Judges.of(rules), Judges.of(rules, Map.of("ceiling", 50.0)));

        assertThat(raised.exact()).isTrue();
        assertThat(only(raised).widens()).isTrue();
        assertThat(only(raised).example().at("/resource/properties/amount").doubleValue())
                .isGreaterThan(100)
                .isLessThanOrEqualTo(500);
        assertThat(only(lowered).widens()).isFalse();
    }

    @Test
    void anEntryThatLeavesADenylistIsFound() {
        String rules = deny("action memberOf list(\"blocked\")");

        DiffResult result = new BoundaryDiff(Judges.FRAME)
                .compare(
                        Judges.of(rules, Map.of("blocked", List.of("rm", "format"))),
                        Judges.of(rules, Map.of("blocked", List.of("rm"))));

        assertThat(only(result).widens()).isTrue();
        assertThat(only(result).example().at("/action/name").asText()).isEqualTo("format");
        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
    }

    @Test
    void anEntryThatJoinsALongDenylistDoesNotWiden() {
        List<String> many = java.util.stream.IntStream.range(0, 1_000)
                .mapToObj(i -> "tool-" + i)
                .toList();
        List<String> more = new java.util.ArrayList<>(many);
        more.add("one-more");
        String rules = deny("action memberOf list(\"blocked\")");

        DiffResult result = new BoundaryDiff(Judges.FRAME)
                .compare(Judges.of(rules, Map.of("blocked", many)), Judges.of(rules, Map.of("blocked", more)));

        assertThat(only(result).example().at("/action/name").asText()).isEqualTo("one-more");
        assertThat(result.widening()).isEqualTo(Widening.NO);
    }

    @Test
    void anotherDefaultOutcomeIsAChangeOfEveryRequestThatNoRuleDecides() {
        String rules = rule("read", "action == \"read\"", "decision.allow(\"OK\");");
        Judge before = Judges.of(rules);
        Function<dev.countersign.rules.engine.Evaluation, Verdict> open = evaluation -> {
            Verdict verdict = before.combine().apply(evaluation);
            return verdict.reasons().contains(Verdict.NO_RULE)
                    ? new Verdict(
                            Outcome.REQUIRE_APPROVAL,
                            List.of("DEFAULT"),
                            null,
                            null,
                            verdict.matched(),
                            verdict.unknown(),
                            List.of(),
                            List.of())
                    : verdict;
        };
        Judge after = new Judge(before.rules(), before.values(), before.templates(), open);

        Change change = only(new BoundaryDiff(Judges.FRAME).compare(before, after));

        assertThat(outcomes(change)).containsExactly(Outcome.DENY, Outcome.REQUIRE_APPROVAL);
        assertThat(change.widens()).isTrue();
        assertThat(change.example().at("/action/name").asText()).isNotEqualTo("read");
    }

    @Test
    void aTemplateThatAsksFewerPeopleWidens() {
        Judge two = Judges.of(ask("amount > 5"));
        var weaker = new java.util.HashMap<>(two.templates());
        weaker.computeIfPresent(
                "test/default",
                (name, template) -> new dev.countersign.rules.pack.ApprovalTemplate(
                        template.name(),
                        List.of(new dev.countersign.rules.pack.ApprovalTemplate.Stage("s", 1, List.of())),
                        template.decideWithin(),
                        template.useWithin()));
        Judge one = new Judge(two.rules(), two.values(), weaker, two.combine());

        assertThat(only(new BoundaryDiff(Judges.FRAME).compare(two, one))).satisfies(change -> {
            assertThat(change.kind()).isEqualTo(Change.Kind.APPROVALS);
            assertThat(change.widens()).isTrue();
        });
        assertThat(only(new BoundaryDiff(Judges.FRAME).compare(one, two)).widens())
                .isFalse();
    }

    @Test
    void rulesBesideTheBaseJoinIt() {
        Judge base = Judges.of(ALLOW);
        var conditions =
                new dev.countersign.rules.engine.Conditions(base.values().layout());
        var row = dev.countersign.rules.Packs.pack(rule("row", "amount > 7", "decision.deny(\"ROW\");"))
                .rules()
                .get(0);
        Judge more = base.plus(List.of(new dev.countersign.rules.engine.CompiledRule(row, 1, conditions::of)));

        assertThat(new BoundaryDiff(Judges.FRAME).compare(more, base).widening())
                .isEqualTo(Widening.YES);
        assertThat(new BoundaryDiff(Judges.FRAME).compare(base, more).widening())
                .isEqualTo(Widening.NO);
    }

    @Test
    void theCapIsKeptAndSaid() {
        String wide = rule(
                "wide",
                "region in (\"a\",\"b\") || other in (\"a\",\"b\") || zone in (\"a\",\"b\") || app in (\"a\",\"b\")"
                        + " || workflow in (\"a\",\"b\") || currency in (\"a\",\"b\") || jurisdiction in (\"a\",\"b\")",
                "decision.deny(\"NO\");");

        DiffResult result = new BoundaryDiff(Judges.FRAME, 50)
                .compare(Judges.of(ALLOW + wide), Judges.of(ALLOW + wide.replace("zone in", "zone not in")));

        assertThat(result.tried()).isLessThanOrEqualTo(60);
        assertThat(result.exact()).isFalse();
        assertThat(result.whyNotExact()).contains("more boundary requests");
        assertThat(result.widening()).isNotEqualTo(Widening.NO);
    }

    @Test
    void aDenyThatGrowsOrAnAllowThatShrinksDoesNotWidenAmongRulesThatAreTooManyToTry() {
        String others = deny(
                "region in (\"a\",\"b\") || other in (\"a\",\"b\") || zone in (\"a\",\"b\") || app in (\"a\",\"b\")"
                        + " || workflow in (\"a\",\"b\") || currency in (\"a\",\"b\")");
        String grows = rule("grows", "glob(action, \"pay.*\"), amount > 100", "decision.deny(\"MUCH\");");
        String shrinks = rule("shrinks", "glob(action, \"read*\"), amount < 100", "decision.allow(\"FEW\");");
        String before = others + grows + shrinks;
        String tighter = others + grows.replace("100", "10") + shrinks.replace("100", "10");

        DiffResult result = new BoundaryDiff(Judges.FRAME, 50).compare(Judges.of(before), Judges.of(tighter));
        assertThat(result.widening()).as(result.toString()).isEqualTo(Widening.NO);
        DiffResult back = new BoundaryDiff(Judges.FRAME, 50).compare(Judges.of(tighter), Judges.of(before));
        assertThat(back.widening()).isNotEqualTo(Widening.NO);
    }

    @Test
    void oneChangeAmongManyRulesLooksOnlyAtWhatCanHoldBesideIt() {
        var rules = new StringBuilder(ALLOW);
        for (int i = 0; i < 2_000; i++) {
            rules.append(rule(
                    "deny " + i,
                    "action == \"tool-" + i + "\", amount > " + i + ", zone != \"z" + i % 7 + "\"",
                    "decision.deny(\"D" + i + "\");"));
        }
        DiffResult result = diff(rules.toString().replace("amount > 1400,", "amount > 1500,"), rules.toString());

        assertThat(result.exact()).as(result.whyNotExact()).isTrue();
        assertThat(result.widening()).isEqualTo(Widening.NO);
        assertThat(result.tried()).isLessThan(100);
        assertThat(result.changes().get(0).example().at("/action/name").asText())
                .isEqualTo("tool-1400");
    }

    private static String many(int rules, String condition) {
        var out = new StringBuilder(ALLOW);
        for (int i = 0; i < rules; i++) {
            out.append(rule("r" + i, "action == \"a-" + i + "\", " + condition, "decision.deny(\"NO\");"));
        }
        return out.toString();
    }

    @Test
    void whereTooManyRulesDifferToLookAtAllItCouldWiden() {
        String before = many(600, "amount > 10").replace("action == \"a-", "region == \"a-");
        DiffResult result = diff(before, before.replace("decision.deny(\"NO\")", "decision.deny(\"NEVER\")"));

        assertThat(result.changes()).isNotEmpty().noneMatch(Change::widens);
        assertThat(result.exact()).isFalse();
        assertThat(result.whyNotExact()).contains("only some of them were looked at");
        assertThat(result.widening()).isEqualTo(Widening.COULD);
    }

    @Test
    void ofManyRulesThoseThatCanWidenAreLookedAtFirst() {
        String denials = many(1_500, "amount > 10");
        String allow = rule("last", "action == \"b\", subjectType == \"bot\"", "decision.allow(\"BOTS\");");
        DiffResult result = diff(rule("first", "action == \"c\"", "decision.allow(\"C\");"), denials + allow);

        assertThat(result.widening()).isEqualTo(Widening.YES);
        assertThat(result.changes().get(0).widens()).isTrue();
    }

    @Test
    void rulesOfAnotherTenantChangeNothingHere() {
        String other = rule("theirs", "tenant == \"other\", amount > 10", "decision.deny(\"NO\");");
        DiffResult result = diff(ALLOW + other, ALLOW);

        assertThat(result.changes()).isEmpty();
        assertThat(result.exact()).isTrue();
        assertThat(result.widening()).isEqualTo(Widening.NO);
        assertThat(diff(ALLOW + other.replace("other", "demo"), ALLOW).widening())
                .isEqualTo(Widening.YES);
    }
}
