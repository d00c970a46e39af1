package dev.countersign.rules.facts;

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
     * @param settings the tenant's own values by {@code name}: text, comma-separated for a list
     * @throws IllegalArgumentException if a variable or setting does not hold a value of the declared type; the message
     *     names it
     */
    public static Values of(Layout layout, Map<String, String> env, Map<String, String> settings) {
        var changed = new TreeMap<String, Object>();
        Object[] params = new Object[layout.params().size()];
        layout.params().forEach((param, slot) -> {
            String text = override(param.name(), param.env(), env, settings);
            params[slot] = text == null ? param.value() : parsed(param, text);
            if (text != null) {
                changed.put(param.pack() + "/" + param.name(), params[slot]);
            }
        });
        TextSet[] lists = new TextSet[layout.lists().size()];
        layout.lists().forEach((list, slot) -> {
            String text = override(list.name(), list.env(), env, settings);
            List<String> entries = text == null ? list.entries() : NamedList.parse(text);
            lists[slot] = new TextSet(entries);
            if (text != null) {
                changed.put(list.pack() + "/" + list.name(), entries);
            }
        });
        return new Values(layout, params, lists, changed);
    }

    private static @org.jspecify.annotations.Nullable String override(
            String name,
            @org.jspecify.annotations.Nullable String variable,
            Map<String, String> env,
            Map<String, String> settings) {
        String set = settings.get(name);
        return set != null || variable == null ? set : env.get(variable);
    }

    private static Object parsed(Param param, String text) {
        try {
            return param.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "`" + param.name() + "` of pack `" + param.pack() + "`"
                            + (param.env() == null ? "" : " (environment variable " + param.env() + ")")
                            + " needs a " + param.type().word() + ", not `" + text + "`",
                    e);
        }
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

    /** What differs from the packs' defaults, by {@code pack/name}; for the record of a decision. */
    public Map<String, Object> changed() {
        return java.util.Collections.unmodifiableMap(changed);
    }
}
