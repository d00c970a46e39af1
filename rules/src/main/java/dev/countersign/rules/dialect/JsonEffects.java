package dev.countersign.rules.dialect;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the {@code then} of policies that are written as JSON: the template of an approval, or a mode and limits. Each
 * becomes tokens of an action, and is read by the dialect's own parser.
 */
public final class JsonEffects {
    /** The most limits of one policy. */
    public static final int MAX_LIMITS = ConsequenceParser.MAX_ACTIONS - 1;

    private static final List<String> LIMIT = List.of("name", "max", "per");

    private final Vocabulary vocabulary;
    private final Consumer<JsonMistake> mistakes;

    /** What is written in an action, as tokens. */
    private interface Arguments {
        void write(JsonTokens tokens) throws Mistake;
    }

    /** A reader of one policy's effects; all its mistakes go to {@code mistakes}. */
    public JsonEffects(Vocabulary vocabulary, Consumer<JsonMistake> mistakes) {
        this.vocabulary = vocabulary;
        this.mistakes = mistakes;
    }

    /** An approval by the template that {@code then.template} names, else by {@code default}; {@code null} with its mistakes reported. */
    public @Nullable Effect approval(String code, JsonNode then, String pointer) {
        return action("requireApproval", pointer, tokens -> {
            JsonConditions.known(then, List.of("template"), pointer, tokens);
            String at = pointer + "/template";
            tokens.string(code, pointer).symbol(",", at);
            if (then.has("template")) {
                tokens.literal(then.path("template"), at);
            } else {
                tokens.string("default", at);
            }
        });
    }

    /** The mode and the limits, at least one of them; incomplete with its mistakes reported. */
    public List<Effect> modifications(JsonNode then, String pointer) {
        var out = new ArrayList<Effect>();
        var checked = new JsonTokens(pointer);
        try {
            JsonConditions.known(then, List.of("mode", "limits"), pointer, checked);
            if (then.isEmpty()) {
                throw new Mistake(checked.at(pointer), Code.J001, "`mode` or `limits` is missing");
            }
        } catch (Mistake mistake) {
            mistakes.accept(checked.mistake(mistake));
        }
        if (then.has("mode")) {
            Effect mode = action("transform", pointer, tokens -> {
                String at = pointer + "/mode";
                tokens.string("mode", at).symbol(",", at).literal(then.path("mode"), at);
            });
            if (mode != null) {
                out.add(mode);
            }
        }
        JsonNode limits = then.path("limits");
        if (then.has("limits") && (!limits.isArray() || limits.isEmpty() || limits.size() > MAX_LIMITS)) {
            mistakes.accept(new JsonMistake(
                    pointer + "/limits", Code.J001, "`limits` is a list of 1 to " + MAX_LIMITS + " limits", null));
            return out;
        }
        for (int i = 0; i < limits.size(); i++) {
            Effect limit = limit(limits.path(i), pointer + "/limits/" + i);
            if (limit != null) {
                out.add(limit);
            }
        }
        return out;
    }

    private @Nullable Effect limit(JsonNode limit, String pointer) {
        return action("limit", pointer, tokens -> {
            if (!limit.isObject()) {
                throw new Mistake(tokens.at(pointer), Code.J001, "a limit is an object, not " + JsonTokens.kind(limit));
            }
            JsonConditions.known(limit, LIMIT, pointer, tokens);
            for (String member : LIMIT) {
                String at = pointer + "/" + member;
                if (!limit.has(member)) {
                    throw new Mistake(tokens.at(at), Code.J001, "`" + member + "` is missing");
                }
                if (!member.equals(LIMIT.get(0))) {
                    tokens.symbol(",", at);
                }
                tokens.literal(limit.path(member), at);
            }
        });
    }

    private @Nullable Effect action(String verb, String pointer, Arguments arguments) {
        var tokens = new JsonTokens(pointer);
        try {
            tokens.word("decision", pointer)
                    .symbol(".", pointer)
                    .word(verb, pointer)
                    .symbol("(", pointer);
            arguments.write(tokens);
            tokens.symbol(")", pointer).symbol(";", pointer);
            return new ConsequenceParser(new Source("", "", new Diagnostics()), tokens.read(), vocabulary).action();
        } catch (Mistake mistake) {
            mistakes.accept(tokens.mistake(mistake));
            return null;
        }
    }

    /** Whether {@code text} can stand as a reason code. */
    public static boolean code(String text) {
        return ConsequenceParser.WORD.matcher(text).matches();
    }
}
