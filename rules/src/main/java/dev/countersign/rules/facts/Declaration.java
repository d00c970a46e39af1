package dev.countersign.rules.facts;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a pack declares under a name that rules read and tenants may set: a parameter or a list. Values are a
 * {@code String}, {@code Double}, {@code Boolean}, {@code Instant} or {@code List<String>} as the type says.
 */
public sealed interface Declaration permits Param, NamedList {
    /** Where a value comes from, the outermost first. */
    enum Source {
        /** The pack's own default. */
        DEFAULT,
        /** The environment variable that the pack names. */
        ENVIRONMENT,
        /** The tenant. */
        TENANT
    }

    /** A value in force, and where it comes from. */
    record InForce(Object value, Source source) {}

    /** The pack that declares it. */
    String pack();

    /** The name, which packs may share: then they share what a tenant sets, too. */
    String name();

    /** What its values are. */
    Type type();

    /** The value where neither environment nor tenant sets any. */
    Object byDefault();

    /** The environment variable that may replace the default, or {@code null}. */
    @Nullable
    String env();

    /** What it is for, in the pack author's words; may be empty. */
    String description();

    /**
     * The value that {@code text} writes in an environment variable.
     *
     * @throws IllegalArgumentException if it writes none of this type
     */
    Object parse(String text);

    /**
     * The value for a tenant: its own, else the environment's, else the default.
     *
     * @param env environment variables by name
     * @param settings the tenant's own values by name
     * @throws IllegalArgumentException if the value does not fit; the message names it
     */
    default InForce inForce(Map<String, String> env, Map<String, Object> settings) {
        Object set = settings.get(name());
        if (set != null) {
            if (!type().holds(set)) {
                throw new IllegalArgumentException("the setting `" + name() + "` holds no " + type().word());
            }
            return new InForce(set, Source.TENANT);
        }
        String text = env() == null ? null : env.get(env());
        if (text == null) {
            return new InForce(byDefault(), Source.DEFAULT);
        }
        try {
            return new InForce(parse(text), Source.ENVIRONMENT);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "`" + name() + "` of pack `" + pack() + "` (environment variable " + env() + ") needs a "
                            + type().word() + ", not `" + text + "`",
                    e);
        }
    }
}
