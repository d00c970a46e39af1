package dev.countersign.tools;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The record of one execution of a tool, seed 000's {@code action_executions}. It holds no argument, no result and no
 * message of an error.
 *
 * @param tool the tool's name
 * @param attempts how often the tool was called; 0 while the execution has just started
 * @param errorClass why it did not succeed
 * @param resultDigest SHA-256 of the result's compact JSON text in UTF-8, as 64 hex digits in lower case
 * @param endedAt when the last attempt ended or was given up
 */
public record Execution(
        String executionId,
        String tool,
        Status status,
        int attempts,
        @Nullable ErrorClass errorClass,
        @Nullable String resultDigest,
        @Nullable String decisionId,
        @Nullable String approvalId,
        Instant startedAt,
        @Nullable Instant endedAt) {

    /** Where an execution stands. */
    public enum Status {
        /** It may be running, or its server died. */
        STARTED,
        SUCCEEDED,
        /** It did not happen, or repeating it does no harm. */
        FAILED,
        /** Nothing was ever sent to the tool. */
        NOT_STARTED,
        /** Nobody here knows whether it happened: a person must look. */
        UNKNOWN;

        /** The status as the log and the wire have it, in lower case. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How long it took, from before the first attempt to the end; zero while it runs. */
    public Duration duration() {
        return endedAt == null ? Duration.ZERO : Duration.between(startedAt, endedAt);
    }

    static Execution started(Run run, String tool, Instant now) {
        return new Execution(
                run.executionId(), tool, Status.STARTED, 0, null, null, run.decisionId(), run.approvalId(), now, null);
    }

    Execution ended(Status end, int calls, @Nullable ErrorClass why, @Nullable String digest, Instant now) {
        return new Execution(executionId, tool, end, calls, why, digest, decisionId, approvalId, startedAt, now);
    }
}
