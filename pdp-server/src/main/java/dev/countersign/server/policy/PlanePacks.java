package dev.countersign.server.policy;

import dev.countersign.rules.pack.Pack;
import dev.countersign.server.packs.ActivePack;
import dev.countersign.server.packs.PackSet;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.packs.Unusable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The packs that judge in one plane, a tenant's or the operator's. Immutable.
 *
 * @param generation how often the packs in files had changed
 * @param sets where sets come from
 * @param beneath the packs that it cannot switch off: for a tenant all of the operator's, for the operator those in files
 * @param own its own, by name
 * @param shadows versions of its own packs that are evaluated beside, by name
 * @param set all that judge; in place of own packs that cannot be used, one that denies
 * @param unusable why own packs cannot be used, by name
 */
public record PlanePacks(
        long generation,
        PackSets sets,
        List<Pack> beneath,
        List<ActivePack> own,
        List<ActivePack> shadows,
        PackSet set,
        Map<String, String> unusable) {
    /** What judges where these are active. It always builds: what cannot be used fails closed. */
    static PlanePacks of(
            long generation, PackSets sets, List<Pack> beneath, List<ActivePack> own, List<ActivePack> shadows) {
        var unusable = new TreeMap<String, String>();
        own.stream()
                .filter(active -> active.pack() == null)
                .forEach(active -> unusable.put(active.name(), "its rules do not pass this server's check any more"));
        PackSet set = usable(sets, beneath, own, unusable);
        return new PlanePacks(
                generation, sets, beneath, List.copyOf(own), List.copyOf(shadows), set, Map.copyOf(unusable));
    }

    private static PackSet usable(
            PackSets sets, List<Pack> beneath, List<ActivePack> own, Map<String, String> unusable) {
        try {
            return sets.of(all(beneath, own, !unusable.isEmpty()));
        } catch (IllegalArgumentException together) {
            var packs = new ArrayList<ActivePack>();
            for (ActivePack active : own) {
                packs.add(active);
                try {
                    sets.of(all(beneath, packs, false));
                } catch (IllegalArgumentException e) {
                    packs.remove(active);
                    unusable.put(active.name(), String.valueOf(e.getMessage()));
                }
            }
            return sets.of(all(beneath, packs, true));
        }
    }

    private static List<Pack> all(List<Pack> beneath, List<ActivePack> own, boolean unusable) {
        var packs = new ArrayList<>(beneath);
        own.stream().map(ActivePack::pack).forEach(pack -> {
            if (pack != null) {
                packs.add(pack);
            }
        });
        if (unusable && !packs.contains(Unusable.PACK)) {
            packs.add(Unusable.PACK);
        }
        return packs;
    }

    /**
     * The set if {@code others} were its own packs. One of them that cannot be used now either denies there as it does now:
     * what is broken keeps nobody from taking out something else.
     *
     * @throws IllegalArgumentException if one that is not among its own now, or can be used now, could not be used there; the
     *     message says why
     */
    PackSet with(List<ActivePack> others) {
        PlanePacks with = of(generation, sets, beneath, others, List.of());
        for (ActivePack other : others) {
            String why = with.unusable.get(other.name());
            if (why != null && !(unusable.containsKey(other.name()) && own.contains(other))) {
                throw new IllegalArgumentException(why);
            }
        }
        return with.set;
    }

    /**
     * The set if {@code shadow} judged in place of the version that does.
     *
     * @throws IllegalArgumentException if it cannot; the message says why
     */
    PackSet instead(ActivePack shadow) {
        var packs = new ArrayList<ActivePack>();
        own.stream().filter(active -> !active.name().equals(shadow.name())).forEach(packs::add);
        packs.add(shadow);
        return with(packs);
    }
}
