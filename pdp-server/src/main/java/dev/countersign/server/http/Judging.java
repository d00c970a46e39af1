package dev.countersign.server.http;

import dev.countersign.server.identity.Caller;
import dev.countersign.server.policy.TenantPolicies;
import dev.countersign.server.policy.TenantState;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;

/** What judges the caller's tenant: at once where it is in memory, else after it has been read. */
final class Judging {
    private final TenantPolicies policies;

    Judging(TenantPolicies policies) {
        this.policies = policies;
    }

    /** The same for whoever manages policies in its own plane, the operator's included. */
    void plane(RoutingContext ctx, Caller caller, Consumer<TenantState> then) {
        String plane = caller.tenant() == null ? "" : caller.tenant();
        Waiting.policies(ctx, policies.get(plane), then);
    }

    /** Goes on with the state by which the whole request is judged; if it cannot be read, nothing is decided. */
    void by(RoutingContext ctx, Caller caller, Consumer<TenantState> then) {
        TenantState now = policies.now(caller.inTenant());
        if (now != null) {
            then.accept(now);
        } else {
            Waiting.policies(ctx, policies.get(caller.inTenant()), then);
        }
    }
}
