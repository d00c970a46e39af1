package dev.countersign.server.decision;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The decisions of a tenant as they stand in the table; the newest are there a moment after they were answered. */
public final class DecisionRecords {

    private final Pool pool;

    /** The records in the database behind {@code pool}. */
    public DecisionRecords(Pool pool) {
        this.pool = pool;
    }

    /**
     * What to list, newest first; a null filter lets everything pass.
     *
     * @param decision the outcome
     * @param subjectId who acted
     * @param action what they wanted to do
     * @param before only decisions older than the one of this id
     * @param limit at most so many
     */
    public record Query(
            @Nullable String decision,
            @Nullable String subjectId,
            @Nullable String action,
            @Nullable UUID before,
            int limit) {}

    /** A decision's id, and its entry as it was logged: a JSON object. */
    public record Entry(UUID id, String json) {}

    /** The entries, as they were logged, that a query finds in a tenant. */
    public Future<List<Entry>> list(String tenant, Query query) {
        var where = new StringBuilder("tenant = $1");
        var values = Tuple.of(tenant);
        if (query.before() != null) {
            where.append(" and (at, id) < ($2, $3)");
            values.addOffsetDateTime(time(query.before())).addUUID(query.before());
        }
        filter(where, values, "decision", query.decision());
        filter(where, values, "subject_id", query.subjectId());
        filter(where, values, "action", query.action());
        values.addInteger(query.limit());
        String sql =
                "select id, entry from decisions where " + where + " order by at desc, id desc limit $" + values.size();
        return pool.preparedQuery(sql).execute(values).map(rows -> {
            var entries = new ArrayList<Entry>();
            for (Row row : rows) {
                entries.add(new Entry(row.getUUID("id"), row.getString("entry")));
            }
            return entries;
        });
    }

    private static void filter(StringBuilder where, Tuple values, String column, @Nullable String value) {
        if (value != null) {
            values.addString(value);
            where.append(" and ").append(column).append(" = $").append(values.size());
        }
    }

    /** The entry of one decision of a tenant, as it was logged; or {@code null}. */
    public Future<@Nullable String> find(String tenant, UUID id) {
        return pool.preparedQuery("select entry from decisions where tenant = $1 and at = $2 and id = $3")
                .execute(Tuple.of(tenant, time(id), id))
                .map(rows -> rows.size() == 0 ? null : rows.iterator().next().getString(0));
    }

    private static OffsetDateTime time(UUID id) {
        return Instant.ofEpochMilli(UuidV7.epochMilli(id)).atOffset(ZoneOffset.UTC);
    }
}
