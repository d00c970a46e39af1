package dev.countersign.server.separation;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One person's permission to another to review in the one's place.
 *
 * @param tenant the tenant of both
 * @param id its id
 * @param from in whose place
 * @param to who reviews
 * @param validFrom from when on
 * @param validUntil until when, that moment not included
 * @param scope a pattern of the names of actions, in which {@code *} stands for any characters; {@code null} for all
 * @param createdAt when it was made
 * @param createdBy the visible prefix of the key that made it
 * @param revokedAt when it was ended, or {@code null}
 * @param revokedBy the visible prefix of the key that ended it, or {@code null}
 */
public record Delegation(
        String tenant,
        UUID id,
        UUID from,
        UUID to,
        Instant validFrom,
        Instant validUntil,
        @Nullable String scope,
        Instant createdAt,
        String createdBy,
        @Nullable Instant revokedAt,
        @Nullable String revokedBy) {
    private static final int MAX_SCOPE = 200;

    /**
     * A delegation.
     *
     * @throws IllegalArgumentException if it could never be in force; the message says why
     */
    public Delegation {
        if (from.equals(to)) {
            throw new IllegalArgumentException("nobody reviews in the own place: name two persons");
        }
        if (!validUntil.isAfter(validFrom)) {
            throw new IllegalArgumentException("a delegation ends after it begins");
        }
        if (scope != null
                && (scope.isEmpty() || scope.indexOf(0) >= 0 || scope.codePointCount(0, scope.length()) > MAX_SCOPE)) {
            throw new IllegalArgumentException(
                    "the scope of a delegation is a pattern of 1 to " + MAX_SCOPE + " characters without NUL");
        }
    }

    /** One that nobody has revoked. */
    public static Delegation made(
            String tenant,
            UUID id,
            UUID from,
            UUID to,
            Instant validFrom,
            Instant validUntil,
            @Nullable String scope,
            Instant at,
            String by) {
        return new Delegation(tenant, id, from, to, validFrom, validUntil, scope, at, by, null, null);
    }
}
