package dev.countersign.server.http;

import dev.countersign.rules.facts.Call;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.entities.EntityDirectory;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.policy.TenantPolicies;
import dev.countersign.server.policy.TenantState;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What judges the caller's tenant: at once where it is in memory, else after it has been read. */
final class Judging {
    private final TenantPolicies policies;
    private final EntityDirectory entities;

    Judging(TenantPolicies policies, EntityDirectory entities) {
        this.policies = policies;
        this.entities = entities;
    }

    /** Goes on with the call and all the stored entities that rules may read for it. */
    void resolve(RoutingContext ctx, TenantPolicy policy, Caller caller, Call call, Consumer<Call> then) {
        Call now = entities.now(caller.inTenant(), policy.entities(), policy.needs(), call);
        if (now != null) {
            then.accept(now);
            return;
        }
        entities.later(caller.inTenant(), policy.entities(), policy.needs(), call)
                .onComplete(found -> proceed(ctx, found, then));
    }

    /** The same as a future. */
    Future<Call> resolve(TenantPolicy policy, Caller caller, Call call) {
        Call now = entities.now(caller.inTenant(), policy.entities(), policy.needs(), call);
        return now != null
                ? Future.succeededFuture(now)
                : entities.later(caller.inTenant(), policy.entities(), policy.needs(), call);
    }

    /** The state by which a caller's tenant is judged. */
    Future<TenantState> state(Caller caller) {
        return policies.get(caller.inTenant());
    }

    /** The same for the calls of a batch, of which those that are none stay null. */
    void resolve(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            List<@Nullable Call> calls,
            Consumer<List<@Nullable Call>> then) {
        var found = new ArrayList<@Nullable Call>(calls);
        var waiting = new ArrayList<Future<?>>();
        for (int i = 0; i < calls.size(); i++) {
            Call call = calls.get(i);
            Call now = call == null ? null : entities.now(caller.inTenant(), policy.entities(), policy.needs(), call);
            found.set(i, now);
            if (call != null && now == null) {
                int at = i;
                waiting.add(entities.later(caller.inTenant(), policy.entities(), policy.needs(), call)
                        .onSuccess(answer -> found.set(at, answer)));
            }
        }
        if (waiting.isEmpty()) {
            then.accept(found);
        } else {
            Future.all(waiting).onComplete(all -> proceed(ctx, all.map(found), then));
        }
    }

    private static <T> void proceed(RoutingContext ctx, AsyncResult<T> found, Consumer<T> then) {
        if (found.failed()) {
            ctx.fail(found.cause());
            return;
        }
        try {
            then.accept(found.result());
        } catch (RuntimeException e) {
            ctx.fail(e);
        }
    }

    /** The same for whoever manages policies in its own plane, the operator's included. */
    void plane(RoutingContext ctx, Caller caller, Consumer<TenantState> then) {
        Waiting.policies(ctx, policies.get(caller.plane()), then);
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
