package dev.countersign.server.approvals;

import static dev.countersign.server.approvals.AccessRequestStore.instant;
import static dev.countersign.server.approvals.AccessRequestStore.maybe;
import static dev.countersign.server.approvals.AccessRequestStore.time;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The approvals in PostgreSQL. */
public final class ApprovalStore {
    private static final String COLUMNS =
            "id, request, status, approved_at, use_by, state, execution_id, decision, used_at, report_by";
    private static final String SELECT = "select " + COLUMNS + " from approvals where tenant = $1";

    private final Pool pool;

    /** The approvals of the database behind {@code pool}. */
    public ApprovalStore(Pool pool) {
        this.pool = pool;
    }

    /** One of a tenant, or {@code null}. */
    public Future<@Nullable Approval> find(String tenant, UUID id) {
        return one(pool, SELECT + " and id = $2", Tuple.of(tenant, id));
    }

    /** Those of these access requests, in no order. */
    public Future<List<Approval>> of(String tenant, List<UUID> requests) {
        return pool.preparedQuery(SELECT + " and request = any($2)")
                .execute(Tuple.tuple().addString(tenant).addArrayOfUUID(requests.toArray(UUID[]::new)))
                .map(ApprovalStore::approvals);
    }

    /** One of a tenant, which nobody else changes until the transaction ends; or {@code null}. */
    static Future<@Nullable Approval> lock(SqlConnection connection, String tenant, UUID id) {
        return one(connection, SELECT + " and id = $2 for update", Tuple.of(tenant, id));
    }

    /** That of an access request. */
    static Future<@Nullable Approval> lockOf(SqlConnection connection, String tenant, UUID request) {
        return one(connection, SELECT + " and request = $2 for update", Tuple.of(tenant, request));
    }

    /** An approval with its tenant. */
    record OfTenant(String tenant, Approval approval) {}

    /** Those whose time has passed, of all tenants, which nobody else changes until the transaction ends. */
    static Future<List<OfTenant>> lockLate(SqlConnection connection, Instant now, int limit) {
        return connection
                .preparedQuery("select tenant, " + COLUMNS + " from approvals where status = 'active' and use_by <= $1"
                        + " or status = 'reserved' and report_by <= $1 limit $2 for update skip locked")
                .execute(Tuple.of(time(now), limit))
                .map(rows -> {
                    var late = new ArrayList<OfTenant>(rows.size());
                    rows.forEach(row -> late.add(new OfTenant(row.getString("tenant"), approval(row))));
                    return late;
                });
    }

    static Future<?> insert(SqlConnection connection, AccessRequest request, Approval made) {
        return connection
                .preparedQuery("insert into approvals (tenant, id, request, requester, approved_at, use_by, state)"
                        + " values ($1, $2, $3, $4, $5, $6, $7)")
                .execute(Tuple.of(
                        request.tenant(),
                        made.id(),
                        made.request(),
                        request.requester().principal(),
                        time(made.approvedAt()),
                        time(made.useBy()),
                        made.state()));
    }

    /** Notes that a call is let run with one that is locked. */
    static Future<?> use(
            SqlConnection connection,
            String tenant,
            Approval locked,
            Status to,
            @Nullable String executionId,
            UUID decision,
            Instant now,
            @Nullable Instant reportBy) {
        ApprovalLifecycle.TABLE.go(locked.status(), to);
        return connection
                .preparedQuery("update approvals set status = $3, execution_id = $4, decision = $5, used_at = $6,"
                        + " report_by = $7 where tenant = $1 and id = $2")
                .execute(Tuple.of(tenant, locked.id(), to.word(), executionId, decision, time(now), time(reportBy)));
    }

    /** Moves one that is locked. */
    static Future<?> move(
            SqlConnection connection,
            String tenant,
            Approval locked,
            Status to,
            Instant now,
            @Nullable String by,
            @Nullable String note) {
        ApprovalLifecycle.TABLE.go(locked.status(), to);
        boolean free = to == Status.ACTIVE;
        boolean ends = ApprovalLifecycle.TABLE.ends(to);
        return connection
                .preparedQuery("update approvals set status = $3, ended_at = $4, ended_by = $5, note = $6,"
                        + " execution_id = case when $7 then null else execution_id end,"
                        + " decision = case when $7 then null else decision end,"
                        + " used_at = case when $7 then null else used_at end, report_by = null"
                        + " where tenant = $1 and id = $2")
                .execute(Tuple.of(
                        tenant,
                        locked.id(),
                        to.word(),
                        ends ? time(now) : null,
                        ends ? by : null,
                        ends ? note : null,
                        free));
    }

    private static Future<@Nullable Approval> one(SqlClient client, String sql, Tuple values) {
        return client.preparedQuery(sql)
                .execute(values)
                .map(rows -> rows.size() == 0 ? null : approvals(rows).get(0));
    }

    private static List<Approval> approvals(RowSet<Row> rows) {
        var approvals = new ArrayList<Approval>(rows.size());
        rows.forEach(row -> approvals.add(approval(row)));
        return approvals;
    }

    private static Approval approval(Row row) {
        return new Approval(
                row.getUUID("id"),
                row.getUUID("request"),
                Objects.requireNonNull(Worded.of(Status.class, row.getString("status"))),
                instant(row, "approved_at"),
                instant(row, "use_by"),
                row.getString("state"),
                row.getString("execution_id"),
                row.getUUID("decision"),
                maybe(row, "used_at"),
                maybe(row, "report_by"));
    }
}
