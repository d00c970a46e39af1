package dev.countersign.rules.facts;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An enum whose constants have words in JSON and in the database: their names in lower case. */
public interface Worded {
    /** The constant's name. */
    String name();

    /** The word in JSON and in the database. */
    default String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The constant of that word, or {@code null}. */
    static <E extends Enum<E> & Worded> @Nullable E of(Class<E> type, @Nullable String word) {
        for (E each : type.getEnumConstants()) {
            if (each.word().equals(word)) {
                return each;
            }
        }
        return null;
    }
}
