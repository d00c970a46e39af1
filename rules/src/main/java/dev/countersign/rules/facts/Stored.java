package dev.countersign.rules.facts;

import java.util.Map;

/**
 * What the store of entities said for one call. Immutable.
 *
 * @param subject of the entity that the subject is
 * @param resource of the entity that the resource is; a tool is none
 * @param references of the entities that the call names, by reference
 */
public record Stored(Found subject, Found resource, Map<Reference, Found> references) {
    /** What is known of a reference's entity. */
    public Found of(Reference reference) {
        return references.getOrDefault(reference, Found.Nothing.UNAVAILABLE);
    }
}
