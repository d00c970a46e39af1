package dev.countersign.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EngineTest {
    private static final String ALLOW = "rule \"allow\" when Request() then decision.allow(\"ok\"); end\n";
    private static final long SEED = Long.getLong("countersign.seed", 20261121);

    private static final List<String> RULES = List.of(
            named("a", "action == \"run\"", "decision.allow(\"A\");"),
            named("b", "action == \"run\", region == \"eu\"", "decision.deny(\"B\");"),
            named("c", "tenant == \"demo\", score > 10", "decision.requireApproval(\"C\", \"default\");"),
            named("d", "resourceId == \"t-1\"", "decision.allow(\"D\"); decision.limit(\"calls\", 5, \"day\");"),
            named("e", "resourceId == \"t-2\"", "decision.deny(\"E\");"),
            named("f", "resourceId == \"t-3\" || vip", "decision.oblige(\"log\");"),
            named("g", "subjectId == \"a-1\", !( region == \"eu\" )", "decision.transform(\"mode\", \"draft\");"),
            named("h", "resourceId == \"t-1\", tags contains \"x\"", "decision.deny(\"H\");"));

    private static final List<String> REQUESTS = List.of(
            "",
            "{context: {region: eu}}",
            "{context: {region: us, score: 5, vip: false, tags: [y]}}",
            "{context: {region: us, score: 50, vip: true, tags: []}}",
            "{context: {region: us, score: 5, vip: true, tags: [x]}}",
            "{resource: {type: tool, id: t-2}, context: {region: 5, score: 50}}",
            "{resource: {type: tool, id: t-3}, action: {name: stop}}");

    private static String named(String name, String condition, String consequence) {
        return Packs.rule(condition, consequence).replace("\"r\"", "\"" + name + "\"");
    }

    private static Set<String> said(RuleBase base, Evaluator evaluator, String request) {
        Evaluation found = evaluator.evaluate(Packs.request(base, request));
        var out = new TreeSet<String>();
        found.matched().forEach(rule -> out.add(rule.rule().id() + " matched"));
        found.unknown().forEach(rule -> out.add(rule.rule().id() + " unknown"));
        assertThat(found.overflow()).isZero();
        return out;
    }

    private static Verdict verdict(String rules, String request) {
        RuleBase base = Packs.base(rules);
        try (Evaluator evaluator = base.evaluator()) {
            return DenyOverrides.combine(evaluator.evaluate(Packs.request(base, request)));
        }
    }

    @Test
    void findingsDoNotDependOnTheOrderOfRules() {
        var random = new Random(SEED);
        RuleBase first = Packs.base(String.join("", RULES));
        try (Evaluator evaluator = first.evaluator()) {
            for (int round = 0; round < 20; round++) {
                var shuffled = new ArrayList<>(RULES);
                Collections.shuffle(shuffled, random);
                RuleBase other = Packs.base(String.join("", shuffled));
                try (Evaluator second = other.evaluator()) {
                    for (String request : REQUESTS) {
                        assertThat(said(other, second, request))
                                .as("seed " + SEED + ", " + request)
                                .isEqualTo(said(first, evaluator, request));
                    }
                }
            }
        }
    }

    @Test
    void addingADenyNeverAllows() {
        var denies = RULES.stream()
                .map(rule -> rule.replaceFirst("then .* end", "then decision.deny(\"Z\"); end")
                        .replaceFirst("rule \"", "rule \"deny "))
                .toList();
        for (String deny : denies) {
            for (String request : REQUESTS) {
                Outcome before =
                        verdict(ALLOW + String.join("", RULES), request).outcome();
                Outcome after =
                        verdict(ALLOW + String.join("", RULES) + deny, request).outcome();
                assertThat(after.ordinal()).as(deny + request).isGreaterThanOrEqualTo(before.ordinal());
            }
        }
    }

    /** A context whose members cannot be read, as a fault in our own code would make it. */
    private static final class Faulty extends ObjectNode {
        private static final long serialVersionUID = 1L;

        Faulty() {
            super(JsonNodeFactory.instance);
        }

        @Override
        public JsonNode get(String name) {
            throw new IllegalStateException("a fault");
        }
    }

    @Test
    void anEvaluatorRecoversFromAFaultAndLeavesNothingBehind() throws Exception {
        RuleBase base = Packs.base(String.join("", RULES));
        try (Evaluator evaluator = base.evaluator();
                Evaluator fresh = base.evaluator()) {
            Call good = Packs.request(base, "").call();
            Call bad = Call.of(good.subject(), good.action(), good.resource(), new Faulty());
            for (String request : REQUESTS) {
                var broken = new Request("demo", bad, Packs.NOW, base.values(Map.of(), Map.of()));
                assertThatThrownBy(() -> evaluator.evaluate(broken)).hasRootCauseMessage("a fault");
                assertThat(said(base, evaluator, request)).isEqualTo(said(base, fresh, request));
            }
        }
    }

    private static Pack pack(String name, String source) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                "name: " + name + "\nattributes:\n  place: {type: text, from: " + source
                                        + "}\nparams:\n  home: {type: text, default: " + name
                                        + "}\nlists:\n  all: {default: [" + name + "]}\n",
                                "r.drl",
                                "package " + name + "\n" + named("p", "place == \"x\"", "decision.deny(\"X\");")
                                        + named("q", "subjectId == param(\"home\")", "decision.deny(\"X\");")
                                        + named("l", "subjectId memberOf list(\"all\")", "decision.deny(\"X\");")));
        assertThat(diagnostics.hasErrors()).isFalse();
        return pack;
    }

    @Test
    void rulesOfTwoPacksWithOneTextAndTwoMeaningsStayApart() {
        RuleBase base = RuleBase.of(List.of(pack("one", "context.one"), pack("two", "context.two")));
        try (Evaluator evaluator = base.evaluator()) {
            assertThat(said(base, evaluator, "{subject: {type: agent, id: two}, context: {one: x, two: y}}"))
                    .containsExactly("one/p matched", "two/l matched", "two/q matched");
            assertThat(said(base, evaluator, "{subject: {type: agent, id: one}, context: {one: y}}"))
                    .containsExactly("one/l matched", "one/q matched", "two/p unknown");
        }
    }

    @Test
    void twoPacksWithOneNameMakeNoBase() {
        assertThatThrownBy(() -> RuleBase.of(List.of(pack("one", "context.one"), pack("one", "context.two"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`one`");
    }

    @Test
    void aRequestThatWasMadeForAnotherBaseIsNotJudged() {
        RuleBase one = RuleBase.of(List.of(pack("one", "context.one")));
        RuleBase two = RuleBase.of(List.of(pack("one", "context.one")));
        try (Evaluator evaluator = two.evaluator()) {
            assertThatThrownBy(() -> evaluator.evaluate(Packs.request(one, "")))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void evaluatorsInParallelThreadsAgree() throws Exception {
        RuleBase base = Packs.base(String.join("", RULES));
        Callable<List<Set<String>>> run = () -> {
            var out = new ArrayList<Set<String>>();
            try (Evaluator evaluator = base.evaluator()) {
                for (int round = 0; round < 200; round++) {
                    REQUESTS.forEach(request -> out.add(said(base, evaluator, request)));
                }
            }
            return out;
        };
        var threads = Executors.newFixedThreadPool(4);
        try {
            var results = threads.invokeAll(Collections.nCopies(4, run));
            List<Set<String>> expected = run.call();
            for (var result : results) {
                assertThat(result.get()).isEqualTo(expected);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    static Stream<BuiltIn> optionalFields() {
        return Stream.of(BuiltIn.values())
                .filter(field -> !field.attribute().required() && field != BuiltIn.MODE && field != BuiltIn.TOOL);
    }

    /** Four rules on one field are enough for Drools to hash it, if it may. */
    @ParameterizedTest
    @MethodSource("optionalFields")
    void aDenyOnAnOptionalFieldIsReachedWhereTheFieldIsAbsent(BuiltIn field) {
        String name = field.attribute().name();
        String test = switch (field.attribute().type()) {
            case TEXT -> " == \"v#\"";
            case NUMBER -> " == #";
            case BOOL -> " == true";
            case TIME -> " == \"2026-01-0#T00:00:00Z\"";
            case LIST -> " contains \"v#\"";
        };
        String rules = Stream.of("1", "2", "3", "4")
                .map(i -> named("r" + i, name + test.replace("#", i), "decision.deny(\"X\");"))
                .collect(Collectors.joining());
        RuleBase base = Packs.base(ALLOW + rules);
        try (Evaluator evaluator = base.evaluator()) {
            Evaluation found = evaluator.evaluate(Packs.request(base, "{subject: {type: service, id: s}}"));
            assertThat(found.unknown()).hasSize(4);
            Verdict verdict = DenyOverrides.combine(found);
            assertThat(verdict.reasons()).containsExactly(Verdict.MISSING_ATTRIBUTE);
            assertThat(verdict.missing()).isEqualTo(name);
        }
    }

    @Test
    void aDenyOnAToolIsReachedWhereTheResourceIsNone() {
        Verdict verdict =
                verdict(ALLOW + named("r", "tool == \"t\"", "decision.deny(\"X\");"), "{resource: {type: doc, id: t}}");
        assertThat(verdict.missing()).isEqualTo("tool");
    }

    @ParameterizedTest
    @CsvSource({
        "decision.allow(\"X\");, cidr, DENY, no_rule_allows",
        "decision.deny(\"X\");, cidr, DENY, missing_attribute",
        "decision.allow(\"X\");, !( cidr, DENY, no_rule_allows",
        "decision.deny(\"X\");, !( cidr, DENY, missing_attribute",
    })
    void aRequiredTextThatIsNoAddressIsUnknownToCidrAndNotInside(
            String consequence, String test, Outcome outcome, String reason) {
        String condition = test + "(resourceId, \"10.0.0.0/8\")" + (test.startsWith("!") ? " )" : "");
        String allow = consequence.contains("deny") ? ALLOW : "";
        Verdict verdict =
                verdict(allow + named("r", condition, consequence), "{resource: {type: host, id: evil.example.com}}");
        assertThat(verdict.outcome()).isEqualTo(outcome);
        assertThat(verdict.reasons()).containsExactly(reason);
        if (!allow.isEmpty()) {
            assertThat(verdict.missing()).isEqualTo("resourceId");
        }
    }

    @ParameterizedTest
    @CsvSource({"+999999999-12-31T23:59:59Z, 0", "-999999999-01-01T00:00:00Z, 2", "2026-03-01T09:00:00Z, 2"})
    void noTimeIsSoFarAwayThatItBreaksTheEngine(String opened, int expected) {
        RuleBase base = Packs.base(named("r", "hoursSince(opened) >= 24", "decision.deny(\"X\");"));
        var request = Packs.request(base, "{context: {opened: '" + opened + "'}}");
        assertThat(base.rules().get(0).test(request)).isIn(expected, Condition.UNKNOWN);
        try (Evaluator evaluator = base.evaluator()) {
            assertThat(evaluator.evaluate(request).overflow()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" || ", " && "})
    void theLongestConditionIsJudgedOnASmallStack(String operator) throws Exception {
        String condition = String.join(operator, Collections.nCopies(50, "vip"));
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        var results = new ArrayList<Integer>();
        var thread = new Thread(
                null,
                () -> results.add(base.rules().get(0).test(Packs.request(base, "{context: {vip: true}}"))),
                "small",
                256 * 1024);
        thread.start();
        thread.join();
        assertThat(results).containsExactly(Condition.TRUE);
    }
}
