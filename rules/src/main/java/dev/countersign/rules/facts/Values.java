package dev.countersign.rules.facts;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The values of all parameters and lists for one tenant: what the tenant set, else what the environment sets, else the
 * pack's default. Immutable and shared by all requests of the tenant.
 */
public final class Values {
    private final Layout layout;
    private final Object[] params;
    private final TextSet[] lists;
    private final Map<String, Object> changed;

    private Values(Layout layout, Object[] params, TextSet[] lists, Map<String, Object> changed) {
        this.layout = layout;
        this.params = params;
        this.lists = lists;
        this.changed = changed;
    }

    /**
     * The values for a layout.
     *
     * @param layout the parameters and lists that the rule base reads
     * @param env environment variables by name; a pack says which one replaces a default
     * @param settings the tenant's own values by name, as {@link Setting#read} gives them; other names do not matter
     * @throws IllegalArgumentException if a variable or setting does not hold a value of the declared type; the message
     *     names it
     */
    public static Values of(Layout layout, Map<String, String> env, Map<String, Object> settings) {
        var changed = new TreeMap<String, Object>();
        Object[] params = new Object[layout.params().size()];
        layout.params().forEach((param, slot) -> params[slot] = value(param, env, settings, changed));
        TextSet[] lists = new TextSet[layout.lists().size()];
        layout.lists().forEach((list, slot) -> {
            var entries = (List<?>) value(list, env, settings, changed);
            lists[slot] = new TextSet(entries.stream().map(String::valueOf).toList());
        });
        return new Values(layout, params, lists, Collections.unmodifiableMap(changed));
    }

    private static Object value(
            Declaration declaration,
            Map<String, String> env,
            Map<String, Object> settings,
            Map<String, Object> changed) {
        Declaration.InForce found = declaration.inForce(env, settings);
        if (found.source() != Declaration.Source.DEFAULT) {
            changed.put(declaration.pack() + "/" + declaration.name(), found.value());
        }
        return found.value();
    }

    /** The layout whose slots these values fill. */
    public Layout layout() {
        return layout;
    }

    /** A parameter's value: {@code String}, {@code Double}, {@code Boolean} or {@code Instant} as it was declared. */
    public Object param(int slot) {
        return params[slot];
    }

    /** A list's entries. */
    public TextSet list(int slot) {
        return lists[slot];
    }

    /** What the environment or the tenant sets, by {@code pack/name}; for the record of a decision. */
    public Map<String, Object> changed() {
        return changed;
    }
}
