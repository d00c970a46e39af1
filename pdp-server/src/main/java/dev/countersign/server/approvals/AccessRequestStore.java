package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The access requests and their reviews in PostgreSQL. */
public final class AccessRequestStore {
    private static final String COLUMNS = "tenant, id, task, position, evaluation_id, requester, requester_key,"
            + " requester_person, subject_type, subject_id, action, resource_type, resource_id, call, whole, digest,"
            + " bound_context, advisory, reason, risk, client_id, idempotency_key, submission, description, requested_by,"
            + " run_id, session_id, project_id, agent_name, confidence, requested_until, findings, stages, stage, excluded,"
            + " claimed, created_at, decide_by, use_seconds, break_glass, status, ended_at, ended_by, ended_person, note";
    private static final String SELECT = "select " + COLUMNS + " from approval_requests where tenant = $1";

    private final Pool pool;

    /** The access requests of the database behind {@code pool}. */
    public AccessRequestStore(Pool pool) {
        this.pool = pool;
    }

    /** Where a request is by now, whether or not somebody has noted it. */
    public enum Standing implements Worded {
        /** It waits for reviews. */
        PENDING("status = 'pending' and decide_by > $2"),
        /** It was approved, and not used. */
        APPROVED("status = 'approved' and not " + Standing.USED),
        /** It was approved and used. */
        APPLIED("status = 'approved' and " + Standing.USED),
        /** It was refused. */
        DENIED("status = 'denied'"),
        /** It was not decided in time. */
        EXPIRED("(status = 'expired' or status = 'pending' and decide_by <= $2)"),
        /** It was wanted no more. */
        CANCELLED("status = 'cancelled'"),
        /** The server could not go on with it. */
        FAILED("status = 'failed'");

        private static final String USED = "exists (select 1 from approvals a where a.tenant = approval_requests.tenant"
                + " and a.request = approval_requests.id and a.status = 'consumed')";

        private final String condition;

        Standing(String condition) {
            this.condition = condition;
        }
    }

    /**
     * What to list, oldest first; a null filter lets everything pass.
     *
     * @param standing in this state
     * @param risk of this risk
     * @param byRisk whether the most dangerous come first, the oldest of them first
     * @param sessionId of this session
     * @param runId of this run
     * @param requester of this requester
     * @param after only those after the one of this id
     * @param limit at most so many
     */
    public record Query(
            @Nullable Standing standing,
            @Nullable String risk,
            boolean byRisk,
            @Nullable String sessionId,
            @Nullable String runId,
            @Nullable String requester,
            @Nullable UUID after,
            int limit) {}

    /** What a query finds in a tenant. */
    public Future<List<AccessRequest>> list(String tenant, Query query, Instant now) {
        String order = query.byRisk() ? "risk_rank, created_at, id" : "created_at, id";
        return many(
                pool,
                SELECT + " and $2::timestamptz is not null"
                        + (query.standing() == null ? "" : " and " + query.standing().condition)
                        + " and ($3::text is null or session_id = $3)"
                        + " and ($4::text is null or run_id = $4) and ($5::text is null or requester = $5)"
                        + " and ($6::uuid is null or (" + order + ") > (select " + order + " from approval_requests"
                        + " where tenant = $1 and id = $6)) and ($8::text is null or risk = $8)"
                        + " order by " + order + " limit $7",
                Tuple.of(
                        tenant,
                        time(now),
                        query.sessionId(),
                        query.runId(),
                        query.requester(),
                        query.after(),
                        query.limit(),
                        query.risk()));
    }

    /** What a requester asked for, the newest first. */
    public Future<List<AccessRequest>> mine(String tenant, String requester, int limit) {
        return many(
                pool,
                SELECT + " and requester = $2 order by created_at desc, id limit $3",
                Tuple.of(tenant, requester, limit));
    }

    /** What waits, the oldest first, and was not asked for on the side of this person. */
    public Future<List<AccessRequest>> waitingFor(String tenant, UUID person, Instant now, int limit) {
        return many(
                pool,
                SELECT + " and status = 'pending' and decide_by > $2 and not $3 = any(excluded)"
                        + " order by created_at, id limit $4",
                Tuple.of(tenant, time(now), person, limit));
    }

    /** One of a tenant, or {@code null}. */
    public Future<@Nullable AccessRequest> find(String tenant, UUID id) {
        return find(pool, tenant, id);
    }

    static Future<@Nullable AccessRequest> find(SqlClient client, String tenant, UUID id) {
        return one(client, SELECT + " and id = $2", Tuple.of(tenant, id));
    }

    /**
     * Those that requesters call so, that of {@code requester} first; at most two.
     *
     * @param clientId what a requester calls it
     */
    public Future<List<AccessRequest>> named(String tenant, String clientId, String requester) {
        return many(
                pool,
                SELECT + " and client_id = $2 order by (requester = $3) desc, created_at limit 2",
                Tuple.of(tenant, clientId, requester));
    }

    /** What a requester submitted under this {@code Idempotency-Key}, in its order; nothing if it did not. */
    public Future<List<AccessRequest>> submitted(String tenant, String requester, String key) {
        return many(
                pool,
                SELECT + " and task in (select task from approval_requests where tenant = $1 and requester = $2"
                        + " and idempotency_key = $3 and position = 0) order by position",
                Tuple.of(tenant, requester, key));
    }

    /** Those that were submitted together, in their order. */
    public Future<List<AccessRequest>> task(String tenant, UUID task) {
        return many(pool, SELECT + " and task = $2 order by position", Tuple.of(tenant, task));
    }

    /** One of a tenant, which nobody else changes until the transaction ends; or {@code null}. */
    static Future<@Nullable AccessRequest> lock(SqlConnection connection, String tenant, UUID id) {
        return one(connection, SELECT + " and id = $2 for update", Tuple.of(tenant, id));
    }

    /** Those of a task, which nobody else changes until the transaction ends. */
    static Future<List<AccessRequest>> lockTask(SqlConnection connection, String tenant, UUID task) {
        return many(connection, SELECT + " and task = $2 order by position for update", Tuple.of(tenant, task));
    }

    /** Those that are late, of all tenants, which nobody else changes until the transaction ends; others' are passed over. */
    static Future<List<AccessRequest>> lockLate(SqlConnection connection, Instant now, int limit) {
        return many(
                connection,
                "select " + COLUMNS + " from approval_requests where status = 'pending' and decide_by <= $1"
                        + " order by decide_by limit $2 for update skip locked",
                Tuple.of(time(now), limit));
    }

    /** The task that a requester submitted under this key, or about this denial, or by this name of its own. */
    static Future<List<AccessRequest>> before(SqlConnection connection, AccessRequest like) {
        AccessRequest.About about = like.about();
        return many(
                connection,
                SELECT + " and task in (select task from approval_requests where tenant = $1 and (evaluation_id = $2"
                        + " or requester = $3 and (idempotency_key = $4 and position = 0 or client_id = $5))) order by task, position",
                Tuple.of(
                        like.tenant(),
                        like.evaluation(),
                        like.requester().principal(),
                        about.idempotencyKey(),
                        about.clientId()));
    }

    static Future<AccessRequest> insert(SqlConnection connection, AccessRequest made) {
        AccessRequest.Wanted wanted = made.wanted();
        AccessRequest.About about = made.about();
        AccessRequest.Requester requester = made.requester();
        return connection
                .preparedQuery("insert into approval_requests (tenant, id, task, position, evaluation_id, requester,"
                        + " requester_key, requester_person, subject_type, subject_id, action, resource_type,"
                        + " resource_id, call, whole, digest, bound_context, advisory, reason, risk, client_id,"
                        + " idempotency_key, submission, description, requested_by, run_id, session_id, project_id,"
                        + " agent_name, confidence, requested_until, findings, stages, excluded, claimed, created_at,"
                        + " decide_by, use_seconds, escalates_at, break_glass) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
                        + " $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,"
                        + " $35, $36, $37, $38, $39, $40)")
                .execute(Tuple.from(new @Nullable Object[] {
                    made.tenant(),
                    made.id(),
                    made.task(),
                    made.position(),
                    made.evaluation(),
                    requester.principal(),
                    requester.key(),
                    requester.person(),
                    wanted.subjectType(),
                    wanted.subjectId(),
                    wanted.action(),
                    wanted.resourceType(),
                    wanted.resourceId(),
                    wanted.call(),
                    wanted.whole(),
                    wanted.digest(),
                    wanted.boundContext().toArray(String[]::new),
                    wanted.advisory().toArray(String[]::new),
                    wanted.reason(),
                    wanted.risk(),
                    about.clientId(),
                    about.idempotencyKey(),
                    about.submission(),
                    about.description(),
                    about.requestedBy(),
                    about.runId(),
                    about.sessionId(),
                    about.projectId(),
                    about.agentName(),
                    about.confidence(),
                    time(about.requestedUntil()),
                    AccessRequestRow.json(made.findings()),
                    AccessRequestRow.json(made.stages()),
                    made.excluded().toArray(UUID[]::new),
                    made.claimed().toArray(String[]::new),
                    time(made.createdAt()),
                    time(made.decideBy()),
                    made.useWithin().toSeconds(),
                    time(made.escalatesAt()),
                    made.breakGlass().word()
                }))
                .map(inserted -> made);
    }

    /** Ends one that is locked. */
    static Future<?> end(SqlConnection connection, AccessRequest locked, Status status, AccessRequest.End end) {
        AccessRequestLifecycle.TABLE.go(locked.status(), status);
        return connection
                .preparedQuery("update approval_requests set status = $3, ended_at = $4, ended_by = $5,"
                        + " ended_person = $6, note = $7 where tenant = $1 and id = $2")
                .execute(Tuple.of(
                        locked.tenant(),
                        locked.id(),
                        status.word(),
                        time(end.at()),
                        end.key(),
                        end.person(),
                        end.note()));
    }

    /** Goes on to another round of one that is locked, or stays in the one at hand. */
    static Future<?> stage(SqlConnection connection, AccessRequest locked, int stage) {
        return connection
                .preparedQuery("update approval_requests set stage = $3,"
                        + " escalates_at = case when stage = $3 then escalates_at else $4 end"
                        + " where tenant = $1 and id = $2")
                .execute(Tuple.of(locked.tenant(), locked.id(), stage, time(locked.escalatesAt(stage))));
    }

    /** Those of all tenants whose round at hand has escalated untold, as {@link #lockLate} locks. */
    static Future<List<AccessRequest>> lockEscalated(SqlConnection connection, Instant now, int limit) {
        return many(
                connection,
                "select " + COLUMNS + " from approval_requests where status = 'pending' and escalates_at <= $1"
                        + " and decide_by > $1 order by escalates_at limit $2 for update skip locked",
                Tuple.of(time(now), limit));
    }

    /** Notes that the escalation of one that is locked is told. */
    static Future<?> told(SqlConnection connection, AccessRequest locked) {
        return connection
                .preparedQuery("update approval_requests set escalates_at = null where tenant = $1 and id = $2")
                .execute(Tuple.of(locked.tenant(), locked.id()));
    }

    static Future<?> insert(SqlConnection connection, AccessRequest request, Review review) {
        return connection
                .preparedQuery(
                        "insert into approval_reviews (tenant, request, person, in_place_of, stage, vote, key,"
                                + " note, at, statement_issuer, statement) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                .execute(Tuple.of(
                        request.tenant(),
                        request.id(),
                        review.person(),
                        review.inPlaceOf(),
                        review.stage(),
                        review.vote().word(),
                        review.key(),
                        review.note(),
                        time(review.at()),
                        review.statement() == null ? null : review.statement().issuer(),
                        review.statement() == null ? null : review.statement().id()));
    }

    /** What was said of one, the first first. */
    public Future<List<Review>> reviews(String tenant, UUID request) {
        return reviews(pool, tenant, request);
    }

    static Future<List<Review>> reviews(SqlClient client, String tenant, UUID request) {
        return client.preparedQuery("select person, in_place_of, stage, vote, key, note, at,"
                        + " statement_issuer, statement from approval_reviews"
                        + " where tenant = $1 and request = $2 order by at, person")
                .execute(Tuple.of(tenant, request))
                .map(rows -> {
                    var reviews = new ArrayList<Review>();
                    for (Row row : rows) {
                        reviews.add(new Review(
                                row.getUUID("person"),
                                row.getUUID("in_place_of"),
                                row.getInteger("stage"),
                                Objects.requireNonNull(Worded.of(Review.Vote.class, row.getString("vote"))),
                                row.getString("key"),
                                row.getString("note"),
                                instant(row, "at"),
                                row.getUUID("statement_issuer") == null
                                        ? null
                                        : new Review.Statement(
                                                row.getUUID("statement_issuer"), row.getString("statement"))));
                    }
                    return reviews;
                });
    }

    private static Future<List<AccessRequest>> many(SqlClient client, String sql, Tuple values) {
        return client.preparedQuery(sql).execute(values).map(AccessRequestStore::requests);
    }

    private static Future<@Nullable AccessRequest> one(SqlClient client, String sql, Tuple values) {
        return many(client, sql, values).map(found -> found.isEmpty() ? null : found.get(0));
    }

    private static List<AccessRequest> requests(RowSet<Row> rows) {
        var requests = new ArrayList<AccessRequest>(rows.size());
        rows.forEach(row -> requests.add(AccessRequestRow.read(row)));
        return requests;
    }

    static Instant instant(Row row, String column) {
        return row.getOffsetDateTime(column).toInstant();
    }

    static @Nullable Instant maybe(Row row, String column) {
        OffsetDateTime at = row.getOffsetDateTime(column);
        return at == null ? null : at.toInstant();
    }

    static @Nullable OffsetDateTime time(@Nullable Instant at) {
        return at == null ? null : at.atOffset(ZoneOffset.UTC);
    }
}
