package dev.countersign.server.identity;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A tenant.
 *
 * @param id its id
 * @param name what it is called
 * @param createdAt when it was made
 * @param suspendedAt since when none of its keys is good; {@code null} if they are
 * @param suspendedBy the visible prefix of the key that suspended it
 */
public record Tenant(
        String id,
        String name,
        Instant createdAt,
        @Nullable Instant suspendedAt,
        @Nullable String suspendedBy) {}
