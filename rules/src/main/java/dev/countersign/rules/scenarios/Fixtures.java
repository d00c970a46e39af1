package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Named parts of requests.
 *
 * @param parts the objects by name, for each part of a request: {@code subject}, {@code action}, ...
 */
record Fixtures(Map<String, Map<String, JsonNode>> parts) {
    /** The parts of a request. */
    static final List<String> PARTS = List.of("subject", "action", "resource", "context");

    private static final Map<String, String> PART_OF =
            Map.of("subjects", "subject", "actions", "action", "resources", "resource", "contexts", "context");

    /** No fixtures. */
    static final Fixtures NONE = new Fixtures(Map.of());

    /** Whether a text names a part of a request, or a path into one. */
    static boolean isPath(String column) {
        return PARTS.contains(column.split("\\.", 2)[0]) && !("." + column + ".").contains("..");
    }

    /** These fixtures, with those that {@code value} writes put over them. */
    Fixtures with(@Nullable Yaml value, Mistakes mistakes) {
        if (value == null) {
            return this;
        }
        var out = new LinkedHashMap<String, Map<String, JsonNode>>(parts);
        mistakes.object(value, "`fixtures`", List.of("subjects", "actions", "resources", "contexts"))
                .forEach((kind, named) -> {
                    String part = PART_OF.getOrDefault(kind, kind);
                    var all = new LinkedHashMap<>(out.getOrDefault(part, Map.of()));
                    if (!named.json().isObject()) {
                        mistakes.error(named.line(), "`" + kind + "` must be an object of named " + kind);
                    }
                    named.members().forEach((name, fixture) -> {
                        if (fixture.json().isObject()) {
                            all.put(name, fixture.json());
                        } else {
                            mistakes.error(fixture.line(), "the fixture `" + name + "` must be an object");
                        }
                    });
                    out.put(part, all);
                });
        return new Fixtures(out);
    }

    /** The part that a value names or writes out; {@code null} for none, and after an error. */
    @Nullable
    JsonNode part(String part, Yaml value, Mistakes mistakes) {
        JsonNode json = value.json();
        if (json.isObject()) {
            return json;
        }
        if (json.isTextual()) {
            Map<String, JsonNode> named = parts.getOrDefault(part, Map.of());
            JsonNode fixture = named.get(json.textValue());
            if (fixture == null) {
                mistakes.unknown(
                        value.line(),
                        "no " + part + " fixture is named `" + json.textValue() + "`",
                        json.textValue(),
                        named.keySet());
            }
            return fixture;
        }
        if (!json.isNull()) {
            mistakes.error(value.line(), "`" + part + "` must be the name of a fixture, or an object");
        }
        return null;
    }
}
