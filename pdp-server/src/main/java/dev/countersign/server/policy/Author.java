package dev.countersign.server.policy;

import dev.countersign.server.identity.Caller;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who changes something, and when.
 *
 * @param key the visible prefix of the key
 * @param person the person whose key it is; {@code null} for a service and for the operator
 * @param at the time
 */
public record Author(String key, @Nullable UUID person, Instant at) {
    /** The author of what {@code caller} does at {@code at}. */
    public static Author of(Caller caller, Instant at) {
        return new Author(caller.keyId(), caller.person(), Instant.ofEpochMilli(at.toEpochMilli()));
    }
}
