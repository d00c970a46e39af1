package dev.countersign.rules.facts;

/**
 * A name for the entity that a call is about without being its subject or resource: the reservation that an argument
 * names. Declared under {@code entities:} in {@code pack.yaml}; what is read of it always comes from the store.
 *
 * @param name the name that paths use, {@code entities.NAME}
 * @param type the type of the entity
 * @param id the text attribute that holds its id, which may be read of an earlier reference
 */
public record Reference(String name, String type, Attribute id) {
    /** The longest chain of references, each of which starts from the one before. */
    public static final int MAX_DEPTH = 3;

    /** How many references are on the way to this one, itself included. */
    public int depth() {
        Reference before = id.source() == null ? null : id.source().reference();
        return before == null ? 1 : before.depth() + 1;
    }

    /** The same for equal references; cheap, as decisions look references up. */
    @Override
    public int hashCode() {
        return 31 * name.hashCode() + type.hashCode();
    }
}
