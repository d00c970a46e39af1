package dev.countersign.server.approvals;

import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes what has run out of time and what has escalated, so that it is told. Nobody depends on that: whoever reads, decides or uses looks at the
 * clock for himself. One server at a time does it, in small steps that wait for nobody.
 */
public final class Sweeper {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
    private static final int STEP = 20;
    private static final long LIMIT_SECONDS = 10;

    private final Pool pool;
    private final Transitions transitions;
    private final InstantSource clock;
    private boolean sweeping;
    private boolean away;

    Sweeper(Pool pool, Transitions transitions, InstantSource clock) {
        this.pool = pool;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** Sweeps again and again until {@code vertx} is closed. */
    public void start(Vertx vertx, Duration interval) {
        vertx.setPeriodic(interval.toMillis(), timer -> {
            if (!sweeping) {
                sweeping = true;
                sweep().onComplete(swept -> {
                    sweeping = false;
                    if (swept.failed() && !away) {
                        LOG.warn(
                                "what has run out of time could not be noted: {}",
                                swept.cause().toString());
                    }
                    away = swept.failed();
                });
            }
        });
    }

    /**
     * Sweeps once.
     *
     * @return how many it has noted
     */
    public Future<Integer> sweep() {
        return step().compose(
                        noted -> noted < STEP ? Future.succeededFuture(noted) : sweep().map(more -> noted + more));
    }

    private Future<Integer> step() {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        return pool.withTransaction(connection -> connection
                        .query("set local statement_timeout = '3s'")
                        .execute()
                        .compose(limited -> connection
                                .query("select pg_try_advisory_xact_lock(hashtext('countersign sweeper'))")
                                .execute())
                        .compose(locked -> locked.iterator().next().getBoolean(0)
                                ? requests(connection, now)
                                        .compose(requests ->
                                                approvals(connection, now).map(more -> requests + more))
                                        .compose(late ->
                                                escalations(connection, now).map(more -> late + more))
                                : Future.succeededFuture(0)))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private Future<Integer> requests(SqlConnection connection, Instant now) {
        return AccessRequestStore.lockLate(connection, now, STEP).compose(late -> {
            Future<?> done = Future.succeededFuture();
            for (AccessRequest each : late) {
                done = done.compose(before -> transitions.expire(connection, each, now));
            }
            return done.map(late.size());
        });
    }

    private Future<Integer> escalations(SqlConnection connection, Instant now) {
        return AccessRequestStore.lockEscalated(connection, now, STEP).compose(escalated -> {
            Future<?> done = Future.succeededFuture();
            for (AccessRequest each : escalated) {
                done = done.compose(before -> transitions.escalate(connection, each, now));
            }
            return done.map(escalated.size());
        });
    }

    private Future<Integer> approvals(SqlConnection connection, Instant now) {
        return ApprovalStore.lockLate(connection, now, STEP).compose(late -> approvals(connection, late, now));
    }

    private Future<Integer> approvals(SqlConnection connection, List<ApprovalStore.OfTenant> late, Instant now) {
        Future<?> done = Future.succeededFuture();
        for (ApprovalStore.OfTenant each : late) {
            Approval approval = each.approval();
            Status to = approval.status() == Status.ACTIVE ? Status.EXPIRED : Status.IN_DOUBT;
            var kind = to == Status.EXPIRED ? ApprovalEvent.Kind.LAPSED : ApprovalEvent.Kind.IN_DOUBT;
            done = done.compose(before -> AccessRequestStore.find(connection, each.tenant(), approval.request()))
                    .compose(request -> transitions.move(
                            connection, Objects.requireNonNull(request), approval, to, kind, null, null, now));
        }
        return done.map(late.size());
    }
}
