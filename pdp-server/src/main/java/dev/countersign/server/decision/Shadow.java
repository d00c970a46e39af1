package dev.countersign.server.decision;

import dev.countersign.rules.verdict.Verdict;

/**
 * What judges beside what answers, and never answers.
 *
 * @param policy it
 * @param observer is told what it says
 */
public record Shadow(TenantPolicy policy, Observer observer) {
    /** Who is told. Its methods are called on event loops. */
    public interface Observer {
        /** Of a decision that was answered the shadow says {@code verdict}. */
        void compared(Decided decided, Verdict verdict);

        /** A decision was not looked at, as too many were made at once. */
        void dropped();
    }
}
