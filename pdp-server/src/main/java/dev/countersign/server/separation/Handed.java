package dev.countersign.server.separation;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Where places lead that persons hand on, each to one other: from hand to hand. */
final class Handed {
    private Handed() {}

    /** Who holds the place of a person at last; {@code null} if it leads in a circle, so that nobody does. */
    static @Nullable UUID holder(UUID from, Map<UUID, UUID> handed) {
        var passed = new HashSet<UUID>();
        UUID holder = from;
        while (handed.containsKey(holder)) {
            if (!passed.add(holder)) {
                return null;
            }
            holder = Objects.requireNonNull(handed.get(holder));
        }
        return holder;
    }

    /** These persons, all to whom a place went from them, and all from whom one came to them. */
    static Set<UUID> reach(Set<UUID> persons, Map<UUID, UUID> handed) {
        var all = new HashSet<>(persons);
        for (UUID person : persons) {
            UUID next = handed.get(person);
            while (next != null && all.add(next)) {
                next = handed.get(next);
            }
        }
        var left = new ArrayDeque<>(persons);
        while (!left.isEmpty()) {
            UUID person = left.remove();
            handed.forEach((from, to) -> {
                if (to.equals(person) && all.add(from)) {
                    left.add(from);
                }
            });
        }
        return Set.copyOf(all);
    }
}
