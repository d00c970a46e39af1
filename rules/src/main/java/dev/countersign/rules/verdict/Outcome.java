package dev.countersign.rules.verdict;

/** What a verdict comes to. */
public enum Outcome {
    /** The call may run. */
    ALLOW("allow"),
    /** The call may run once humans approve it. */
    REQUIRE_APPROVAL("require_approval"),
    /** The call must not run. */
    DENY("deny");

    private final String word;

    Outcome(String word) {
        this.word = word;
    }

    /** The word on the wire and in scenarios. */
    public String word() {
        return word;
    }
}
