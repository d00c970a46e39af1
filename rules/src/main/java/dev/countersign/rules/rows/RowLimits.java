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

    /** The most bytes that all {@code rule_expr} of one tenant come to, as JSON. */
    public static final long BYTES = 4L << 20;

    /** The most rows of one tenant. */
    public static final int ROWS = 50_000;

    /**
     * What a tenant has beside one row, enabled or not.
     *
     * @param alike rows with a {@code *} in the action if that row has one, else with the same action
     * @param rows all rows
     * @param bytes what their {@code rule_expr} come to
     */
    public record Others(int alike, int rows, long bytes) {}

    private RowLimits() {}

    /** Why a row cannot be added to {@code others}, or {@code null} if it can. */
    public static @Nullable JsonMistake exceeded(PolicyRow row, Others others) {
        long bytes = others.bytes() + bytes(row);
        if (others.rows() >= ROWS || bytes > BYTES) {
            return new JsonMistake(
                    "",
                    Code.J002,
                    "all policies together may be " + ROWS + ", and their `rule_expr` " + (BYTES >> 20) + " MiB",
                    "remove others, or use lists of a pack");
        }
        return exceeded(row, others.alike());
    }

    /** What the {@code rule_expr} of a row comes to, in bytes. */
    public static long bytes(PolicyRow row) {
        return row.ruleExpr() == null
                ? 0
                : row.ruleExpr().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }

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
