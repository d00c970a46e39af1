package dev.countersign.server.decision;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the caller's gate does with the answer, as the caller says it (seed 003). It changes nothing of the answer. */
public enum EnforcementMode {
    /** The gate records and lets pass. */
    SHADOW,
    /** The gate blocks. */
    ENFORCE;

    /** The name on the wire and in the log. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The mode of that name, or {@code null} if there is none. */
    public static @Nullable EnforcementMode of(@Nullable String word) {
        for (EnforcementMode mode : values()) {
            if (mode.word().equals(word)) {
                return mode;
            }
        }
        return null;
    }
}
