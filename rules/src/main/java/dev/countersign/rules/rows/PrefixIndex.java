package dev.countersign.rules.rows;

import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds what is filed under any prefix of a text: one look into a hash table for each length that some prefix has,
 * without cutting the text. Immutable.
 */
final class PrefixIndex<T> {
    private record Entry<T>(String prefix, T value) {}

    private final @Nullable Entry<T>[] table;
    private final int[] lengths;

    @SuppressWarnings({"unchecked", "rawtypes"}) // there are no generic arrays
    PrefixIndex(Map<String, T> byPrefix) {
        this.table = new Entry[Math.max(2, Integer.highestOneBit(byPrefix.size()) * 4)];
        byPrefix.forEach((prefix, value) -> {
            int at = at(prefix.hashCode());
            while (table[at] != null) {
                at = at + 1 & table.length - 1;
            }
            table[at] = new Entry<>(prefix, value);
        });
        this.lengths = byPrefix.keySet().stream()
                .mapToInt(String::length)
                .distinct()
                .sorted()
                .toArray();
    }

    private int at(int hash) {
        return (hash ^ hash >>> 16) & table.length - 1;
    }

    /** Visits what is filed under each prefix of {@code text}, the shortest first. */
    void visit(String text, Consumer<T> visitor) {
        int hash = 0; // of the characters so far, as String computes it
        int end = 0;
        for (int length : lengths) {
            if (length > text.length()) {
                return;
            }
            while (end < length) {
                hash = 31 * hash + text.charAt(end++);
            }
            for (int at = at(hash); ; at = at + 1 & table.length - 1) {
                Entry<T> entry = table[at];
                if (entry == null) {
                    break;
                }
                if (entry.prefix().length() == length && text.startsWith(entry.prefix())) {
                    visitor.accept(entry.value());
                    break;
                }
            }
        }
    }
}
