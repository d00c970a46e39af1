package dev.countersign.rules.dialect;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads conditions that are written as JSON: {@code {"all": [...]}}, {@code {"any": [...]}}, {@code {"not": ...}} and tests
 * such as {@code {"field": "amount", "op": ">", "value": 100}}. Each test becomes tokens of the dialect and is read by the
 * dialect's own parser, so that types, limits and hints are the same.
 */
public final class JsonConditions {
    private static final List<String> GROUPS = List.of("all", "any", "not");
    private static final List<String> LEFT = List.of("field", "count", "hoursSince");
    private static final List<String> RIGHT = List.of("field", "param", "list", "count", "hoursSince");
    private static final List<String> MEMBERS = List.of("field", "count", "glob", "hoursSince", "op", "value");
    private static final List<String> RIGHT_MEMBERS = List.of("field", "param", "list", "count", "glob", "hoursSince");
    private static final List<String> NULL = List.of("is null", "not null");
    private static final List<String> FUNCTIONS = List.of("cidr", "glob");
    private static final List<String> AFFIXES = List.of("startsWith", "endsWith");
    private static final List<String> NEGATABLE = List.of("in", "matches", "contains", "memberOf");
    private static final List<String> OPERATORS = Stream.of(
                    Arrays.stream(Expr.Comparison.values()).map(Expr.Comparison::symbol),
                    NEGATABLE.stream(),
                    NEGATABLE.stream().map(op -> "not " + op),
                    AFFIXES.stream(),
                    FUNCTIONS.stream(),
                    NULL.stream())
            .flatMap(each -> each)
            .toList();

    private final Vocabulary vocabulary;
    private final Consumer<JsonMistake> mistakes;
    private int tests;
    private int refused;

    /** A reader of one policy's condition; all its mistakes go to {@code mistakes}. */
    public JsonConditions(Vocabulary vocabulary, Consumer<JsonMistake> mistakes) {
        this.vocabulary = vocabulary;
        this.mistakes = mistakes;
    }

    /** The condition at {@code pointer}, or {@code null} with its mistakes reported. */
    public @Nullable Expr read(JsonNode json, String pointer) {
        return condition(json, pointer, 1);
    }

    private @Nullable Expr condition(JsonNode json, String pointer, int depth) {
        String group = GROUPS.stream().filter(json::has).findFirst().orElse(null);
        if (group == null) {
            return test(json, pointer);
        }
        if (depth > ExpressionParser.MAX_DEPTH) {
            return refuse(
                    pointer,
                    Code.E002,
                    "`all`, `any` and `not` nest at most " + ExpressionParser.MAX_DEPTH + " deep",
                    "split the policy");
        }
        if (json.size() > 1) {
            return refuse(
                    pointer,
                    Code.E001,
                    "`" + group + "` stands alone in its object",
                    "put what else must hold beside it in a list under `all`");
        }
        JsonNode inside = json.path(group);
        String at = pointer + "/" + group;
        if (group.equals("not")) {
            Expr part = condition(inside, at, depth + 1);
            return part == null ? null : new Expr.Not(part);
        }
        if (!inside.isArray() || inside.isEmpty()) {
            return refuse(at, Code.E001, "`" + group + "` holds a list of at least one condition", null);
        }
        var parts = new ArrayList<Expr>();
        for (int i = 0; i < inside.size() && tests <= ExpressionParser.MAX_TESTS && refused < Source.MAX_SHOWN; i++) {
            Expr part = condition(inside.path(i), at + "/" + i, depth + 1);
            if (part != null) {
                parts.add(part);
            }
        }
        if (parts.size() < inside.size()) {
            return null;
        }
        return parts.size() == 1
                ? parts.get(0)
                : group.equals("all") ? new Expr.And(List.copyOf(parts)) : new Expr.Or(List.copyOf(parts));
    }

    private @Nullable Expr test(JsonNode json, String pointer) {
        if (!json.isObject()) {
            return refuse(
                    pointer,
                    Code.E001,
                    "a condition is an object, not " + JsonTokens.kind(json),
                    "write {\"field\": \"action\", \"op\": \"==\", \"value\": \"pay\"}, or `all`, `any` or `not`");
        }
        if (++tests > ExpressionParser.MAX_TESTS) {
            return tests > ExpressionParser.MAX_TESTS + 1
                    ? null
                    : refuse(
                            pointer,
                            Code.G033,
                            "one condition has at most " + ExpressionParser.MAX_TESTS + " tests",
                            "use `in`, a list, or several policies");
        }
        var tokens = new JsonTokens(pointer);
        try {
            known(json, MEMBERS, pointer, tokens);
            translate(json, pointer, tokens);
            return new ExpressionParser(tokens.read(), vocabulary).parse();
        } catch (Mistake mistake) {
            return refuse(tokens.mistake(mistake));
        }
    }

    private @Nullable Expr refuse(String pointer, Code code, String message, @Nullable String hint) {
        return refuse(new JsonMistake(pointer, code, message, hint));
    }

    private @Nullable Expr refuse(JsonMistake mistake) {
        refused++;
        mistakes.accept(mistake);
        return null;
    }

    static void known(JsonNode json, List<String> members, String pointer, JsonTokens tokens) throws Mistake {
        for (var names = json.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!members.contains(name)) {
                int at = tokens.at(JsonMistake.pointer(pointer, name));
                throw OperandParser.unknown(
                        Code.J001,
                        "member",
                        new Token(Token.Kind.WORD, name, at, at + 1),
                        members,
                        "the members are " + String.join(", ", members));
            }
        }
    }

    private void translate(JsonNode json, String pointer, JsonTokens tokens) throws Mistake {
        String left = only(json, LEFT, pointer, tokens);
        if (!json.has("op")) {
            bool(json, left, pointer, tokens);
            return;
        }
        String at = pointer + "/op";
        String op = json.path("op").asText();
        if (!json.path("op").isTextual() || !OPERATORS.contains(op)) {
            throw OperandParser.unknown(
                    Code.E001,
                    "operator",
                    new Token(Token.Kind.WORD, op, tokens.at(at), 0),
                    OPERATORS,
                    "the operators are " + String.join(", ", OPERATORS));
        }
        if (NULL.contains(op)) {
            if (json.has("value")) {
                throw new Mistake(tokens.at(pointer + "/value"), Code.E001, "`" + op + "` takes no value", "remove it");
            }
            operand(json, left, pointer, tokens);
            tokens.symbol(op.equals("is null") ? "==" : "!=", at).word("null", at);
            return;
        }
        JsonNode value = json.get("value");
        if (value == null || value.isNull()) {
            throw new Mistake(
                    tokens.at(pointer + "/value"),
                    Code.E001,
                    "`" + op + "` needs a value",
                    "to ask whether something is there use `is null` or `not null`");
        }
        if (FUNCTIONS.contains(op)) {
            if (!left.equals("field")) {
                throw new Mistake(tokens.at(pointer + "/" + left), Code.T001, op + " needs a text on its left");
            }
            tokens.word(op, at).symbol("(", at);
            operand(json, left, pointer, tokens);
            tokens.symbol(",", at);
            value(value, pointer + "/value", tokens, false);
            tokens.symbol(")", at);
            return;
        }
        operand(json, left, pointer, tokens);
        if (op.equals("in") || op.equals("not in")) {
            operator(op, at, tokens);
            values(value, pointer + "/value", tokens);
        } else if (AFFIXES.contains(op)) {
            tokens.word("str", at).symbol("[", at).word(op, at).symbol("]", at);
            value(value, pointer + "/value", tokens, false);
        } else {
            operator(op, at, tokens);
            value(value, pointer + "/value", tokens, op.endsWith("memberOf"));
        }
    }

    private static void operator(String op, String at, JsonTokens tokens) {
        if (op.startsWith("not ")) {
            tokens.word("not", at).word(op.substring("not ".length()), at);
        } else if (Character.isLetter(op.charAt(0))) {
            tokens.word(op, at);
        } else {
            tokens.symbol(op, at);
        }
    }

    private void bool(JsonNode json, String left, String pointer, JsonTokens tokens) throws Mistake {
        operand(json, left, pointer, tokens);
        Attribute attribute = vocabulary.attribute(json.path("field").asText());
        if (json.has("value") || attribute == null || attribute.type() != Type.BOOL) {
            throw new Mistake(
                    tokens.at(pointer + "/op"),
                    Code.E001,
                    "the operator is missing",
                    "only a bool attribute stands alone; the operators are " + String.join(", ", OPERATORS));
        }
    }

    /** The one member of {@code names} that an operand has. */
    private static String only(JsonNode json, List<String> names, String pointer, JsonTokens tokens) throws Mistake {
        List<String> given = names.stream().filter(json::has).toList();
        if (given.size() != 1) {
            throw new Mistake(
                    tokens.at(pointer),
                    Code.E001,
                    (given.isEmpty() ? "one of " : "only one of ") + String.join(", ", names) + " is expected here");
        }
        if (json.has("glob") && !given.contains("count")) {
            throw new Mistake(
                    tokens.at(pointer + "/glob"), Code.E001, "`glob` goes with `count`", "or use the operator `glob`");
        }
        return given.get(0);
    }

    private void operand(JsonNode json, String kind, String pointer, JsonTokens tokens) throws Mistake {
        String at = pointer + "/" + kind;
        JsonNode name = json.path(kind);
        if (!name.isTextual()) {
            throw new Mistake(tokens.at(at), Code.E001, "a name is expected, not " + JsonTokens.kind(name));
        }
        if (kind.equals("field")) {
            attribute(name.textValue(), at, tokens);
            return;
        }
        tokens.word(kind, at).symbol("(", at);
        if (kind.equals("param") || kind.equals("list")) {
            tokens.string(name.textValue(), at);
        } else {
            attribute(name.textValue(), at, tokens);
        }
        if (json.has("glob")) {
            tokens.symbol(",", at);
            value(json.path("glob"), pointer + "/glob", tokens, false);
        }
        tokens.symbol(")", at);
    }

    /** Only a name that is known becomes a word, so that none is taken for a word of the language. */
    private void attribute(String name, String pointer, JsonTokens tokens) throws Mistake {
        if (vocabulary.attribute(name) == null) {
            int at = tokens.at(pointer);
            throw OperandParser.unknown(
                    vocabulary,
                    Code.N001,
                    "name",
                    new Token(Token.Kind.WORD, name, at, at + 1),
                    vocabulary.attributes().keySet(),
                    OperandParser.DECLARE_ATTRIBUTE);
        }
        tokens.word(name, pointer);
    }

    private void value(JsonNode json, String pointer, JsonTokens tokens, boolean named) throws Mistake {
        if (json.isArray()) {
            throw new Mistake(tokens.at(pointer), Code.E001, "a list of values goes with `in` and `not in`");
        }
        if (!json.isObject()) {
            tokens.literal(json, pointer);
            return;
        }
        known(json, RIGHT_MEMBERS, pointer, tokens);
        String kind = only(json, RIGHT, pointer, tokens);
        if (kind.equals("list") && !named) {
            throw new Mistake(
                    tokens.at(pointer + "/list"), Code.E001, "a named list goes with `memberOf` and `not memberOf`");
        }
        operand(json, kind, pointer, tokens);
    }

    private void values(JsonNode json, String pointer, JsonTokens tokens) throws Mistake {
        if (!json.isArray() || json.isEmpty()) {
            throw new Mistake(
                    tokens.at(pointer),
                    Code.E001,
                    "`in` needs a list of at least one value",
                    "for a list of a pack use `memberOf` with {\"list\": ...}");
        }
        tokens.symbol("(", pointer);
        for (int i = 0; i < json.size(); i++) {
            if (i > 0) {
                tokens.symbol(",", pointer);
            }
            value(json.path(i), pointer + "/" + i, tokens, false);
        }
        tokens.symbol(")", pointer);
    }
}
