package dev.countersign.rules.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.JsonConditions;
import dev.countersign.rules.dialect.JsonEffects;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.ServerOwn;
import dev.countersign.rules.facts.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks rows and compiles them into rules of the dialect, {@code policies/<id>}. Immutable, and shared by all threads.
 */
public final class RowReader {
    /** The most bytes of a {@code rule_expr}, as JSON in UTF-8. */
    public static final int MAX_BYTES = 64 * 1024;

    private static final int MAX_DEPTH = 32;

    /** The most steps that the automata of one row have together: as many as one pattern may have alone. */
    private static final int MAX_PATTERNS = 2_000;

    private static final String EXPR = "/rule_expr";
    private static final String WHEN = EXPR + "/when";
    private static final String THEN = EXPR + "/then";

    /**
     * What a row comes to.
     *
     * @param rule the rule; of a row with mistakes one that fails closed: where its scope, action and resource match, it is
     *     unknown, so it denies if it would restrict, and never allows
     * @param mistakes all that is wrong with the row; empty if it can be used
     */
    public record Read(Rule rule, List<JsonMistake> mistakes) {
        /** Whether the row can be used. */
        public boolean fits() {
            return mistakes.isEmpty();
        }
    }

    private final Vocabulary vocabulary;

    /** A reader of rows that may use these names. */
    public RowReader(RowVocabulary vocabulary) {
        this.vocabulary = vocabulary.vocabulary();
    }

    /** The JSON Schema (draft 2020-12) of a {@code rule_expr}. It knows the shape, and no names. */
    public static String schema() {
        try (InputStream in = RowReader.class.getResourceAsStream("rule-expr.schema.json")) {
            if (in == null) {
                throw new IllegalStateException("the build left out rule-expr.schema.json");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rule that a row is, with all mistakes of the row. */
    public Read read(PolicyRow row) {
        var mistakes = new ArrayList<JsonMistake>();
        RowCheck.check(row, mistakes);
        JsonNode given = row.ruleExpr() == null || row.ruleExpr().isNull() ? MissingNode.getInstance() : row.ruleExpr();
        Expr when = null;
        List<Effect> effects = List.of();
        if (shape(given, mistakes)) {
            if (given.has("when")) {
                when = new JsonConditions(vocabulary, mistakes::add).read(given.path("when"), WHEN);
                patterns(when, mistakes);
            }
            effects = effects(row, given, mistakes);
        }
        var conditions = new ArrayList<>(RowConditions.of(row));
        if (!mistakes.isEmpty()) {
            String code = code(row);
            conditions.add(new Expr.Truth(ServerOwn.UNREADABLE));
            effects = List.of(row.effect() == PolicyRow.Kind.ALLOW ? new Effect.Allow(code) : new Effect.Deny(code));
        } else if (when != null) {
            conditions.add(when);
        }
        var rule = new Rule(
                Rule.POLICIES, row.id(), row.name(), 0, meta(row), List.copyOf(conditions), List.copyOf(effects));
        return new Read(rule, List.copyOf(mistakes));
    }

    /** Tenants have thousands of rows, and a pattern with counts takes memory out of proportion to its text. */
    private static void patterns(@Nullable Expr when, List<JsonMistake> mistakes) {
        int[] steps = {0};
        if (when != null) {
            when.tests(test -> steps[0] += test instanceof Expr.Matches matches
                    ? matches.regex().pattern().programSize()
                    : 0);
        }
        if (steps[0] > MAX_PATTERNS) {
            mistakes.add(new JsonMistake(
                    WHEN,
                    Code.R001,
                    "the patterns of this policy repeat too much together",
                    "use fewer `matches`, or smaller counts in `{ }`"));
        }
    }

    private static Map<String, String> meta(PolicyRow row) {
        var meta = new HashMap<String, String>();
        meta.put("name", row.name());
        if (row.risk() != null) {
            meta.put("risk", row.risk().word());
        }
        if (row.reason() != null && !JsonEffects.code(row.reason())) {
            meta.put("reason", row.reason());
        }
        return Map.copyOf(meta);
    }

    /** A reason that is no code is a text for people; the code then says what kind of policy spoke. */
    private static String code(PolicyRow row) {
        return row.reason() != null && JsonEffects.code(row.reason())
                ? row.reason()
                : "policy_" + row.effect().word();
    }

    private List<Effect> effects(PolicyRow row, JsonNode given, List<JsonMistake> mistakes) {
        JsonNode then = given.path("then");
        String code = code(row);
        var reader = new JsonEffects(vocabulary, mistakes::add);
        return switch (row.effect()) {
            case MODIFY -> {
                if (then.isMissingNode()) {
                    mistakes.add(new JsonMistake(
                            THEN, Code.J001, "a policy that modifies needs `then` with `mode` or `limits`", null));
                    yield List.of();
                }
                yield reader.modifications(then, THEN);
            }
            case REQUIRE_APPROVAL -> {
                Effect approval = reader.approval(code, then, THEN);
                yield approval == null ? List.of() : List.of(approval);
            }
            case ALLOW, DENY -> {
                if (!then.isEmpty()) {
                    mistakes.add(new JsonMistake(
                            THEN,
                            Code.J001,
                            "`then` says nothing beside " + row.effect().word(),
                            "remove it"));
                }
                yield List.of(row.effect() == PolicyRow.Kind.ALLOW ? new Effect.Allow(code) : new Effect.Deny(code));
            }
        };
    }

    /** Whether the value can be read at all: by code that calls itself, and within the bounds. */
    private static boolean shape(JsonNode given, List<JsonMistake> mistakes) {
        int before = mistakes.size();
        if (given.isMissingNode()) {
            return true;
        }
        if (!given.isObject()) {
            mistakes.add(new JsonMistake(EXPR, Code.J001, "`rule_expr` is an object or null", null));
            return false;
        }
        if (deep(given)) {
            mistakes.add(new JsonMistake(EXPR, Code.E002, "the JSON nests more than " + MAX_DEPTH + " deep", null));
            return false;
        }
        if (given.toString().getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            mistakes.add(new JsonMistake(
                    EXPR,
                    Code.S001,
                    "`rule_expr` has at most " + MAX_BYTES / 1024 + " KiB",
                    "use lists of a pack, or several policies"));
            return false;
        }
        for (var names = given.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!name.equals("when") && !name.equals("then")) {
                mistakes.add(new JsonMistake(
                        JsonMistake.pointer(EXPR, name),
                        Code.J001,
                        "`rule_expr` has no such member",
                        "its members are `when` and `then`"));
            }
        }
        if (given.has("then") && !given.path("then").isObject()) {
            mistakes.add(new JsonMistake(THEN, Code.J001, "`then` is an object", null));
            return false;
        }
        return mistakes.size() == before;
    }

    private record Level(JsonNode json, int depth) {}

    private static boolean deep(JsonNode json) {
        var left = new ArrayDeque<Level>(List.of(new Level(json, 1)));
        while (!left.isEmpty()) {
            Level next = left.pop();
            if (next.depth() > MAX_DEPTH) {
                return true;
            }
            next.json().forEach(child -> {
                if (child.isContainerNode()) {
                    left.push(new Level(child, next.depth() + 1));
                }
            });
        }
        return false;
    }
}
