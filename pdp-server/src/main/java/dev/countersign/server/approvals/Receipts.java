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
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The reports of runs, each by whoever was let run it. */
public final class Receipts {
    /** So often a requester may say that an approved call did not start; then a human looks. */
    private static final int MOST_FREED = 3;

    private static final String SELECT = "select execution_id, action, status, attempts, error_class, result_digest,"
            + " approval, decision, started_at, ended_at from action_executions";

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

    /** Notes a caller's report. The same report again changes nothing; of the server's own runs callers know nothing. */
    public Future<Taken> take(Caller caller, String executionId, Execution.Receipt receipt) {
        return executionId.startsWith(Uses.SERVER)
                ? Future.succeededFuture(new Taken.Unknown())
                : note(caller, executionId, receipt);
    }

    /** Notes the report of whoever made the run. */
    Future<Taken> note(Caller caller, String executionId, Execution.Receipt receipt) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        return changes.act(
                caller.keyId(),
                connection -> find(connection, caller, executionId).compose(before -> {
                    UUID approval = before == null ? null : before.approval();
                    if (before == null || approval == null) {
                        return Future.succeededFuture(new Taken.Unknown());
                    }
                    if (before.says(receipt)) {
                        return Future.succeededFuture(new Taken.Noted(before));
                    }
                    return settled(before)
                            ? Future.succeededFuture(new Taken.Differs(before))
                            : freed(connection, caller, approval)
                                    .compose(freed -> ApprovalStore.lock(connection, caller.inTenant(), approval)
                                            .compose(locked -> take(
                                                    connection,
                                                    caller,
                                                    before,
                                                    Objects.requireNonNull(locked),
                                                    freed < MOST_FREED,
                                                    receipt,
                                                    now)));
                }));
    }

    /** How often it was said of an approval that its run did not start. */
    private static Future<Long> freed(SqlConnection connection, Caller caller, UUID approval) {
        return connection
                .preparedQuery("select count(*) from action_executions where tenant = $1 and approval = $2"
                        + " and status = 'not_started'")
                .execute(Tuple.of(caller.inTenant(), approval))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /** Whether nothing more can be said of a run. */
    private static boolean settled(Execution before) {
        return switch (before.status()) {
            case SUCCEEDED, FAILED, NOT_STARTED -> true;
            case STARTED, UNKNOWN -> false;
        };
    }

    private Future<Taken> take(
            SqlConnection connection,
            Caller caller,
            Execution before,
            Approval locked,
            boolean free,
            Execution.Receipt receipt,
            Instant now) {
        Status to = switch (receipt.status()) {
            case NOT_STARTED -> free ? Status.ACTIVE : Status.IN_DOUBT;
            case UNKNOWN, STARTED -> Status.IN_DOUBT;
            case SUCCEEDED, FAILED -> Status.CONSUMED;
        };
        if (to == Status.ACTIVE && locked.now(now) != Status.RESERVED) {
            // What is in doubt is for a human to say, not for whoever wants the call.
            return Future.succeededFuture(new Taken.Differs(before));
        }
        // A human may have said before what became of it, and the approval be another run's by now.
        boolean others = locked.executionId() != null && !locked.executionId().equals(before.executionId());
        // And what was taken back or has run out since stays so, whatever ran.
        boolean over = to == Status.CONSUMED && ApprovalLifecycle.TABLE.ends(locked.status());
        boolean moves = !others && !over && locked.status() != to;
        if (moves && !ApprovalLifecycle.TABLE.after(locked.status()).contains(to)) {
            return Future.succeededFuture(new Taken.Differs(before));
        }
        var execution = new Execution(
                before.executionId(),
                before.action(),
                receipt.status(),
                receipt.attempts(),
                receipt.errorClass(),
                receipt.resultDigest(),
                before.approval(),
                before.decision(),
                before.startedAt(),
                now);
        return end(connection, caller, execution)
                .compose(put -> AccessRequestStore.find(connection, caller.inTenant(), locked.request()))
                .compose(found -> {
                    AccessRequest request = Objects.requireNonNull(found);
                    if (!moves) {
                        return Future.<Object>succeededFuture();
                    }
                    return (to == Status.CONSUMED && locked.status() == Status.ACTIVE
                                    ? transitions.ranAfterAll(connection, request, locked, execution, caller, now)
                                    : transitions.move(connection, request, locked, to, kind(to), caller, null, now))
                            .<Object>mapEmpty();
                })
                .map(done -> new Taken.Noted(execution));
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
                .preparedQuery(SELECT + " where tenant = $1 and requester = $2 and execution_id = $3 for update")
                .execute(Tuple.of(caller.inTenant(), caller.principal(), executionId))
                .map(rows -> rows.size() == 0 ? null : execution(rows.iterator().next()));
    }

    /** The runs of an approval, the first first. */
    static Future<List<Execution>> runs(SqlClient client, String tenant, UUID approval) {
        return client.preparedQuery(SELECT + " where tenant = $1 and approval = $2 order by started_at")
                .execute(Tuple.of(tenant, approval))
                .map(rows -> {
                    var runs = new ArrayList<Execution>();
                    rows.forEach(row -> runs.add(execution(row)));
                    return runs;
                });
    }

    private static Future<?> end(SqlConnection connection, Caller caller, Execution run) {
        Instant ended = Objects.requireNonNull(run.endedAt());
        return connection
                .preparedQuery("update action_executions set status = $4, attempts = $5, error_class = $6,"
                        + " result_digest = $7, duration_ms = $8, ended_at = $9"
                        + " where tenant = $1 and requester = $2 and execution_id = $3")
                .execute(Tuple.of(
                        caller.inTenant(),
                        caller.principal(),
                        run.executionId(),
                        run.status().word(),
                        run.attempts(),
                        run.errorClass(),
                        run.resultDigest(),
                        Duration.between(run.startedAt(), ended).toMillis(),
                        time(ended)));
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
