package dev.countersign.server.actions;

import java.time.Instant;

/**
 * An entry as it stands in the table.
 *
 * @param action what it says
 * @param createdAt when it was made
 * @param createdBy the visible prefix of the key that made it
 * @param updatedAt when it was last changed
 * @param updatedBy the visible prefix of the key that changed it
 */
public record StoredAction(Action action, Instant createdAt, String createdBy, Instant updatedAt, String updatedBy) {}
