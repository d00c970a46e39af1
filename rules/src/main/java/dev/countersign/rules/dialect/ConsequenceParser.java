package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.regex.Pattern;

/** Reads a consequence: calls of the decision's verbs with literal arguments, and nothing else. */
final class ConsequenceParser {
    static final String DECLARE_TEMPLATE = "declare it under `approvals:` in pack.yaml";
    static final int MAX_ACTIONS = 10;
    private static final int MAX_PROPERTIES = 10;
    static final Pattern WORD = Pattern.compile("[A-Za-z][A-Za-z0-9_.:-]{0,63}");
    private static final List<String> VERBS =
            List.of("allow", "deny", "requireApproval", "oblige", "limit", "transform");
    private static final List<String> WINDOWS = List.of("minute", "hour", "day", "run", "session");

    private final Source source;
    private final Tokens tokens;
    private final Vocabulary vocabulary;

    ConsequenceParser(Source source, Tokens tokens, Vocabulary vocabulary) {
        this.source = source;
        this.tokens = tokens;
        this.vocabulary = vocabulary;
    }

    /** The effects, all mistakes reported. */
    List<Effect> parse() {
        var effects = new ArrayList<Effect>();
        int start = tokens.peek().at();
        if (tokens.atEnd()) {
            source.error(start, Code.G039, "the consequence says nothing", "call a verb: `decision.deny(\"CODE\");`");
        }
        int count = 0;
        while (!tokens.atEnd()) {
            int at = tokens.peek().at();
            if (++count == MAX_ACTIONS + 1) {
                source.error(at, Code.G045, "a consequence has at most " + MAX_ACTIONS + " actions");
            }
            try {
                effects.add(action());
            } catch (Mistake mistake) {
                mistake.report(source);
                tokens.skipStatement();
            }
        }
        return List.copyOf(effects);
    }

    /** The next action. */
    Effect action() throws Mistake {
        Token object = tokens.peek();
        if (!object.is("decision") || !tokens.peek(1).is(".")) {
            throw new Mistake(
                    object.at(),
                    Code.G040,
                    "only calls of `decision` are allowed here, not " + object.shown(),
                    "write `decision.deny(\"CODE\");`");
        }
        tokens.take();
        tokens.take();
        Token verb = tokens.take();
        if (!VERBS.contains(verb.text()) || verb.kind() != Token.Kind.WORD) {
            throw OperandParser.unknown(Code.G042, "verb", verb, VERBS, "verbs are " + String.join(", ", VERBS));
        }
        expect("(");
        Effect effect = switch (verb.text()) {
            case "allow" -> new Effect.Allow(code());
            case "deny" -> new Effect.Deny(code());
            case "requireApproval" -> requireApproval();
            case "oblige" -> oblige();
            case "limit" -> limit();
            default -> transform();
        };
        expect(")");
        if (!tokens.take(";")) {
            Token next = tokens.peek();
            throw new Mistake(next.at(), Code.E001, "`;` is expected after the action, not " + next.shown());
        }
        return effect;
    }

    private Effect requireApproval() throws Mistake {
        String code = code();
        expect(",");
        Token at = tokens.peek();
        String template = text("the name of an approval template");
        if (!vocabulary.templates().contains(template)) {
            throw OperandParser.unknown(
                    vocabulary, Code.G044, "approval template", at, vocabulary.templates(), DECLARE_TEMPLATE);
        }
        return new Effect.RequireApproval(code, template);
    }

    private Effect oblige() throws Mistake {
        String type = word("the type of an obligation");
        var properties = new LinkedHashMap<String, Object>();
        while (tokens.take(",")) {
            Token at = tokens.peek();
            String name = word("the name of a property");
            expect(",");
            if (properties.put(name, literal()) != null) {
                throw new Mistake(at.at(), Code.G043, "the property `" + name + "` is given twice");
            }
            if (properties.size() > MAX_PROPERTIES) {
                throw new Mistake(at.at(), Code.G043, "an obligation has at most " + MAX_PROPERTIES + " properties");
            }
        }
        return new Effect.Oblige(type, Collections.unmodifiableMap(properties));
    }

    private Effect limit() throws Mistake {
        String name = word("the name of a limit");
        expect(",");
        Token at = tokens.peek();
        if (at.kind() != Token.Kind.NUMBER) {
            throw new Mistake(at.at(), Code.G043, "a number that is not negative is expected, not " + at.shown());
        }
        double max = (Double) OperandParser.number(tokens).value();
        expect(",");
        return new Effect.Limit(name, max, oneOf("the window", WINDOWS));
    }

    private Effect transform() throws Mistake {
        String name = oneOf("what to transform", List.of("mode"));
        expect(",");
        return new Effect.Transform(name, oneOf("the mode", List.of("draft", "auto")));
    }

    private Object literal() throws Mistake {
        Token token = tokens.peek();
        if (token.kind() == Token.Kind.NUMBER || token.is("-")) {
            return OperandParser.number(tokens).value();
        }
        tokens.take();
        if (token.kind() == Token.Kind.STRING) {
            return token.text();
        }
        if (token.is("true") || token.is("false")) {
            return token.is("true");
        }
        throw new Mistake(token.at(), Code.G043, "a text, a number, true or false is expected, not " + token.shown());
    }

    private String code() throws Mistake {
        return word("a reason code");
    }

    private String word(String what) throws Mistake {
        Token at = tokens.peek();
        String text = text(what);
        if (!WORD.matcher(text).matches()) {
            throw new Mistake(
                    at.at(),
                    Code.G043,
                    what + " is a letter and up to 63 letters, digits or _ . : -",
                    "like \"NO_EGRESS\"");
        }
        return text;
    }

    private String oneOf(String what, List<String> allowed) throws Mistake {
        Token at = tokens.peek();
        String text = text(what);
        if (!allowed.contains(text)) {
            throw new Mistake(at.at(), Code.G043, what + " is one of " + String.join(", ", allowed), null);
        }
        return text;
    }

    private String text(String what) throws Mistake {
        Token token = tokens.take();
        if (token.kind() != Token.Kind.STRING) {
            throw new Mistake(token.at(), Code.G043, what + " in quotes is expected, not " + token.shown());
        }
        return token.text();
    }

    private void expect(String symbol) throws Mistake {
        Token token = tokens.peek();
        if (!tokens.take(symbol)) {
            throw new Mistake(token.at(), Code.G043, "`" + symbol + "` is expected, not " + token.shown());
        }
    }
}
