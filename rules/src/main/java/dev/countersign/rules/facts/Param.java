package dev.countersign.rules.facts;

import org.jspecify.annotations.Nullable;

/**
 * A named value that rules compare with, {@code param("name")}: declared with a default by a pack, and given another
 * value by an environment variable or a tenant without touching a rule.
 *
 * @param pack the pack that declares it
 * @param name its name
 * @param type text, number, bool or time
 * @param value the default: a {@code String}, {@code Double}, {@code Boolean} or {@code Instant}
 * @param env the environment variable that may replace the default, or {@code null}
 * @param description what it is for; may be empty
 */
public record Param(
        String pack,
        String name,
        Type type,
        Object value,
        @Nullable String env,
        String description) implements Declaration {
    @Override
    public Object byDefault() {
        return value;
    }

    @Override
    public Object parse(String text) {
        return switch (type) {
            case TEXT -> text;
            case NUMBER -> {
                double number = Double.parseDouble(text.trim());
                if (!Double.isFinite(number)) {
                    throw new IllegalArgumentException("not a finite number");
                }
                yield number;
            }
            case BOOL ->
                switch (text.trim()) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException("neither true nor false");
                };
            case TIME -> {
                var time = Attribute.parseTime(text.trim());
                if (time == null) {
                    throw new IllegalArgumentException("not an RFC 3339 date-time");
                }
                yield time;
            }
            case LIST -> throw new IllegalArgumentException("a parameter is a single value");
        };
    }
}
