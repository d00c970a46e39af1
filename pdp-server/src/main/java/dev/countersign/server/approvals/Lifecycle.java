package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A state machine as a table: from each state the states that may follow, each with what makes it follow. It ends where
 * nothing follows.
 */
public final class Lifecycle<S extends Enum<S> & Worded> {
    private final Class<S> states;
    private final Map<S, Map<S, String>> table;

    private Lifecycle(Class<S> states) {
        this.states = states;
        this.table = new EnumMap<>(states);
        for (S state : states.getEnumConstants()) {
            table.put(state, new LinkedHashMap<>());
        }
    }

    static <S extends Enum<S> & Worded> Lifecycle<S> of(Class<S> states) {
        return new Lifecycle<>(states);
    }

    /** The table with another line. */
    Lifecycle<S> move(S from, S to, String by) {
        follow(from).put(to, by);
        return this;
    }

    private Map<S, String> follow(S from) {
        return table.computeIfAbsent(from, none -> new LinkedHashMap<>());
    }

    /** The states that may follow. */
    public Set<S> after(S from) {
        return Set.copyOf(follow(from).keySet());
    }

    /** Whether nothing follows. */
    public boolean ends(S state) {
        return follow(state).isEmpty();
    }

    /**
     * The state to go to.
     *
     * @throws IllegalStateException if it may not follow: a defect of whoever asks, who has not looked
     */
    S go(S from, S to) {
        if (!follow(from).containsKey(to)) {
            throw new IllegalStateException(from.word() + " is never followed by " + to.word());
        }
        return to;
    }

    /** The diagram of it in Mermaid. */
    public String diagram() {
        var out = new StringBuilder("stateDiagram-v2\n  [*] --> " + states.getEnumConstants()[0].word() + "\n");
        table.forEach((from, to) -> {
            to.forEach((state, by) -> out.append("  ")
                    .append(from.word())
                    .append(" --> ")
                    .append(state.word())
                    .append(": ")
                    .append(by)
                    .append('\n'));
            if (to.isEmpty()) {
                out.append("  ").append(from.word()).append(" --> [*]\n");
            }
        });
        return out.toString();
    }
}
