package dev.countersign.server.separation;

import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An approving vote that was given.
 *
 * @param person who gave it
 * @param inPlaceOf the person in whose place, or {@code null}
 * @param stage the stage that it counts for, from 0
 */
public record Review(UUID person, @Nullable UUID inPlaceOf, int stage) {
    /** The persons who cannot vote again. */
    Stream<UUID> spent() {
        return inPlaceOf == null ? Stream.of(person) : Stream.of(person, inPlaceOf);
    }
}
