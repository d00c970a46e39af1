package dev.countersign.server.policy;

import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.settings.KnownSettings;
import dev.countersign.server.settings.TenantSettings;

/**
 * Everything that a tenant has made of the policies, of one moment. Immutable.
 *
 * @param revision the number of the last change that is in it
 * @param known what it may set
 * @param settings what it has set
 * @param policy what judges its requests
 */
public record TenantState(long revision, KnownSettings known, TenantSettings settings, TenantPolicy policy) {
    /** How much of the memory for such states it takes: one for each value, and one for itself. */
    int weight() {
        return 1 + settings.stored().size();
    }
}
