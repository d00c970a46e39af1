package dev.countersign.rules.explain;

import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.facts.Worded;

/** A value of the three-valued logic in which conditions are judged. */
public enum Truth implements Worded {
    /** It does not hold. */
    FALSE,
    /** Whether it holds cannot be known, for want of a usable value. */
    UNKNOWN,
    /** It holds. */
    TRUE;

    /** The truth that a {@link Condition} returned. */
    public static Truth of(int result) {
        return switch (result) {
            case Condition.FALSE -> FALSE;
            case Condition.TRUE -> TRUE;
            default -> UNKNOWN;
        };
    }
}
