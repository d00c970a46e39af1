package dev.countersign.server.approvals;

import static dev.countersign.server.approvals.AccessRequestStore.time;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.Execution.Status;
import dev.countersign.server.identity.Caller;
import dev.countersign.tools.ExecutionLog;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Where the server writes down the runs that it makes itself. */
public final class Executions {
    private static final String BEGIN =
            "insert into action_executions (tenant, requester, execution_id, approval, decision, action, status, attempts,"
                    + " started_at) values ($1, $2, $3, $4, $5, $6, $7, 0, $8)";

    private final Pool pool;
    private final Receipts receipts;

    Executions(Pool pool, Receipts receipts) {
        this.pool = pool;
        this.receipts = receipts;
    }

    /**
     * The log of one run.
     *
     * @param requester for whom it is made
     * @param action the action
     * @param approved whether it uses an approval, which its end then settles
     */
    public ExecutionLog of(Caller requester, String action, boolean approved) {
        return new ExecutionLog() {
            @Override
            public CompletionStage<?> started(dev.countersign.tools.Execution run) {
                // That of an approval was written down when it was reserved.
                return (approved ? Future.succeededFuture() : begin(requester, action, run)).toCompletionStage();
            }

            @Override
            public CompletionStage<?> ended(dev.countersign.tools.Execution run) {
                return (approved ? report(requester, run) : end(requester, run)).toCompletionStage();
            }
        };
    }

    private Future<?> begin(Caller requester, String action, dev.countersign.tools.Execution run) {
        return pool.preparedQuery(BEGIN)
                .execute(Tuple.of(
                        requester.inTenant(),
                        requester.principal(),
                        run.executionId(),
                        null,
                        id(run.decisionId()),
                        action,
                        Status.STARTED.word(),
                        time(run.startedAt())));
    }

    /** Writes down that a run of this name is let run with an approval; fails if the requester has had one of that name. */
    static Future<?> begin(
            SqlConnection connection,
            AccessRequest request,
            Approval approval,
            String executionId,
            UUID decision,
            Instant now) {
        return connection
                .preparedQuery(BEGIN)
                .execute(Tuple.of(
                        request.tenant(),
                        request.requester().principal(),
                        executionId,
                        approval.id(),
                        decision,
                        request.wanted().action(),
                        Status.STARTED.word(),
                        time(now)));
    }

    private Future<?> end(Caller requester, dev.countersign.tools.Execution run) {
        Instant ended = Objects.requireNonNull(run.endedAt());
        return pool.preparedQuery("update action_executions set status = $4, attempts = $5, error_class = $6,"
                        + " result_digest = $7, duration_ms = $8, ended_at = $9"
                        + " where tenant = $1 and requester = $2 and execution_id = $3")
                .execute(Tuple.of(
                        requester.inTenant(),
                        requester.principal(),
                        run.executionId(),
                        status(run).word(),
                        run.attempts(),
                        run.errorClass() == null ? null : run.errorClass().word(),
                        run.resultDigest(),
                        run.duration().toMillis(),
                        time(ended)));
    }

    private Future<?> report(Caller requester, dev.countersign.tools.Execution run) {
        return receipts.note(
                requester,
                run.executionId(),
                new Execution.Receipt(
                        status(run),
                        run.attempts(),
                        run.errorClass() == null ? null : run.errorClass().word(),
                        run.resultDigest()));
    }

    private static Status status(dev.countersign.tools.Execution run) {
        return Objects.requireNonNull(Worded.of(Status.class, run.status().word()));
    }

    private static @Nullable UUID id(@Nullable String text) {
        return text == null ? null : UUID.fromString(text);
    }
}
