package dev.countersign.rules.boundary;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a comparison promises, held against random rules and requests that it did not make itself. */
class BoundaryPropertyTest {
    private static final int PAIRS = 150;
    private static final int REQUESTS = 400;
    private static final List<String> TESTS = List.of(
            "subjectType == \"agent\"",
            "subjectType != \"bot\"",
            "action in (\"read\", \"write\")",
            "action == \"write\"",
            "action memberOf list(\"blocked\")",
            "tool == \"write\"",
            "resourceId == action",
            "resourceType == \"tool\"",
            "amount > 10",
            "amount >= 10",
            "amount < 20",
            "amount not in (10, 15)",
            "amount == null",
            "amount > param(\"ceiling\")",
            "region == \"eu\"",
            "region != null",
            "region not in (\"eu\", \"us\")",
            "region matches \"e.*\"",
            "roles contains \"dev\"",
            "roles not contains \"ops\"",
            "count(tags) > 1",
            "count(tags) <= 2",
            "vip",
            "reversible == false",
            "region == other",
            "score <= 0.5",
            "mode != \"draft\"",
            "user == \"x\"",
            "agent in (\"x\", \"y\")",
            "hoursSince(opened) > 24");
    private static final List<String> EFFECTS = List.of(
            "decision.allow(\"OK\");",
            "decision.allow(\"FINE\");",
            "decision.deny(\"NO\");",
            "decision.requireApproval(\"ASK\", \"default\");",
            "decision.limit(\"calls\", 5, \"day\");",
            "decision.limit(\"calls\", 9, \"day\");",
            "decision.oblige(\"log\", \"level\", 1);",
            "decision.allow(\"OK\"); decision.oblige(\"log\", \"level\", 1);");

    private final Random random;

    BoundaryPropertyTest() {
        this.random = new Random(4711);
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private String condition() {
        return switch (random.nextInt(5)) {
            case 0 -> one(TESTS) + " || " + one(TESTS);
            case 1 -> "!( " + one(TESTS) + " )";
            default -> one(TESTS);
        };
    }

    private String rule(int number) {
        String conditions = condition() + (random.nextBoolean() ? ", " + condition() : "");
        return Judges.rule("r" + number, conditions, one(EFFECTS));
    }

    private List<String> rules() {
        var out = new ArrayList<String>();
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            out.add(rule(i));
        }
        return out;
    }

    private Call call() throws BadCall {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        List<String> verbs = List.of("read", "write", "rm", "drop.x", "else");
        body.putObject("subject")
                .put("type", one(List.of("agent", "bot", "user")))
                .put("id", one(List.of("x", "y", "z")));
        body.putObject("action").put("name", one(verbs));
        body.putObject("resource").put("type", one(List.of("tool", "file"))).put("id", one(verbs));
        ObjectNode context = body.putObject("context");
        boolean tool = body.at("/resource/type").asText().equals("tool");
        ObjectNode action = ((ObjectNode) body.get("action")).putObject("properties");
        ObjectNode arguments = tool ? ((ObjectNode) body.get("resource")).putObject("properties") : action;
        maybe(arguments, "amount", "9", "10", "10.5", "15", "19", "20", "100", "101", "\"x\"", "null");
        maybe(context, "region", "\"eu\"", "\"us\"", "\"e\"", "\"z\"", "7");
        maybe(context, "other", "\"eu\"", "\"z\"", "true");
        maybe(context, "tags", "[]", "[\"a\"]", "[\"a\",\"b\"]", "[1,2,3]", "\"a\"");
        maybe(context, "vip", "true", "false", "1");
        maybe(context, "score", "0.5", "0.6", "0", "[]");
        maybe(context, "mode", "\"draft\"", "\"auto\"", "3");
        maybe(context, "opened", "\"2026-03-01T08:00:00Z\"", "\"2026-03-02T08:00:00Z\"", "\"never\"");
        maybe(action, "reversible", "true", "false", "\"no\"");
        maybe(
                ((ObjectNode) body.get("subject")).putObject("properties"),
                "roles",
                "[\"dev\"]",
                "[\"ops\",1]",
                "[]",
                "{}");
        return Packs.stored(Call.of(body));
    }

    private void maybe(ObjectNode at, String name, String... values) {
        int which = random.nextInt(values.length + 1);
        if (which < values.length) {
            try {
                at.set(name, new com.fasterxml.jackson.databind.ObjectMapper().readTree(values[which]));
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                throw new IllegalArgumentException(values[which], e);
            }
        }
    }

    private static Verdict judge(Judge judge, Call call) {
        return judge.judge(new Request("demo", call, Judges.FRAME.now(), judge.values()), judge.rules());
    }

    /** Looser in a way that is told here again, from the documentation and not from the code. */
    private static boolean looser(Verdict before, Verdict after) {
        if (before.outcome() != after.outcome()) {
            return before.outcome() == Outcome.DENY || after.outcome() == Outcome.ALLOW;
        }
        return before.outcome() == Outcome.ALLOW
                && before.obligations().stream()
                        .anyMatch(effect -> after.obligations().stream()
                                .noneMatch(other -> effect.equals(other)
                                        || effect instanceof Effect.Limit limit
                                                && other instanceof Effect.Limit now
                                                && now.max() <= limit.max()));
    }

    @Test
    void whereNoWideningIsSaidNoRequestIsJudgedLooser() throws BadCall {
        int exact = 0;
        int said = 0;
        for (int pair = 0; pair < PAIRS; pair++) {
            List<String> before = rules();
            var after = new ArrayList<>(before);
            int which = random.nextInt(after.size());
            switch (random.nextInt(3)) {
                case 0 -> after.add(rule(99));
                case 1 -> after.set(which, rule(99));
                default -> after.remove(which);
            }
            if (after.isEmpty()) {
                continue;
            }
            Judge first = Judges.of(String.join("", before));
            Judge second = Judges.of(String.join("", after));
            DiffResult result = new BoundaryDiff(Judges.FRAME).compare(first, second);
            exact += result.exact() ? 1 : 0;
            said += result.widening() == DiffResult.Widening.NO ? 1 : 0;
            for (Change change : result.changes()) {
                Call example = Packs.stored(Call.of(change.example()));
                assertThat(judge(first, example).outcome())
                        .isEqualTo(change.before().outcome());
                assertThat(judge(second, example).outcome())
                        .isEqualTo(change.after().outcome());
            }
            for (int i = 0; i < REQUESTS && result.widening() == DiffResult.Widening.NO; i++) {
                Call call = call();
                assertThat(looser(judge(first, call), judge(second, call)))
                        .as("pair %d of seed 4711: %s then %s, %s", pair, before, after, call)
                        .isFalse();
            }
        }
        assertThat(exact).as("exact comparisons").isGreaterThan(PAIRS / 3);
        assertThat(said).as("comparisons without widening").isGreaterThan(PAIRS / 5);
    }

    @Test
    void whereTheComparisonIsExactEveryDifferenceOfOutcomesIsFound() throws BadCall {
        for (int pair = 0; pair < PAIRS; pair++) {
            List<String> before = rules();
            List<String> after = random.nextBoolean() ? rules() : new ArrayList<>(before);
            after.add(rule(99));
            Judge first = Judges.of(String.join("", before));
            Judge second = Judges.of(String.join("", after));
            DiffResult result = new BoundaryDiff(Judges.FRAME).compare(first, second);
            for (int i = 0; i < REQUESTS && result.exact(); i++) {
                Call call = call();
                Outcome one = judge(first, call).outcome();
                Outcome two = judge(second, call).outcome();
                if (one != two) {
                    assertThat(result.changes())
                            .as("pair %d of seed 4711: %s then %s, %s", pair, before, after, call)
                            .anyMatch(change -> change.before().outcome() == one
                                    && change.after().outcome() == two);
                }
            }
        }
    }
}
