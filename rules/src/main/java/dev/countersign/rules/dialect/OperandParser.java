package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Vocabulary;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads one side of a comparison: a literal, an attribute, a parameter, or a function of an attribute. */
final class OperandParser {
    static final String DECLARE_ATTRIBUTE = "declare it under `attributes:` in pack.yaml";
    static final String DECLARE_PARAM = "declare it under `params:` in pack.yaml";
    private static final double EXACT = 9_007_199_254_740_992d;
    private static final List<String> FUNCTIONS = List.of("param", "list", "count", "hoursSince", "cidr", "glob");

    private final Tokens tokens;
    private final Vocabulary vocabulary;

    OperandParser(Tokens tokens, Vocabulary vocabulary) {
        this.tokens = tokens;
        this.vocabulary = vocabulary;
    }

    /** The next operand; a text is read as a time where {@code wanted} is one. */
    Operand operand(@Nullable Type wanted) throws Mistake {
        Token token = tokens.peek();
        if (token.kind() == Token.Kind.STRING) {
            tokens.take();
            return adapt(new Operand.Literal(Type.TEXT, token.text(), token.text()), wanted, token);
        }
        if (token.kind() == Token.Kind.NUMBER || token.is("-")) {
            return number(tokens);
        }
        if (token.is("true") || token.is("false")) {
            tokens.take();
            return new Operand.Literal(Type.BOOL, token.is("true"), token.text());
        }
        if (token.is("null")) {
            throw new Mistake(token.at(), Code.T001, "null stands on the right of == or != only");
        }
        if (token.is("$")) {
            throw new Mistake(token.at(), Code.G032, "bindings are not part of the dialect", "name the attribute");
        }
        if (tokens.peek(1).is("(") && token.kind() == Token.Kind.WORD) {
            return function(token);
        }
        return new Operand.Field(attribute());
    }

    /** {@code operand}, or the time that it writes if it is a text literal beside a time. */
    static Operand adapt(Operand operand, @Nullable Type wanted, Token at) throws Mistake {
        if (wanted != Type.TIME || operand.type() != Type.TEXT || !(operand instanceof Operand.Literal literal)) {
            return operand;
        }
        Instant time = Attribute.parseTime(literal.text());
        if (time == null) {
            throw new Mistake(
                    at.at(),
                    Code.T002,
                    "`" + literal.text() + "` is not a time",
                    "write it like \"2026-01-31T00:00:00Z\"");
        }
        return new Operand.Literal(Type.TIME, time, literal.text());
    }

    /** The number at the cursor of {@code tokens}, with its sign. */
    static Operand.Literal number(Tokens tokens) throws Mistake {
        Token sign = tokens.peek();
        boolean negative = tokens.take("-");
        Token token = tokens.take();
        if (token.kind() != Token.Kind.NUMBER) {
            throw new Mistake(token.at(), Code.E001, "a number is expected, not " + token.shown());
        }
        double value = Double.parseDouble(token.text());
        if (value >= EXACT) {
            throw new Mistake(sign.at(), Code.T002, "a number has at most 15 exact digits");
        }
        double signed = negative && value != 0 ? -value : value;
        return new Operand.Literal(Type.NUMBER, signed, Canonical.number(signed));
    }

    private Operand function(Token name) throws Mistake {
        if (name.is("param")) {
            tokens.take();
            tokens.take();
            Token at = tokens.peek();
            Param param = vocabulary.params().get(string("the name of a parameter"));
            if (param == null) {
                throw unknown(
                        vocabulary,
                        Code.N002,
                        "parameter",
                        at,
                        vocabulary.params().keySet(),
                        DECLARE_PARAM);
            }
            close();
            return new Operand.Parameter(param);
        }
        if (name.is("hoursSince")) {
            tokens.take();
            tokens.take();
            Attribute time = argument("hoursSince", Type.TIME);
            close();
            return new Operand.HoursSince(time);
        }
        if (name.is("count")) {
            tokens.take();
            tokens.take();
            Attribute list = argument("count", Type.LIST);
            String pattern = tokens.take(",") ? string("a pattern such as \"certificate_*\"") : null;
            close();
            return new Operand.Count(list, pattern == null ? null : new Glob(pattern), pattern);
        }
        if (FUNCTIONS.contains(name.text())) {
            throw new Mistake(name.at(), Code.E001, "`" + name.text() + "` is not a value", "see the table of tests");
        }
        throw unknown(Code.N003, "function", name, FUNCTIONS, "there are no methods in the dialect");
    }

    private Attribute argument(String function, Type type) throws Mistake {
        Token at = tokens.peek();
        Attribute attribute = attribute();
        if (attribute.type() != type) {
            throw new Mistake(
                    at.at(),
                    Code.T001,
                    function + " needs a " + type.word() + ", and " + attribute.name() + " is a "
                            + attribute.type().word());
        }
        return attribute;
    }

    private void close() throws Mistake {
        if (!tokens.take(")")) {
            Token token = tokens.peek();
            throw new Mistake(token.at(), Code.E001, "`)` is expected, not " + token.shown());
        }
    }

    /** The attribute whose bare or dotted name stands next. */
    Attribute attribute() throws Mistake {
        Token first = tokens.take();
        if (first.kind() != Token.Kind.WORD) {
            throw new Mistake(first.at(), Code.E001, "a name is expected, not " + first.shown());
        }
        var name = new StringBuilder(first.text());
        int end = first.end();
        while (tokens.peek().is(".")
                && tokens.peek().at() == end
                && tokens.peek(1).kind() == Token.Kind.WORD) {
            tokens.take();
            Token part = tokens.take();
            name.append('.').append(part.text());
            end = part.end();
        }
        Attribute attribute = vocabulary.attribute(name.toString());
        if (attribute == null) {
            throw unknown(
                    vocabulary,
                    Code.N001,
                    "name",
                    new Token(Token.Kind.WORD, name.toString(), first.at(), end),
                    vocabulary.attributes().keySet(),
                    DECLARE_ATTRIBUTE);
        }
        if (tokens.peek().is("[") || tokens.peek().is("(") || tokens.peek().is(".")) {
            Token next = tokens.peek();
            throw new Mistake(next.at(), Code.E001, next.shown() + " may not follow an attribute");
        }
        return attribute;
    }

    String string(String what) throws Mistake {
        Token token = tokens.take();
        if (token.kind() != Token.Kind.STRING) {
            throw new Mistake(token.at(), Code.E001, what + " in quotes is expected, not " + token.shown());
        }
        return token.text();
    }

    /** A name that the vocabulary does not hold, or of which it knows why it cannot be used. */
    static Mistake unknown(
            Vocabulary vocabulary, Code code, String kind, Token token, Collection<String> known, String otherwise) {
        String ambiguous = vocabulary.ambiguous().get(kind + " " + token.text());
        return ambiguous == null
                ? unknown(code, kind, token, known, otherwise)
                : new Mistake(token.at(), code, "the " + kind + " `" + token.clipped() + "` is ambiguous", ambiguous);
    }

    static Mistake unknown(Code code, String kind, Token token, Collection<String> known, String otherwise) {
        String nearest = token.text().length() > 60 ? null : Vocabulary.nearest(token.text(), known);
        String message = "there is no " + kind + " `" + token.clipped() + "`";
        return nearest == null
                ? new Mistake(token.at(), code, message, otherwise)
                : new Mistake(token.at(), code, message, "did you mean `" + nearest + "`?", nearest);
    }
}
