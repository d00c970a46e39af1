package dev.countersign.server.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.dialect.Regex;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One walk through a schema, which finds what it may not hold although JSON Schema would let it: keywords that nobody knows
 * (a misspelt one would check nothing), references to anywhere else, schemas that hold themselves, patterns that are not RE2,
 * and more parts than can be asked in a decision.
 */
final class SchemaScreen {
    /** The draft. */
    static final String DRAFT = "https://json-schema.org/draft/2020-12/schema";

    /** The most that a schema may cost: its parts, with each reference replaced by what it refers to. */
    static final int MAX_COST = 2_000;

    private static final int MAX_HEIGHT = 64;
    private static final int PROGRAM_PER_COST = 10;

    private static final Set<String> SAYS_NOTHING = Set.of(
            "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "format");
    private static final Set<String> VALUES = Set.of(
            "type",
            "enum",
            "const",
            "multipleOf",
            "maximum",
            "exclusiveMaximum",
            "minimum",
            "exclusiveMinimum",
            "maxLength",
            "minLength",
            "maxItems",
            "minItems",
            "maxContains",
            "minContains",
            "maxProperties",
            "minProperties",
            "required",
            "dependentRequired");
    private static final Set<String> ONE = Set.of(
            "additionalProperties",
            "propertyNames",
            "items",
            "contains",
            "not",
            "if",
            "then",
            "else",
            "unevaluatedProperties",
            "unevaluatedItems");
    private static final Set<String> MANY = Set.of("allOf", "anyOf", "oneOf", "prefixItems");
    private static final Set<String> NAMED = Set.of("properties", "patternProperties", "dependentSchemas");

    /** What a schema, and all that it holds, comes to. */
    private record Size(int cost, int height) {}

    /** A schema within the schema: what it holds, and where it refers to. */
    private static final class Part {
        final List<String> holds = new ArrayList<>();
        int own = 1;
        boolean entered;

        @Nullable
        Size size;
    }

    private final String root;
    private final List<JsonMistake> mistakes = new ArrayList<>();
    private final Map<String, Part> parts = new HashMap<>();
    private boolean patterns;

    /** @param root the pointer of the schema in what holds it, for mistakes */
    SchemaScreen(String root) {
        this.root = root;
    }

    /** Looks through a schema, once. */
    SchemaScreen walk(JsonNode schema) {
        if (!schema.isObject()) {
            refuse("", "a schema is an object");
            return this;
        }
        part("", schema);
        if (mistakes.isEmpty()) {
            Size size = size("");
            if (mistakes.isEmpty() && (size.cost() > MAX_COST || size.height() > MAX_HEIGHT)) {
                refuse(
                        "",
                        "the schema has more than " + MAX_COST + " parts, or more than " + MAX_HEIGHT
                                + " within one another, once each reference is replaced by what it refers to");
            }
        }
        return this;
    }

    /** What was found. */
    List<JsonMistake> mistakes() {
        return mistakes;
    }

    /** What the schema costs, at most {@link #MAX_COST} if there are no mistakes. */
    int cost() {
        return size("").cost();
    }

    /** Whether texts are held against patterns. */
    boolean patterns() {
        return patterns;
    }

    private void part(String at, JsonNode schema) {
        var part = new Part();
        parts.put(at, part);
        if (schema.isBoolean()) {
            return;
        }
        if (!schema.isObject()) {
            refuse(at, "a schema is an object, true or false");
            return;
        }
        schema.properties().forEach(member -> keyword(part, at, member.getKey(), member.getValue()));
    }

    private void keyword(Part part, String at, String name, JsonNode value) {
        String here = at + "/" + escaped(name);
        if (ONE.contains(name)) {
            hold(part, here, value);
        } else if (MANY.contains(name)) {
            for (int i = 0; i < value.size(); i++) {
                hold(part, here + "/" + i, value.path(i));
            }
        } else if (NAMED.contains(name)) {
            value.properties().forEach(each -> hold(part, here + "/" + escaped(each.getKey()), each.getValue()));
            if (name.equals("patternProperties")) {
                value.fieldNames().forEachRemaining(pattern -> pattern(part, here + "/" + escaped(pattern), pattern));
            }
        } else if (name.equals("$defs")) {
            value.properties().forEach(each -> part(here + "/" + escaped(each.getKey()), each.getValue()));
        } else if (name.equals("pattern")) {
            pattern(part, here, value.asText());
        } else if (name.equals("$ref")) {
            reference(part, here, value.asText());
        } else if (name.equals("$schema")) {
            if (!at.isEmpty() || !value.asText().equals(DRAFT)) {
                refuse(here, "`$schema` stands at the top and is " + DRAFT);
            }
        } else if (VALUES.contains(name)) {
            part.own++;
        } else if (!SAYS_NOTHING.contains(name)) {
            refuse(here, "a schema has no such keyword here");
        }
    }

    private void hold(Part part, String at, JsonNode schema) {
        part.holds.add(at);
        part(at, schema);
    }

    private void pattern(Part part, String at, String text) {
        patterns = true;
        try {
            Pattern pattern = Regex.bounded(text);
            if (pattern == null) {
                refuse(at, "the pattern repeats too much");
            } else {
                part.own += 1 + pattern.programSize() / PROGRAM_PER_COST;
            }
        } catch (PatternSyntaxException e) {
            refuse(at, "bad pattern: " + e.getDescription() + "; patterns are RE2 syntax");
        }
    }

    /** References are pointers within the schema, without anything that is written with a per cent sign. */
    private void reference(Part part, String at, String text) {
        if (!text.equals("#") && !text.startsWith("#/") || text.indexOf('%') >= 0) {
            refuse(at, "a `$ref` refers to a place in this schema, such as `#/$defs/name`, and to nothing else");
        } else {
            part.holds.add(text.substring(1));
        }
    }

    private Size size(String at) {
        Part part = parts.get(at);
        if (part == null) {
            refuse("", "there is no schema at the `$ref` #" + at);
            return new Size(0, 0);
        }
        if (part.size != null) {
            return part.size;
        }
        if (part.entered) {
            refuse(at, "a schema must not hold itself, not by a `$ref` either");
            return new Size(0, 0);
        }
        part.entered = true;
        long cost = part.own;
        int height = 0;
        for (String held : part.holds) {
            Size size = size(held);
            cost += size.cost();
            height = Math.max(height, size.height());
        }
        var size = new Size((int) Math.min(cost, MAX_COST + 1L), Math.min(height, MAX_HEIGHT) + 1);
        part.size = size;
        return size;
    }

    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private void refuse(String at, String message) {
        mistakes.add(new JsonMistake(root + at, Code.J001, message, null));
    }
}
