package dev.countersign.rules.facts;

/**
 * The name of an entity in the store of a tenant. Names are ordered by type and id, and these by code points, as PostgreSQL
 * orders them in the collation {@code C}.
 *
 * @param type what it is: {@code user}, {@code reservation}
 * @param id which one
 */
public record EntityKey(String type, String id) implements Comparable<EntityKey> {
    /** The most characters (code points) of a type and of an id. */
    public static final int MAX_LENGTH = 200;

    /** Whether a text can be the type or the id of a stored entity: 1 to 200 characters, none of them NUL. */
    public static boolean valid(String text) {
        return !text.isEmpty()
                && text.length() <= 2 * MAX_LENGTH
                && text.indexOf(0) < 0
                && text.codePointCount(0, text.length()) <= MAX_LENGTH;
    }

    /** Whether the store can hold an entity of this name at all. */
    public boolean valid() {
        return valid(type) && valid(id);
    }

    @Override
    public int compareTo(EntityKey other) {
        int types = compare(type, other.type);
        return types != 0 ? types : compare(id, other.id);
    }

    private static int compare(String one, String other) {
        int length = Math.min(one.length(), other.length());
        for (int i = 0; i < length; i++) {
            char a = one.charAt(i);
            char b = other.charAt(i);
            if (a != b) {
                // A surrogate stands for more than any other char.
                boolean alike = Character.isSurrogate(a) == Character.isSurrogate(b);
                return alike ? Character.compare(a, b) : Character.isSurrogate(a) ? 1 : -1;
            }
        }
        return Integer.compare(one.length(), other.length());
    }

    @Override
    public String toString() {
        return type + "/" + id;
    }
}
