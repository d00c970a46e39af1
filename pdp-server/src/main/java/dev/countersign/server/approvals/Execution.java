package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One run of an action, as whoever ran it reports it (seed 000, {@code action_executions}).
 *
 * @param executionId by which it is named
 * @param action the action
 * @param status what became of it
 * @param attempts how often it was tried
 * @param errorClass what kind of failure it was, in the words of seed 000
 * @param resultDigest the digest of what it gave
 * @param approval the approval that let it run
 * @param decision the decision
 * @param startedAt when it was let run
 * @param endedAt when it was reported
 */
public record Execution(
        String executionId,
        String action,
        Status status,
        int attempts,
        @Nullable String errorClass,
        @Nullable String resultDigest,
        @Nullable UUID approval,
        @Nullable UUID decision,
        Instant startedAt,
        @Nullable Instant endedAt) {
    /** What became of a run. */
    public enum Status implements Worded {
        /** It was begun, and nothing more is known. */
        STARTED,
        /** It did what it should. */
        SUCCEEDED,
        /** It failed. */
        FAILED,
        /** Nobody knows what it did. */
        UNKNOWN,
        /** It certainly did nothing. */
        NOT_STARTED
    }

    /** Whether a report says the same of the run. */
    boolean says(Receipt receipt) {
        return status == receipt.status()
                && attempts == receipt.attempts()
                && java.util.Objects.equals(errorClass, receipt.errorClass())
                && java.util.Objects.equals(resultDigest, receipt.resultDigest());
    }

    /**
     * What is reported.
     *
     * @param status what became of it
     * @param attempts how often it was tried
     * @param errorClass what kind of failure it was
     * @param resultDigest the digest of what it gave
     */
    public record Receipt(
            Status status,
            int attempts,
            @Nullable String errorClass,
            @Nullable String resultDigest) {}
}
