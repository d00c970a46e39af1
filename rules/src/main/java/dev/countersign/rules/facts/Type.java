package dev.countersign.rules.facts;

import java.time.Instant;
import java.util.List;

/** The type of an attribute or parameter, as {@code pack.yaml} names it in lower case. */
public enum Type implements Worded {
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

    /** Whether a value of a parameter or list is of this type. */
    boolean holds(Object value) {
        return switch (this) {
            case TEXT -> value instanceof String;
            case NUMBER -> value instanceof Double;
            case BOOL -> value instanceof Boolean;
            case TIME -> value instanceof Instant;
            case LIST -> value instanceof List<?>;
        };
    }
}
