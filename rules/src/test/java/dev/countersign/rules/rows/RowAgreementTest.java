package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.facts.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table agrees with a plain loop over all rows, whatever rows and requests. */
class RowAgreementTest {
    private static final int COUNT = Integer.getInteger("countersign.fuzz", 1_000);
    private static final long SEED = Long.getLong("countersign.seed", 20261121);
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> ACTIONS =
            List.of("a", "b", "ab", "abc", "abd", "db.read", "db.drop", "db.", "", "Aa", "BB", "AaBB", "BBAa");
    private static final List<String> PATTERNS =
            List.of("*", "a*", "ab*", "abc*", "*c", "db.*", "d*.*p", "Aa*", "BB*", "AaBB*", "abcdef*", "b**");
    private static final List<String> NAMES = List.of("x", "y", "z");

    private final Random random = new Random(SEED);

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private PolicyRow row(int number, RandomConditions conditions) {
        PolicyRow.Scope scope = one(List.of(PolicyRow.Scope.values()).subList(1, 7));
        PolicyRow.Kind kind = one(List.of(PolicyRow.Kind.values()).subList(0, 3));
        String ref =
                !scope.referring() ? null : scope == PolicyRow.Scope.USER && random.nextInt(3) == 0 ? "*" : one(NAMES);
        ObjectNode expr = random.nextInt(3) > 0 ? null : JSON.objectNode().set("when", conditions.next(2));
        if (expr != null && random.nextInt(10) == 0) {
            expr.putObject("when").put("field", "gone");
        }
        return new PolicyRow(
                String.format("00000000-0000-0000-0000-%012d", number),
                "demo",
                scope == PolicyRow.Scope.AGENT && random.nextBoolean() ? one(NAMES) : null,
                "row " + number,
                null,
                scope,
                ref,
                kind,
                random.nextInt(3) == 0 ? one(PATTERNS) : one(ACTIONS.subList(0, 8)),
                one(java.util.Arrays.asList(null, "*", "tool/*", "tool/x", "t*/y*", "doc/x")),
                expr,
                null,
                null,
                random.nextInt(10) > 0,
                1);
    }

    /** One of many rows on one action that differ by the literal of a test, also at the borders. */
    private PolicyRow crowded(int number) {
        ObjectNode test = JSON.objectNode();
        if (random.nextBoolean()) {
            test.put("field", one(List.of("region", "zone", "agent")))
                    .put("op", "==")
                    .put("value", one(NAMES));
        } else {
            test.put("field", "score").put("op", one(List.of("<", "<=", ">", ">=", "==")));
            test.put("value", one(List.of(-0.0, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0)));
        }
        return new PolicyRow(
                String.format("00000000-0000-0000-0000-%012d", number),
                "demo",
                null,
                "row " + number,
                null,
                PolicyRow.Scope.TENANT,
                null,
                PolicyRow.Kind.DENY,
                "a",
                null,
                JSON.objectNode().set("when", test),
                null,
                null,
                true,
                1);
    }

    private Request request() {
        ObjectNode parts = JSON.objectNode();
        ObjectNode subject = parts.putObject("subject")
                .put("type", one(List.of("agent", "user", "service")))
                .put("id", one(NAMES));
        ObjectNode properties = subject.putObject("properties");
        set(properties, "owner");
        set(properties.putObject("act"), "sub");
        parts.putObject("action").put("name", one(ACTIONS));
        parts.putObject("resource")
                .put("type", one(List.of("tool", "doc", "t")))
                .put("id", one(List.of("x", "y", "yy/x")));
        ObjectNode context = parts.putObject("context");
        List.of("app", "workflow", "region", "other", "zone").forEach(name -> set(context, name));
        if (random.nextBoolean()) {
            context.put("score", random.nextInt(5)).put("vip", random.nextBoolean());
        }
        return Rows.request(parts.toString());
    }

    private void set(ObjectNode object, String name) {
        switch (random.nextInt(5)) {
            case 0 -> {}
            case 1 -> object.put(name, 5);
            default -> object.put(name, one(NAMES));
        }
    }

    private static String said(List<CompiledRule> rules) {
        return rules.stream().map(rule -> rule.rule().name()).sorted().collect(Collectors.joining(","));
    }

    @Test
    void theIndexFindsWhatALoopFinds() {
        var conditions = new RandomConditions(random);
        int matched = 0;
        int unknown = 0;
        for (int round = 0; round < Math.max(1, COUNT / 50); round++) {
            var rows = new ArrayList<PolicyRow>();
            for (int i = random.nextInt(60); i >= 0; i--) {
                rows.add(round % 2 == 0 ? row(i, conditions) : crowded(i));
            }
            Set<String> installed = Set.of(one(NAMES));
            RowTable table = RowTable.of(Rows.BASE, Rows.VOCABULARY, "demo", rows, installed);
            for (int i = 0; i < 50; i++) {
                Request request = request();
                Evaluation found = Rows.judge(table, request);
                Evaluation looped = loop(rows, installed, request);
                String seed = "seed " + SEED + ", round " + round + ", request " + i + ": " + request.call();
                assertThat(said(found.matched())).as(seed).isEqualTo(said(looped.matched()));
                assertThat(said(found.unknown())).as(seed).isEqualTo(said(looped.unknown()));
                matched += found.matched().size();
                unknown += found.unknown().size();
            }
        }
        assertThat(matched).isGreaterThan(COUNT / 5);
        assertThat(unknown).isGreaterThan(COUNT / 20);
    }

    private static Evaluation loop(List<PolicyRow> rows, Set<String> installed, Request request) {
        var out = Rows.BASE.interpret(request);
        var conditions = new Conditions(Rows.BASE.layout());
        String user = request.subjectType().equals("user")
                ? request.subjectId()
                : request.call().subject().at("/properties/owner").textValue();
        boolean own = user != null
                && !request.subjectType().equals("service")
                && (installed.contains(user)
                        || rows.stream()
                                .anyMatch(row -> row.scope() == PolicyRow.Scope.USER && user.equals(row.scopeRef())));
        for (PolicyRow row : rows) {
            Rule rule = new RowReader(Rows.VOCABULARY).read(row).rule();
            if (!row.enabled() || row.byDefault() && own) {
                continue;
            }
            int truth = Condition.TRUE;
            for (var expr : rule.conditions()) {
                truth = Math.min(truth, conditions.of(expr).test(request));
            }
            out.judged(new CompiledRule(rule, 0, conditions::of), truth);
        }
        return out;
    }

    @Test
    void tenThousandRowsFitInLittleMemory() {
        var rows = new ArrayList<PolicyRow>();
        for (int i = 0; i < 10_000; i++) {
            ObjectNode expr = JSON.objectNode();
            expr.putObject("when").put("field", "amount").put("op", ">").put("value", i);
            rows.add(new PolicyRow(
                    String.format("00000000-0000-0000-0000-%012d", i),
                    "demo",
                    null,
                    "row " + i,
                    null,
                    PolicyRow.Scope.APP,
                    "app-" + i % 10,
                    PolicyRow.Kind.DENY,
                    i % 20 == 0 ? "act-" + i % 1_000 + "*" : "act-" + i % 1_000,
                    "tool/*",
                    expr,
                    PolicyRow.Risk.HIGH,
                    "TOO_MUCH",
                    true,
                    1));
        }
        RowTable table = RowTable.of(Rows.BASE, Rows.VOCABULARY, "demo", rows, Set.of());
        assertThat(table.rows()).isEqualTo(10_000);
        assertThat(table.weight()).isBetween(10_000L * 500, 10_000L * 4_000);
        assertThat(Rows.judge(
                                table,
                                Rows.request("{action: {name: act-7}, context: {app: app-7},"
                                        + " resource: {type: tool, id: t, properties: {amount: 5000}}}"))
                        .matched())
                .hasSize(5);
        assertThat(table.candidates(Rows.request("{action: {name: act-7}}"))).hasSize(10);
    }
}
