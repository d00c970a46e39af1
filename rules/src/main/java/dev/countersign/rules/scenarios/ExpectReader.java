package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the demands of a case. */
final class ExpectReader {
    /** The keys of {@code expect}; a column of a table with such a name is a demand too. */
    static final List<String> KEYS = List.of("decision", "reasons", "matched", "not_matched", "obligations", "missing");

    private final Mistakes mistakes;
    private final List<String> rules;

    ExpectReader(Mistakes mistakes, Pack pack) {
        this.mistakes = mistakes;
        this.rules = pack.rules().stream().map(Rule::name).toList();
    }

    /** The demands that these members write, or {@code null} after an error about the decision. */
    @Nullable
    Expectation read(Map<String, Yaml> members, int line) {
        String word = mistakes.required(members, "decision", line);
        Outcome decision = word == null ? null : decision(word, members);
        Yaml reasons = members.get("reasons");
        Yaml obligations = members.get("obligations");
        Yaml missing = members.get("missing");
        Set<String> codes = reasons == null ? null : Set.copyOf(mistakes.texts(reasons, "`reasons`"));
        List<String> matched = globs(members, "matched");
        List<String> notMatched = globs(members, "not_matched");
        List<Effect> effects = obligations == null ? null : obligations(obligations);
        String attribute = missing == null ? null : mistakes.text(missing, "`missing`");
        return decision == null ? null : new Expectation(decision, codes, matched, notMatched, effects, attribute);
    }

    /** The decision that {@code word} names, or {@code null} after an error. */
    @Nullable
    Outcome decision(String word, Map<String, Yaml> members) {
        for (Outcome outcome : Outcome.values()) {
            if (outcome.word().equals(word)) {
                return outcome;
            }
        }
        Yaml value = members.get("decision");
        if (value != null) {
            mistakes.unknown(
                    value.line(),
                    "there is no decision `" + word + "`",
                    word,
                    Arrays.stream(Outcome.values()).map(Outcome::word).toList());
        }
        return null;
    }

    /** A name that fits no rule of the pack would be a demand that never, or always, fails. */
    private List<String> globs(Map<String, Yaml> members, String key) {
        Yaml value = members.get(key);
        if (value == null) {
            return List.of();
        }
        List<String> globs = mistakes.texts(value, "`" + key + "`");
        if (value.json().isArray() && value.json().isEmpty()) {
            mistakes.error(
                    value.line(),
                    "an empty `" + key + "` checks nothing",
                    "leave it out; that no rule may match is `not_matched: [\"*\"]`");
        }
        for (String glob : globs) {
            if (rules.stream().noneMatch(new Glob(glob)::matches)) {
                mistakes.unknown(value.line(), "no rule of this pack is named `" + glob + "`", glob, rules);
            }
        }
        return globs;
    }

    private List<Effect> obligations(Yaml list) {
        var out = new ArrayList<Effect>();
        if (!list.json().isArray()) {
            mistakes.error(list.line(), "`obligations` must be a list");
        }
        for (Yaml element : list.elements()) {
            Effect effect = element.json().has("limit")
                    ? limit(element)
                    : element.json().has("transform") ? transform(element) : oblige(element);
            if (effect != null) {
                out.add(effect);
            }
        }
        return List.copyOf(out);
    }

    private @Nullable Effect limit(Yaml element) {
        Map<String, Yaml> members = mistakes.object(element, "a limit", List.of("limit", "max", "per"));
        String name = mistakes.required(members, "limit", element.line());
        String per = mistakes.required(members, "per", element.line());
        Yaml max = members.get("max");
        if (max == null || !max.json().isNumber()) {
            mistakes.error(max == null ? element.line() : max.line(), "`max` of a limit must be a number");
            return null;
        }
        return name == null || per == null
                ? null
                : new Effect.Limit(name, max.json().doubleValue(), per);
    }

    private @Nullable Effect transform(Yaml element) {
        Map<String, Yaml> members = mistakes.object(element, "a transform", List.of("transform", "value"));
        String name = mistakes.required(members, "transform", element.line());
        String value = mistakes.required(members, "value", element.line());
        return name == null || value == null ? null : new Effect.Transform(name, value);
    }

    private @Nullable Effect oblige(Yaml element) {
        Map<String, Yaml> members = mistakes.object(element, "an obligation", List.of("type", "properties"));
        String type = mistakes.required(members, "type", element.line());
        var properties = new LinkedHashMap<String, Object>();
        Yaml given = members.get("properties");
        if (given != null && !given.json().isObject()) {
            mistakes.error(given.line(), "`properties` of an obligation must be an object");
        } else if (given != null) {
            given.members().forEach((name, member) -> {
                JsonNode value = member.json();
                if (value.isTextual()) {
                    properties.put(name, value.textValue());
                } else if (value.isNumber()) {
                    properties.put(name, value.doubleValue());
                } else if (value.isBoolean()) {
                    properties.put(name, value.booleanValue());
                } else {
                    mistakes.error(member.line(), "`" + name + "` must be a text, a number, true or false");
                }
            });
        }
        return type == null ? null : new Effect.Oblige(type, properties);
    }
}
