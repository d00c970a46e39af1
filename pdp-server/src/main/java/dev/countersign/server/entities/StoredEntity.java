package dev.countersign.server.entities;

import dev.countersign.rules.entities.EntityData;
import dev.countersign.rules.facts.EntityKey;
import java.time.Instant;

/**
 * A tenant's entity as it stands in the database.
 *
 * @param key its name
 * @param data what is known of it
 * @param version the number of its last change; it grows, and stays the same where a write changes nothing
 * @param updatedAt when it was last changed
 * @param updatedBy the visible prefix of the key that changed it
 */
public record StoredEntity(EntityKey key, EntityData data, long version, Instant updatedAt, String updatedBy) {}
