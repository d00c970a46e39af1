package dev.countersign.server.rows;

import dev.countersign.rules.rows.PolicyRow;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row, and who wrote it.
 *
 * @param row the row
 * @param createdAt when it was made
 * @param createdBy the visible prefix of the key that made it; {@code null} for a copy of the tenant's default set
 * @param updatedAt when it was written last
 * @param updatedBy by which key
 */
public record StoredRow(
        PolicyRow row,
        Instant createdAt,
        @Nullable String createdBy,
        Instant updatedAt,
        @Nullable String updatedBy) {}
