package dev.countersign.rules.dialect;

import org.jspecify.annotations.Nullable;

/**
 * One mistake in a policy that is written as JSON, and where it stands.
 *
 * @param pointer the JSON Pointer (RFC 6901) of the value that is wrong, or of where one is missing
 * @param code the kind of mistake
 * @param message what is wrong
 * @param hint what to do about it, or {@code null}
 */
public record JsonMistake(
        String pointer, Code code, String message, @Nullable String hint) {
    private static final int LONGEST = 60;

    /** One line: {@code /pointer: error CODE: message (hint)}. */
    @Override
    public String toString() {
        return pointer + ": error " + code + ": " + message + (hint == null ? "" : " (" + hint + ")");
    }

    /** What keeps {@code text} from being shown and compared as it stands, or {@code null}: its length, or hidden characters. */
    public static @Nullable JsonMistake of(String pointer, String text) {
        Mistake refused = Scanner.refused(text, 0);
        return refused == null
                ? null
                : new JsonMistake(pointer, refused.code, String.valueOf(refused.getMessage()), refused.hint);
    }

    /** The pointer of a member of what stands at {@code parent}; a long name is cut. */
    public static String pointer(String parent, String member) {
        String shown = member.length() > LONGEST ? member.substring(0, LONGEST) : member;
        return parent + "/" + shown.replace("~", "~0").replace("/", "~1");
    }
}
