package dev.countersign.server.webhooks;

import dev.countersign.rules.facts.Worded;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One event for one webhook, and what became of it.
 *
 * @param event the event's number
 * @param eventId what the receiver got, or will get, as {@code webhook-id}
 * @param attempts how often it was tried since it was queued or replayed
 * @param nextAt when it is tried next, if it waits
 * @param lastStatus the HTTP status of the last answer; {@code null} if there was none
 * @param lastError why the last attempt failed, in words for the tenant
 */
public record Delivery(
        UUID webhook,
        long event,
        UUID eventId,
        String eventType,
        Status status,
        int attempts,
        Instant nextAt,
        @Nullable Integer lastStatus,
        @Nullable String lastError,
        Instant createdAt,
        @Nullable Instant lastAt,
        @Nullable Instant endedAt) {
    /** Where it stands. */
    public enum Status implements Worded {
        /** It will be tried, for the first time or again. */
        WAITING,
        /** The receiver has it. */
        DELIVERED,
        /** It was tried as often as is any use, and is kept to be replayed. */
        DEAD
    }
}
