package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** Texts that callers give for people to read, and names of their own. */
final class Texts {
    /** The longest name, in characters. */
    static final int NAME = 200;

    /** The longest text for people, in characters. */
    static final int NOTE = 2_000;

    private Texts() {}

    /** The text of a member, at most so long; {@code null} if it is none. */
    static @Nullable String of(JsonNode member, int most) {
        return cut(member.textValue(), most);
    }

    /** The front of a text. PostgreSQL takes no NUL, and half a surrogate pair is no character. */
    static @Nullable String cut(@Nullable String text, int most) {
        if (text == null) {
            return null;
        }
        var kept = new StringBuilder();
        text.codePoints()
                .limit(most)
                .map(c -> c == 0 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xfffd : c)
                .forEach(kept::appendCodePoint);
        return kept.toString();
    }
}
