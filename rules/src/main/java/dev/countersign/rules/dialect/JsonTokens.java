package dev.countersign.rules.dialect;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * JSON translated into the tokens of the dialect, for its own parsers to read. A token's place is an index into a list of
 * JSON Pointers. Nothing is ever written as text that is parsed again: a text is one token, whatever it holds.
 */
final class JsonTokens {
    /** Hints that name the notation of rule files, and what they are in JSON. */
    private static final Map<String, String> HINTS = Map.of(
            OperandParser.DECLARE_ATTRIBUTE, "a name is built in, or an active pack declares it",
            OperandParser.DECLARE_PARAM, "an active pack must declare it",
            ExpressionParser.DECLARE_LIST, "an active pack must declare it",
            ConsequenceParser.DECLARE_TEMPLATE, "an active pack must declare it",
            ExpressionParser.USE_LIST, "use `memberOf` with {\"list\": ...}",
            ExpressionParser.USE_CONTAINS, "use `contains`, `is null` or {\"count\": ...}",
            ExpressionParser.USE_GLOB, "for a part of a text use `glob` with \"*part*\"");

    private final List<Token> tokens = new ArrayList<>();
    private final List<String> pointers = new ArrayList<>();
    private final String whole;

    /** No tokens yet, of the value at the pointer {@code whole}. */
    JsonTokens(String whole) {
        this.whole = whole;
    }

    /** A place for a mistake. */
    int at(String pointer) {
        pointers.add(pointer);
        return pointers.size() - 1;
    }

    JsonTokens word(String text, String pointer) {
        return add(Token.Kind.WORD, text, pointer);
    }

    JsonTokens symbol(String text, String pointer) {
        return add(Token.Kind.SYMBOL, text, pointer);
    }

    JsonTokens string(String text, String pointer) throws Mistake {
        Mistake refused = Scanner.refused(text, at(pointer));
        if (refused != null) {
            throw refused;
        }
        return add(Token.Kind.STRING, text, pointer);
    }

    private JsonTokens add(Token.Kind kind, String text, String pointer) {
        int at = at(pointer);
        tokens.add(new Token(kind, text, at, at + 1));
        return this;
    }

    /** A text, a number, true or false. */
    JsonTokens literal(JsonNode json, String pointer) throws Mistake {
        if (json.isTextual()) {
            return string(json.textValue(), pointer);
        }
        if (json.isNumber()) {
            return number(json.doubleValue(), pointer);
        }
        if (json.isBoolean()) {
            return word(json.asText(), pointer);
        }
        throw new Mistake(at(pointer), Code.E001, "a text, a number, true or false is expected, not " + kind(json));
    }

    private JsonTokens number(double value, String pointer) throws Mistake {
        String text = Double.isFinite(value) ? Canonical.number(Math.abs(value)) : "";
        if (text.isEmpty() || text.length() > Scanner.MAX_NUMBER) {
            throw new Mistake(at(pointer), Code.T002, "a number has at most " + Scanner.MAX_NUMBER + " characters");
        }
        if (value < 0) {
            symbol("-", pointer);
        }
        return add(Token.Kind.NUMBER, text, pointer);
    }

    /** A cursor over all of them. */
    Tokens read() {
        return new Tokens(tokens, 0, pointers.size());
    }

    /** What a parser of these tokens found, in terms of the JSON. */
    JsonMistake mistake(Mistake mistake) {
        String pointer = mistake.at < pointers.size() ? pointers.get(mistake.at) : whole;
        String hint = mistake.hint;
        if (hint != null && (hint.equals(ExpressionParser.QUOTE) || hint.equals(ExpressionParser.UNQUOTE))) {
            String value = whole + "/value"; // the types differ because of what is written there
            pointer = pointer.startsWith(value) ? pointer : value;
        }
        return new JsonMistake(
                pointer,
                mistake.code,
                String.valueOf(mistake.getMessage()),
                hint == null ? null : HINTS.getOrDefault(hint, hint));
    }

    /** How a message names a value. */
    static String kind(JsonNode json) {
        return switch (json.getNodeType()) {
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> json.asText();
            case ARRAY -> "a list";
            case NULL, MISSING -> "null";
            default -> "an object";
        };
    }
}
