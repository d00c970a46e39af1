package dev.countersign.rules.verdict;

import java.util.Locale;

/** What a verdict comes to. */
public enum Outcome {
    /** The call may run. */
    ALLOW,
    /** The call may run once humans approve it. */
    REQUIRE_APPROVAL,
    /** The call must not run. */
    DENY;

    /** The word on the wire and in scenarios. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
