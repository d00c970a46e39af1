package dev.countersign.rules.facts;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A named list that rules test with {@code x memberOf list("name")}: declared with default entries by a pack, and
 * replaced by an environment variable or a tenant without touching a rule. An entry may hold {@code *}.
 *
 * @param pack the pack that declares it
 * @param name its name
 * @param entries the default entries
 * @param env the environment variable (comma-separated) that may replace them, or {@code null}
 * @param description what it is for; may be empty
 */
public record NamedList(
        String pack,
        String name,
        List<String> entries,
        @Nullable String env,
        String description) implements Declaration {
    @Override
    public Type type() {
        return Type.LIST;
    }

    @Override
    public Object byDefault() {
        return entries;
    }

    /** The entries that a comma-separated {@code text} writes; blanks around and between commas do not count. */
    @Override
    public List<String> parse(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(String::trim)
                .filter(entry -> !entry.isEmpty())
                .toList();
    }
}
