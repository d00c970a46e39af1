package dev.countersign.server.actions;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What kind of thing an action does. */
public enum ActionClass {
    /** It calls a tool. */
    TOOL_CALL,
    /** It reads or writes data. */
    DATA_ACCESS,
    /** It does anything else. */
    ACTION,
    /** It sends something out. */
    EGRESS;

    /** The word on the wire and in the table. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** All words, for people to read. */
    public static String words() {
        return Arrays.stream(values()).map(ActionClass::word).collect(Collectors.joining(", "));
    }

    /** The class of that word, or {@code null}. */
    public static @Nullable ActionClass of(@Nullable String word) {
        return Arrays.stream(values())
                .filter(each -> Objects.equals(each.word(), word))
                .findFirst()
                .orElse(null);
    }
}
