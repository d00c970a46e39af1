package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A typed name that rules may use, with the one place its value comes from.
 *
 * @param name the bare or dotted name that rules write
 * @param type what its value is; a value of another type is {@link Unavailable}
 * @param source where the value is read; {@code null} for what the server itself supplies
 * @param builtIn the built-in field that this is, or {@code null} for an attribute that a pack declares
 * @param precedence whose word counts where the store of entities may know the value, too
 */
public record Attribute(
        String name,
        Type type,
        @Nullable SourcePath source,
        @Nullable BuiltIn builtIn,
        Precedence precedence) {
    /** The longest text, in UTF-16 units, that rules judge; a longer one is {@link Unavailable}. */
    public static final int MAX_TEXT = 65_536;

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant AFTER_LAST = Instant.parse("+10000-01-01T00:00:00Z");

    /** Whether every request has this attribute, so that no test on it can be unknown. */
    public boolean required() {
        return builtIn != null && builtIn.required;
    }

    /**
     * The attribute's value in {@code call}: a {@code String}, {@code Double}, {@code Boolean}, {@code Instant} or
     * {@code List<@Nullable String>} as its type says, {@code null} if absent, or {@link Unavailable}.
     */
    public @Nullable Object read(Call call) {
        return typed(raw(call));
    }

    /**
     * What stands for this attribute before its type is looked at: a node, a list of nodes, {@code null} if absent, or
     * {@link Unavailable}.
     */
    public @Nullable Object raw(Call call) {
        if (source == null) {
            return null;
        }
        JsonNode registered = registered(call);
        if (registered != null) {
            return registered;
        }
        if (precedence == Precedence.STORE) {
            return source.stored(call);
        }
        Object sent = source.read(call);
        return sent == null && call.stored() != null && source.storable() ? source.stored(call) : sent;
    }

    private @Nullable JsonNode registered(Call call) {
        return call.registered() == null || source == null
                ? null
                : call.registered().at(source, call.toolCall());
    }

    /**
     * Who says what {@link #raw} gives; {@code null} where nobody says anything, and where the registry of actions does. For
     * the record of a decision.
     */
    public @Nullable Precedence saidBy(Call call) {
        return raw(call) == null || registered(call) != null
                ? null
                : precedence == Precedence.CALLER && source != null && source.read(call) != null
                        ? Precedence.CALLER
                        : Precedence.STORE;
    }

    private @Nullable Object typed(@Nullable Object raw) {
        if (raw == null || raw == Unavailable.VALUE) {
            return raw;
        }
        if (type == Type.LIST) {
            return list(raw);
        }
        if (!(raw instanceof JsonNode node)) {
            return Unavailable.VALUE;
        }
        return switch (type) {
            case TEXT -> judgeable(node) ? node.textValue() : Unavailable.VALUE;
            case NUMBER ->
                node.isNumber() && Double.isFinite(node.doubleValue())
                        ? (Object) node.doubleValue()
                        : Unavailable.VALUE;
            case BOOL -> node.isBoolean() ? (Object) node.booleanValue() : Unavailable.VALUE;
            case TIME -> node.isTextual() ? time(node.textValue()) : Unavailable.VALUE;
            case LIST -> throw new IllegalStateException("lists are read above");
        };
    }

    /** Tests take time in proportion to the text, and they run on the event loop. */
    private static boolean judgeable(JsonNode node) {
        return node.isTextual() && node.textValue().length() <= MAX_TEXT;
    }

    private static Object time(String text) {
        if (text.length() < 5 || text.charAt(4) != '-') {
            return Unavailable.VALUE; // RFC 3339 has years of four digits
        }
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            return Unavailable.VALUE;
        }
    }

    private static Object list(Object raw) {
        Iterable<?> elements;
        if (raw instanceof List<?> many) {
            elements = many;
        } else if (raw instanceof JsonNode node && node.isArray()) {
            elements = node;
        } else {
            return Unavailable.VALUE;
        }
        var out = new ArrayList<@Nullable String>();
        for (Object element : elements) {
            out.add(element instanceof JsonNode node && judgeable(node) ? node.textValue() : null);
        }
        return out;
    }

    /**
     * The value of a time that an author or a tenant wrote, or {@code null} if {@code text} is not an RFC 3339 date-time,
     * or one whose offset takes it out of the years 0000 to 9999 in UTC: as an instant it could be written but not read.
     */
    public static @Nullable Instant parseTime(String text) {
        return time(text) instanceof Instant instant && !instant.isBefore(FIRST) && instant.isBefore(AFTER_LAST)
                ? instant
                : null;
    }
}
