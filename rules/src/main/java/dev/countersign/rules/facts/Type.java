package dev.countersign.rules.facts;

import java.util.Locale;

/** The type of an attribute or parameter, as {@code pack.yaml} names it in lower case. */
public enum Type {
    /** A JSON string. */
    TEXT,
    /** A JSON number, held as an IEEE double. */
    NUMBER,
    /** A JSON boolean. */
    BOOL,
    /** A JSON string that holds an RFC 3339 date-time with an offset. */
    TIME,
    /** A JSON array. Its strings are its members; an element of another kind counts, but its text is unknown. */
    LIST;

    /** The name that {@code pack.yaml}, diagnostics and documentation use. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
