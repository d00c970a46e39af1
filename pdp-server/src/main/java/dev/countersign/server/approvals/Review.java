package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What one person says of an access request.
 *
 * @param person who
 * @param inPlaceOf the person whose place it takes, by delegation
 * @param stage in which round
 * @param vote what
 * @param key the visible prefix of the key: the person's, or that of whoever relayed it
 * @param note why, in their words
 * @param at when
 * @param statement by which it was relayed; {@code null} if the person's own key reviewed
 */
public record Review(
        UUID person,
        @Nullable UUID inPlaceOf,
        int stage,
        Vote vote,
        String key,
        @Nullable String note,
        Instant at,
        @Nullable Statement statement) {
    /**
     * What an issuer has signed about it.
     *
     * @param issuer the registration of the issuer
     * @param id its {@code jti}
     */
    public record Statement(UUID issuer, String id) {}

    /** What can be said. */
    public enum Vote implements Worded {
        /** It may run. */
        APPROVE,
        /** It must not. */
        DENY
    }
}
