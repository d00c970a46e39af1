package dev.countersign.server.decision;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.pack.Pack;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that decides, as it stands at one instant: the rules of all active packs and the values of their parameters
 * and lists. Immutable; a request is judged by one snapshot from beginning to end.
 *
 * @param base the rules
 * @param values the parameters and lists
 * @param packs the digest of each pack by name, for the record of a decision
 */
public record PolicySnapshot(RuleBase base, Values values, Map<String, String> packs) {
    /** The snapshot of these packs, with values from the environment where it sets any. */
    public static PolicySnapshot of(List<Pack> active, Map<String, String> env) {
        var base = RuleBase.of(active);
        var packs = new LinkedHashMap<String, String>();
        active.forEach(pack -> packs.put(pack.name(), pack.digest()));
        return new PolicySnapshot(base, base.values(env, Map.of()), packs);
    }

    /** The values for a tenant. */
    public Values values(String tenant) {
        return values;
    }
}
