package dev.countersign.server.approvals;

import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.EntityKey;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Whom the entities that packs carry put on a subject's side: owners and delegates, and theirs. The tenant's own entities are
 * asked elsewhere; to name more persons here only keeps more from reviewing.
 */
final class CarriedSide {
    private static final int MOST = 100;

    private CarriedSide() {}

    static List<String> of(PackEntities packs, String type, String id) {
        Set<String> names = new LinkedHashSet<>();
        var left = new ArrayDeque<EntityKey>(List.of(new EntityKey(type, id)));
        while (!left.isEmpty() && names.size() < MOST) {
            PackEntities.Carried carried = packs.carried(left.remove());
            if (carried == null) {
                continue;
            }
            var found = new LinkedHashSet<>(carried.data().delegates());
            if (carried.data().owner() != null) {
                found.add(carried.data().owner());
            }
            found.stream().filter(names::add).forEach(name -> left.add(new EntityKey("user", name)));
        }
        return List.copyOf(names);
    }
}
