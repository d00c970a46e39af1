package dev.countersign.server.identity;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All keys that were good at one instant, found by their digest: the time a look-up takes tells nothing about a secret.
 * Immutable.
 *
 * @param byHash the caller of each key, by the SHA-256 of the key
 */
public record KeyRing(Map<ByteBuffer, Caller> byHash) {
    /** No keys. */
    public static final KeyRing NONE = new KeyRing(Map.of());

    /**
     * The caller whose key {@code authorization} carries as a bearer token, or {@code null} if it is none that is good now.
     *
     * @param sha256 a digest that no other thread uses
     * @param clock tells whether the key has expired
     */
    public @Nullable Caller caller(@Nullable String authorization, MessageDigest sha256, InstantSource clock) {
        if (authorization == null || !authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return null;
        }
        byte[] secret = authorization.substring(7).trim().getBytes(StandardCharsets.UTF_8);
        Caller caller = byHash.get(ByteBuffer.wrap(sha256.digest(secret)));
        return caller == null || caller.until() == null || clock.instant().isBefore(caller.until()) ? caller : null;
    }
}
