package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** What the store said when it was asked for an entity. Immutable. */
public sealed interface Found {
    /**
     * An entity that the store holds.
     *
     * @param key its name
     * @param properties an object that nobody changes: its attributes, and beside them its relations {@code roles},
     *     {@code groups} and {@code delegates}, always lists of texts, and {@code owner}, a text if it has one
     * @param version the number of its change, which grows; 0 for one that a pack carries
     * @param pack the pack that carries it; {@code null} for the tenant's own
     */
    record Entity(
            EntityKey key,
            JsonNode properties,
            long version,
            @Nullable String pack) implements Found {}

    /** Why there is no entity. */
    enum Nothing implements Found {
        /** The store holds no such entity: its attributes are absent. */
        UNKNOWN,
        /** The store was not asked or could not answer: its attributes are {@link Unavailable}. */
        UNAVAILABLE
    }
}
