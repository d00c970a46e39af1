package dev.countersign.tools;

import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One execution of a tool as the caller ordered it.
 *
 * @param executionId the caller's own unguessable id, 1 to 200 of {@code A-Z a-z 0-9 . _ : -}; goes out as an idempotency key
 * @param deadline when the caller stops waiting
 * @param decisionId the decision that allowed the call
 * @param approvalId the approval that the call uses, if it needed one
 */
public record Run(
        String executionId,
        Instant deadline,
        @Nullable String decisionId,
        @Nullable String approvalId) {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:-]{1,200}");

    public Run {
        if (!ID.matcher(executionId).matches()) {
            throw new IllegalArgumentException("an execution id is 1 to 200 of A-Z a-z 0-9 . _ : -");
        }
    }
}
