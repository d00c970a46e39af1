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
 * @param key the visible prefix of the key
 * @param note why, in their words
 * @param at when
 */
public record Review(
        UUID person,
        @Nullable UUID inPlaceOf,
        int stage,
        Vote vote,
        String key,
        @Nullable String note,
        Instant at) {
    /** What can be said. */
    public enum Vote implements Worded {
        /** It may run. */
        APPROVE,
        /** It must not. */
        DENY
    }
}
