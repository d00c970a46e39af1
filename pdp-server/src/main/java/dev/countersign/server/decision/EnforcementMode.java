package dev.countersign.server.decision;

import dev.countersign.rules.facts.Worded;

/** What the caller's gate does with the answer, as the caller says it (seed 003). It changes nothing of the answer. */
public enum EnforcementMode implements Worded {
    /** The gate records and lets pass. */
    SHADOW,
    /** The gate blocks. */
    ENFORCE;
}
