package dev.countersign.server.decision;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import java.util.List;
import java.util.Map;

/**
 * Everything that decides, as it stands at one instant: the rules of all active packs, and for each tenant the values of
 * their parameters and lists. Immutable; a request is judged by one snapshot from beginning to end.
 *
 * @param base the rules
 * @param defaults what judges a tenant that has set nothing
 * @param own what judges the tenants that have, by tenant
 */
public record PolicySnapshot(RuleBase base, TenantPolicy defaults, Map<String, TenantPolicy> own) {
    /** The snapshot of these packs, with values from the environment where it sets any. */
    public static PolicySnapshot of(List<Pack> active, Map<String, String> env) {
        var base = RuleBase.of(active);
        return new PolicySnapshot(base, TenantPolicy.of(base, env, Map.of()), Map.of());
    }

    /** What judges the requests of a tenant. */
    public TenantPolicy tenant(String tenant) {
        return own.getOrDefault(tenant, defaults);
    }
}
