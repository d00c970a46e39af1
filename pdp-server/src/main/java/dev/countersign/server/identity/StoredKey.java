package dev.countersign.server.identity;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A key as it stands in the table, without its secret, which stands nowhere.
 *
 * @param id the visible prefix
 * @param tenant whose it is; {@code null} for the operator
 * @param name what it is called
 * @param roles what it may do
 * @param person whose it is; {@code null} for a service
 * @param createdAt when it was made
 * @param createdBy the visible prefix of the key that made it; {@code null} if the first start did
 * @param expiresAt from when on it is not good; {@code null} for never
 * @param revokedAt when it was revoked
 * @param revokedBy the visible prefix of the key that revoked it
 * @param replaces the visible prefix of the key in whose place it came
 * @param life how long it was made to be good for, whatever has shortened that since; {@code null} for ever
 */
public record StoredKey(
        String id,
        @Nullable String tenant,
        String name,
        List<Role> roles,
        @Nullable Person person,
        Instant createdAt,
        @Nullable String createdBy,
        @Nullable Instant expiresAt,
        @Nullable Instant revokedAt,
        @Nullable String revokedBy,
        @Nullable String replaces,
        @Nullable Duration life) {
    /** A human of a tenant, however many keys of theirs there are. */
    public record Person(UUID id, String name) {}

    /** Whether a key lets anybody in, and if not, why. */
    public enum State {
        GOOD,
        EXPIRED,
        REVOKED
    }

    /** The state at an instant. */
    public State state(Instant now) {
        if (revokedAt != null) {
            return State.REVOKED;
        }
        return expiresAt != null && !now.isBefore(expiresAt) ? State.EXPIRED : State.GOOD;
    }
}
