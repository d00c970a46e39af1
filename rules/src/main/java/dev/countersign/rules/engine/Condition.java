package dev.countersign.rules.engine;

import dev.countersign.rules.facts.Request;

/**
 * A condition made ready to run, in Kleene's three-valued logic: a test on a value that is not known is itself unknown,
 * so absent is not false.
 */
@FunctionalInterface
public interface Condition {
    /** The condition does not hold. */
    int FALSE = 0;
    /** Whether it holds cannot be known. */
    int UNKNOWN = 1;
    /** The condition holds. */
    int TRUE = 2;

    /** {@link #FALSE}, {@link #UNKNOWN} or {@link #TRUE}, whatever the request; it never throws. */
    int test(Request request);

    /** The smaller of both: false beats unknown beats true. */
    static Condition and(Condition a, Condition b) {
        return request -> {
            int first = a.test(request);
            return first == FALSE ? FALSE : Math.min(first, b.test(request));
        };
    }

    /** The larger of both: true beats unknown beats false. */
    static Condition or(Condition a, Condition b) {
        return request -> {
            int first = a.test(request);
            return first == TRUE ? TRUE : Math.max(first, b.test(request));
        };
    }

    /** True for false, false for true, and still unknown for unknown. */
    static Condition not(Condition a) {
        return request -> TRUE - a.test(request);
    }

    /** True or false, the other way round if {@code negated}. */
    static int known(boolean holds, boolean negated) {
        return holds != negated ? TRUE : FALSE;
    }
}
