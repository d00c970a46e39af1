package dev.countersign.server.decision;

import java.util.UUID;
import java.util.random.RandomGenerator;

/** Time-ordered ids (RFC 9562, version 7): 48 bits of milliseconds and 74 random bits. */
public final class UuidV7 {
    private UuidV7() {}

    /** An id of that instant. */
    public static UUID of(long epochMilli, RandomGenerator random) {
        long high = epochMilli << 16 | 0x7000 | random.nextLong() & 0x0fff;
        long low = random.nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new UUID(high, low);
    }

    /** The instant, in milliseconds since 1970, that an id carries. */
    public static long epochMilli(UUID id) {
        return id.getMostSignificantBits() >>> 16;
    }
}
