package dev.countersign.server.policy;

import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.settings.KnownSettings;
import dev.countersign.server.settings.TenantSettings;
import java.util.Map;

/**
 * Everything that a tenant has made of the policies, of one moment. Immutable.
 *
 * @param revision the number of the last change that is in it
 * @param known what it may set
 * @param settings what it has set
 * @param policy what judges its requests
 */
public record TenantState(long revision, KnownSettings known, TenantSettings settings, TenantPolicy policy) {
    /** This one with other values. */
    TenantState with(Map<String, Object> values) {
        return new TenantState(revision, known, settings, TenantPolicy.of(policy.base(), known.env(), values));
    }

    /** How much of the memory for such states it takes: one for each value, and one for itself. */
    int weight() {
        return 1 + settings.stored().size();
    }
}
