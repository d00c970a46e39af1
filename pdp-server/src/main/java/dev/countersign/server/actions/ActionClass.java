package dev.countersign.server.actions;

import dev.countersign.rules.facts.Worded;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What kind of thing an action does. */
public enum ActionClass implements Worded {
    /** It calls a tool. */
    TOOL_CALL,
    /** It reads or writes data. */
    DATA_ACCESS,
    /** It does anything else. */
    ACTION,
    /** It sends something out. */
    EGRESS;

    /** All words, for people to read. */
    public static String words() {
        return Arrays.stream(values()).map(ActionClass::word).collect(Collectors.joining(", "));
    }
}
