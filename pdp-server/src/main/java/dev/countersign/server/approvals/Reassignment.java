package dev.countersign.server.approvals;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A reviewer's place on one access request that went to another person.
 *
 * @param from whose place it was; that person reviews the request no more
 * @param to who reviews in it
 * @param at when
 * @param key the visible prefix of the key that handed it on
 * @param by the person of that key; {@code null} for a service's
 * @param note why, in their words
 */
public record Reassignment(
        UUID from,
        UUID to,
        Instant at,
        String key,
        @Nullable UUID by,
        @Nullable String note) {}
