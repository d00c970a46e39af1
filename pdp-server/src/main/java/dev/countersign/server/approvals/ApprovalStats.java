package dev.countersign.server.approvals;

import static dev.countersign.server.approvals.AccessRequestStore.time;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the tables say of how a tenant's requests fare (seed 004, Monitoring), and of the whole way of one of them. */
public final class ApprovalStats {
    private static final String COUNTS = "count(*) as requested,"
            + " count(*) filter (where r.status = 'pending' and r.decide_by > $3) as pending,"
            + " count(*) filter (where r.status = 'approved') as approved,"
            + " count(*) filter (where r.status = 'denied') as rejected,"
            + " count(*) filter (where r.status = 'expired' or r.status = 'pending' and r.decide_by <= $3) as expired,"
            + " count(*) filter (where r.status = 'cancelled') as cancelled,"
            + " extract(epoch from avg(r.ended_at - r.created_at) filter (where r.status in ('approved', 'denied')))"
            + " as seconds";
    /** Reviews by whatever is put in place of the {@code %1$s}; a yes within ten seconds is counted as hasty. */
    private static final String REVIEWS = "select %1$s as name, count(*) filter (where v.vote = 'approve') as approved,"
            + " count(*) filter (where v.vote = 'deny') as rejected,"
            + " count(*) filter (where v.vote = 'approve' and v.at < r.created_at + interval '10 seconds') as hasty,"
            + " extract(epoch from avg(v.at - r.created_at)) as seconds,"
            + " extract(epoch from percentile_cont(0.5) within group (order by v.at - r.created_at)) as median"
            + " from approval_reviews v"
            + " join approval_requests r on r.tenant = v.tenant and r.id = v.request"
            + " join persons p on p.tenant = v.tenant and p.id = v.person"
            + " where v.tenant = $1 and v.at >= $2 and $3::timestamptz is not null"
            + " group by 1 order by count(*) desc, 1 limit " + ApprovalStats.MOST;

    /** By what a reviewer was known. */
    private static final String CHANNEL =
            "case when v.statement is not null then 'relay' when v.key like 'jwt:%' then 'token' else 'key' end";

    private static final List<String> NAMES =
            List.of("requested", "pending", "approved", "rejected", "expired", "cancelled");
    /** The most action types and persons that are told apart. */
    private static final int MOST = 100;

    private final Pool pool;
    private final InstantSource clock;

    ApprovalStats(Pool pool, InstantSource clock) {
        this.pool = pool;
        this.clock = clock;
    }

    /** How many of all tenants wait, and since when the oldest does. */
    public record Waiting(long pending, @Nullable Instant oldest) {}

    /** What waits, of all tenants together. */
    public Future<Waiting> waiting() {
        return pool.preparedQuery("select count(*) as pending, min(created_at) as oldest from approval_requests"
                        + " where status = 'pending' and decide_by > $1")
                .execute(Tuple.of(time(clock.instant())))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return new Waiting(row.getLong("pending"), AccessRequestStore.maybe(row, "oldest"));
                });
    }

    /**
     * How a tenant's requests fared: together, by action type and by who decided.
     *
     * @param within those that were made within this time
     */
    public Future<ObjectNode> of(String tenant, Duration within) {
        Instant now = clock.instant();
        Tuple values = Tuple.of(tenant, time(now.minus(within)), time(now));
        String from = " from approval_requests r where r.tenant = $1 and r.created_at >= $2";
        var all = pool.preparedQuery("select " + COUNTS
                        + ", extract(epoch from $3 - min(r.created_at) filter (where r.status = 'pending'"
                        + " and r.decide_by > $3)) as oldest" + from)
                .execute(values);
        var byAction = pool.preparedQuery("select r.action as name, " + COUNTS + from
                        + " group by r.action order by count(*) desc, r.action limit " + MOST)
                .execute(values);
        var byUser = pool.preparedQuery(REVIEWS.formatted("p.name")).execute(values);
        var byChannel = pool.preparedQuery(REVIEWS.formatted(CHANNEL)).execute(values);
        return Future.all(all, byAction, byUser, byChannel).map(found -> {
            Row together = all.result().iterator().next();
            ObjectNode out = counts(together);
            seconds(out, "oldest_pending_seconds", together, "oldest");
            ArrayNode actions = out.putArray("by_action_type");
            byAction.result()
                    .forEach(row -> actions.add(named("action_type", row).setAll(counts(row))));
            ArrayNode users = out.putArray("by_user");
            byUser.result().forEach(row -> users.add(reviews(named("user", row), row)));
            ArrayNode channels = out.putArray("by_channel");
            byChannel.result().forEach(row -> channels.add(reviews(named("channel", row), row)));
            return out;
        });
    }

    private static ObjectNode reviews(ObjectNode out, Row row) {
        out.put("approved", row.getLong("approved"))
                .put("rejected", row.getLong("rejected"))
                .put("hasty_approvals", row.getLong("hasty"));
        seconds(out, "average_seconds", row, "seconds");
        seconds(out, "median_seconds", row, "median");
        return out;
    }

    private static ObjectNode named(String member, Row row) {
        return JsonNodeFactory.instance.objectNode().put(member, row.getString("name"));
    }

    private static ObjectNode counts(Row row) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        NAMES.forEach(name -> out.put(name, row.getLong(name)));
        long decided = row.getLong("approved") + row.getLong("rejected");
        long abandoned = row.getLong("expired") + row.getLong("cancelled");
        out.put("approval_rate", rate(row.getLong("approved"), decided));
        out.put("rejection_rate", rate(row.getLong("rejected"), decided));
        out.put("expiry_rate", rate(row.getLong("expired"), decided + abandoned));
        out.put("abandoned_rate", rate(abandoned, decided + abandoned));
        seconds(out, "average_seconds", row, "seconds");
        return out;
    }

    private static double rate(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    private static void seconds(ObjectNode out, String member, Row row, String column) {
        Double seconds = row.getDouble(column);
        if (seconds != null) {
            out.put(member, Math.round(seconds * 1_000) / 1_000.0);
        }
    }

    /** The events of a request, the first first, as they were told. */
    public Future<List<String>> events(String tenant, UUID request) {
        return pool.preparedQuery("select body from events where tenant = $1 and type like 'approval.%'"
                        + " and time >= (select created_at from approval_requests where tenant = $1 and id = $2)"
                        + " and body::json ->> 'subject' = $2::text order by number")
                .execute(Tuple.of(tenant, request))
                .map(rows -> {
                    var bodies = new java.util.ArrayList<String>();
                    rows.forEach(row -> bodies.add(row.getString("body")));
                    return bodies;
                });
    }

    /** The runs of a request's approval, the first first. */
    public Future<List<Execution>> runs(String tenant, UUID approval) {
        return Receipts.runs(pool, tenant, approval);
    }
}
