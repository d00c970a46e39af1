package dev.countersign.server.webhooks;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a submission asks to be told of the end of its task (AuthZEN Access Request and Approval Profile, Callback Completion).
 *
 * @param endpoint the URL, which is that of a webhook of the tenant
 * @param state what is sent back as it is, as JSON text
 * @param events the states of which it wants to be told
 */
public record Callback(String endpoint, @Nullable String state, Set<String> events) {
    /** The states in which a task may end. */
    public static final Set<String> ALL = Set.of("approved", "denied", "expired", "cancelled", "failed", "partial");

    /** The most characters of a state. */
    public static final int MAX_STATE = 1_000;

    /**
     * That wish.
     *
     * @throws IllegalArgumentException if it asks for no state, or for one that there is not
     */
    public Callback {
        events = Set.copyOf(events);
        if (events.isEmpty() || !ALL.containsAll(events)) {
            throw new IllegalArgumentException("a callback is of states in which a task may end");
        }
    }
}
