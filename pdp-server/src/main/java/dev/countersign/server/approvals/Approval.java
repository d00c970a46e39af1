package dev.countersign.server.approvals;

import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What may be done because of an access request, once.
 *
 * @param id its id, which cannot be guessed
 * @param request the access request
 * @param status the state
 * @param approvedAt since when
 * @param useBy until when it can be used
 * @param state the signed reference that its holder presents
 * @param executionId by which the holder reports; {@code null} if it was not used so
 * @param decision the decision that let the call run
 * @param usedAt when that was
 * @param reportBy until when the report is waited for
 */
public record Approval(
        UUID id,
        UUID request,
        Status status,
        Instant approvedAt,
        Instant useBy,
        String state,
        @Nullable String executionId,
        @Nullable UUID decision,
        @Nullable Instant usedAt,
        @Nullable Instant reportBy) {
    /** The state as it is by now, whether or not somebody has noted it. */
    public Status now(Instant now) {
        if (status == Status.ACTIVE && !now.isBefore(useBy)) {
            return Status.EXPIRED;
        }
        return status == Status.RESERVED && reportBy != null && !now.isBefore(reportBy) ? Status.IN_DOUBT : status;
    }
}
