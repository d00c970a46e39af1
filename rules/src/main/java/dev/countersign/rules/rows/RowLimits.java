package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import org.jspecify.annotations.Nullable;

/** How many rows a tenant, or the operator, may have: every one is a candidate for each request of its action. */
public final class RowLimits {
    /** The most rows of one tenant whose action is the same, without {@code *}. */
    public static final int PER_ACTION = 2_000;

    /** The most rows of one tenant whose action holds {@code *}. */
    public static final int PATTERNS = 500;

    private RowLimits() {}

    /**
     * Why a row cannot be added, or {@code null} if it can.
     *
     * @param others how many other rows the tenant has, enabled or not: with a {@code *} in the action if this one has one,
     *     else with the same action
     */
    public static @Nullable JsonMistake exceeded(PolicyRow row, int others) {
        if (row.pattern()) {
            return others < PATTERNS
                    ? null
                    : new JsonMistake(
                            "/action_pattern",
                            Code.J002,
                            "there are " + others + " policies with `*` in their action, and at most " + PATTERNS
                                    + " can be",
                            "name the action, or remove other policies");
        }
        return others < PER_ACTION
                ? null
                : new JsonMistake(
                        "/action_pattern",
                        Code.J002,
                        "there are " + others + " policies for this action, and at most " + PER_ACTION + " can be",
                        "remove others, or join them by `in` or a list");
    }
}
