package dev.countersign.server.signing;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key that signs, will sign or has signed, without anything secret.
 *
 * @param id its {@code kid}
 * @param state what it is good for now
 * @param createdBy the visible prefix of the key that had it made; {@code null} if a server made it by itself
 * @param signFrom from when on it may sign, unless a newer one may
 * @param signUntil from when on it signs no more
 * @param verifiesUntil from when on nothing that it has signed is good, and it is deleted
 * @param revokedAt when it was revoked; {@code null} if it is not
 * @param revokedBy the visible prefix of the key that revoked it
 */
public record StoredSigningKey(
        String id,
        State state,
        Instant createdAt,
        @Nullable String createdBy,
        Instant signFrom,
        Instant signUntil,
        Instant verifiesUntil,
        @Nullable Instant revokedAt,
        @Nullable String revokedBy) {
    /** What a key is good for. */
    public enum State {
        /** It signs, and what it has signed is good. */
        SIGNS,
        /** It does not sign now; what it has signed is good. */
        VERIFIES,
        /** Nothing that it has signed is good. */
        REVOKED
    }
}
