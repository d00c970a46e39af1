package dev.countersign.server.separation;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A person who could vote.
 *
 * @param person who
 * @param name what the person is called
 * @param inPlaceOf in whose place the vote would be, or {@code null}
 */
public record Reviewer(UUID person, String name, @Nullable UUID inPlaceOf) {}
