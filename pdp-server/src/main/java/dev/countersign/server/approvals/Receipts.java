package dev.countersign.server.approvals;

import static dev.countersign.server.approvals.AccessRequestStore.instant;
import static dev.countersign.server.approvals.AccessRequestStore.maybe;
import static dev.countersign.server.approvals.AccessRequestStore.time;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The reports of runs, each by whoever was let run it. */
public final class Receipts {
    private final Changes changes;
    private final Transitions transitions;
    private final InstantSource clock;

    Receipts(Changes changes, Transitions transitions, InstantSource clock) {
        this.changes = changes;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** What came of a report. */
    public sealed interface Taken {
        /** It is noted, and this is what is known of the run. */
        record Noted(Execution execution) implements Taken {}

        /** Nothing was let run by this name for this caller. */
        record Unknown() implements Taken {}

        /** Another report came before. */
        record Differs(Execution before) implements Taken {}
    }

    /** Notes a report. The same report again changes nothing. */
    public Future<Taken> take(Caller caller, String executionId, Execution.Receipt receipt) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        String tenant = caller.inTenant();
        return changes.act(
                caller.keyId(),
                connection -> ApprovalStore.lockRun(connection, tenant, caller.principal(), executionId)
                        .compose(approval -> find(connection, caller, executionId)
                                .compose(before -> before != null && settled(before)
                                        ? Future.succeededFuture(
                                                before.says(receipt)
                                                        ? new Taken.Noted(before)
                                                        : new Taken.Differs(before))
                                        : approval == null
                                                ? Future.succeededFuture(
                                                        before != null && before.says(receipt)
                                                                ? new Taken.Noted(before)
                                                                : new Taken.Unknown())
                                                : take(connection, caller, approval, receipt, now))));
    }

    /** Whether nothing more can be said of a run. */
    private static boolean settled(Execution before) {
        return before.status() == Execution.Status.SUCCEEDED || before.status() == Execution.Status.FAILED;
    }

    private Future<Taken> take(
            SqlConnection connection, Caller caller, Approval locked, Execution.Receipt receipt, Instant now) {
        return AccessRequestStore.find(connection, caller.inTenant(), locked.request())
                .compose(found -> {
                    AccessRequest request = Objects.requireNonNull(found);
                    var execution = new Execution(
                            Objects.requireNonNull(locked.executionId()),
                            request.wanted().action(),
                            receipt.status(),
                            receipt.attempts(),
                            receipt.errorClass(),
                            receipt.resultDigest(),
                            locked.id(),
                            locked.decision(),
                            Objects.requireNonNull(locked.usedAt()),
                            now);
                    Status to = switch (receipt.status()) {
                        case NOT_STARTED -> Status.ACTIVE;
                        case UNKNOWN, STARTED -> Status.IN_DOUBT;
                        case SUCCEEDED, FAILED -> Status.CONSUMED;
                    };
                    Future<?> moved = locked.status() == to
                            ? Future.succeededFuture()
                            : transitions.move(connection, request, locked, to, kind(to), caller, null, now);
                    return put(connection, caller, execution)
                            .compose(put -> moved)
                            .map(done -> new Taken.Noted(execution));
                });
    }

    static ApprovalEvent.Kind kind(Status to) {
        return switch (to) {
            case ACTIVE -> ApprovalEvent.Kind.FREED;
            case IN_DOUBT -> ApprovalEvent.Kind.IN_DOUBT;
            default -> ApprovalEvent.Kind.CONSUMED;
        };
    }

    private static Future<@Nullable Execution> find(SqlConnection connection, Caller caller, String executionId) {
        return connection
                .preparedQuery("select execution_id, action, status, attempts, error_class, result_digest, approval,"
                        + " decision, started_at, ended_at from action_executions"
                        + " where tenant = $1 and requester = $2 and execution_id = $3")
                .execute(Tuple.of(caller.inTenant(), caller.principal(), executionId))
                .map(rows -> rows.size() == 0 ? null : execution(rows.iterator().next()));
    }

    private static Future<?> put(SqlConnection connection, Caller caller, Execution run) {
        return connection
                .preparedQuery(
                        "insert into action_executions (tenant, requester, execution_id, approval, decision, action,"
                                + " status, attempts, error_class, result_digest, duration_ms, started_at, ended_at)"
                                + " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
                                + " on conflict (tenant, requester, execution_id) do update set status = excluded.status,"
                                + " attempts = excluded.attempts, error_class = excluded.error_class,"
                                + " result_digest = excluded.result_digest, duration_ms = excluded.duration_ms,"
                                + " ended_at = excluded.ended_at")
                .execute(Tuple.of(
                        caller.inTenant(),
                        caller.principal(),
                        run.executionId(),
                        run.approval(),
                        run.decision(),
                        run.action(),
                        run.status().word(),
                        run.attempts(),
                        run.errorClass(),
                        run.resultDigest(),
                        run.endedAt() == null
                                ? null
                                : run.endedAt().toEpochMilli() - run.startedAt().toEpochMilli(),
                        time(run.startedAt()),
                        time(run.endedAt())));
    }

    private static Execution execution(Row row) {
        return new Execution(
                row.getString("execution_id"),
                row.getString("action"),
                Objects.requireNonNull(Worded.of(Execution.Status.class, row.getString("status"))),
                row.getInteger("attempts"),
                row.getString("error_class"),
                row.getString("result_digest"),
                row.getUUID("approval"),
                row.getUUID("decision"),
                instant(row, "started_at"),
                maybe(row, "ended_at"));
    }
}
