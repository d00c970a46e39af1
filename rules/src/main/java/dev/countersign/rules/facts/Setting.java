package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A name that a tenant may give a value of its own, with all that declare it: they are of one type, and share the value.
 *
 * @param name the name
 * @param type what its values are
 * @param declarations what declares it: one of each pack, at least one
 */
public record Setting(String name, Type type, List<Declaration> declarations) {
    /** The most entries of a list. */
    public static final int MAX_ENTRIES = 10_000;

    /** The longest entry of a list, in UTF-16 units. */
    public static final int MAX_ENTRY = 1_000;

    /** The longest text, in UTF-16 units. */
    public static final int MAX_TEXT = 10_000;

    private static final int LONGEST_SHOWN = 100;
    private static final double EXACT_INTEGERS = 1L << 53;

    /** The setting that one declaration makes. */
    public static Setting of(Declaration declaration) {
        return new Setting(declaration.name(), declaration.type(), List.of(declaration));
    }

    /**
     * The settings of all packs together, by name in alphabetical order.
     *
     * @throws IllegalArgumentException if two packs declare one name with different types: no value could suit both
     */
    public static Map<String, Setting> of(Collection<Vocabulary> packs) {
        var byName = new TreeMap<String, Setting>();
        for (Vocabulary pack : packs) {
            pack.params().values().forEach(param -> byName.merge(param.name(), of(param), Setting::and));
            pack.lists().values().forEach(list -> byName.merge(list.name(), of(list), Setting::and));
        }
        return java.util.Collections.unmodifiableMap(byName);
    }

    /** Why these two declarations of one name cannot stand together, or {@code null} if they can. */
    public static @Nullable String conflict(Declaration one, Declaration other) {
        if (one.type() == other.type()) {
            return null;
        }
        String packs = one.pack().equals(other.pack())
                ? "the pack `" + one.pack() + "` declares `" + one.name() + "` twice"
                : "the packs `" + one.pack() + "` and `" + other.pack() + "` both declare `" + one.name() + "`";
        return packs + ", as " + one.type().word() + " and as " + other.type().word()
                + ": a tenant's value could not suit both, so rename one";
    }

    private Setting and(Setting other) {
        String conflict = conflict(declarations.get(0), other.declarations.get(0));
        if (conflict != null) {
            throw new IllegalArgumentException(conflict);
        }
        var all = new ArrayList<>(declarations);
        all.addAll(other.declarations);
        return new Setting(name, type, List.copyOf(all));
    }

    /**
     * The value that {@code json} holds for this setting.
     *
     * @throws IllegalArgumentException if it is of another type or beyond the bounds; the message names the setting and
     *     says what is expected
     */
    public Object read(JsonNode json) {
        return switch (type) {
            case TEXT -> text(json, json.isTextual(), MAX_TEXT);
            case NUMBER -> {
                expect(json, json.isNumber() && Double.isFinite(json.doubleValue()), "a number");
                yield json.doubleValue() + 0.0; // -0.0 becomes 0.0: JSON has one zero
            }
            case BOOL -> {
                expect(json, json.isBoolean(), "a bool");
                yield json.booleanValue();
            }
            case TIME -> {
                var time = json.isTextual() ? Attribute.parseTime(json.textValue()) : null;
                if (time == null) {
                    throw refusal(json, "a time such as 2026-03-02T09:00:00Z, between the years 0000 and 9999 in UTC");
                }
                yield time;
            }
            case LIST -> list(json);
        };
    }

    private List<String> list(JsonNode json) {
        expect(json, json.isArray(), "a list of texts");
        if (json.size() > MAX_ENTRIES) {
            throw new IllegalArgumentException(
                    "`" + name + "` has at most " + MAX_ENTRIES + " entries, not " + json.size());
        }
        var entries = new ArrayList<String>(json.size());
        for (JsonNode entry : json) {
            if (!entry.isTextual() || entry.textValue().isBlank()) {
                throw new IllegalArgumentException("`" + name + "` needs a list of texts, none of them blank; entry "
                        + (entries.size() + 1) + " is " + shown(entry));
            }
            entries.add(text(entry, true, MAX_ENTRY));
        }
        return List.copyOf(entries);
    }

    private String text(JsonNode json, boolean fits, int longest) {
        expect(json, fits, "a text");
        if (json.textValue().length() > longest) {
            String what = type == Type.LIST ? "an entry of `" + name + "`" : "`" + name + "`";
            throw new IllegalArgumentException(what + " has at most " + longest + " characters");
        }
        return json.textValue();
    }

    private void expect(JsonNode json, boolean fits, String what) {
        if (!fits) {
            throw refusal(json, what);
        }
    }

    private IllegalArgumentException refusal(JsonNode json, String what) {
        return new IllegalArgumentException("`" + name + "` needs " + what + ", not " + shown(json));
    }

    private static String shown(JsonNode json) {
        if (json.isContainerNode()) {
            return json.isArray() ? "a list" : "an object";
        }
        String text = json.isTextual() ? "`" + json.textValue() + "`" : json.toString();
        return text.length() <= LONGEST_SHOWN
                ? text
                : json.isTextual() ? "a text of " + json.textValue().length() + " characters" : "such a long number";
    }

    /** A value of this setting as JSON, of which {@link #read} makes the same value again. */
    public static JsonNode json(Object value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (value instanceof List<?> entries) {
            ArrayNode array = nodes.arrayNode();
            entries.forEach(entry -> array.add(String.valueOf(entry)));
            return array;
        }
        if (value instanceof Double number) {
            return number == Math.rint(number) && Math.abs(number) < EXACT_INTEGERS
                    ? nodes.numberNode(number.longValue())
                    : nodes.numberNode(number);
        }
        return value instanceof Boolean holds ? nodes.booleanNode(holds) : nodes.textNode(value.toString());
    }
}
