package dev.countersign.server.events;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The events of a tenant as they stand in the table, in their order. */
public final class EventRecords {
    private static final String PAGE = "select number, type, body from events where tenant = $1 and number > $2";
    private static final String ORDER = " order by number limit $3";

    private final Pool pool;

    /** The events in the database behind {@code pool}. */
    public EventRecords(Pool pool) {
        this.pool = pool;
    }

    /**
     * The next events of a tenant. Whoever goes on with the number of the last one misses none and gets none twice.
     *
     * @param after only those after the one of this number; 0 for all
     * @param type only those of this type, unless it is {@code null}
     * @param limit at most so many
     */
    public Future<List<Event>> page(String tenant, long after, @Nullable String type, int limit) {
        var query = type == null ? PAGE + ORDER : PAGE + " and type = $4" + ORDER;
        var values = Tuple.of(tenant, after, limit);
        if (type != null) {
            values.addString(type);
        }
        return pool.preparedQuery(query).execute(values).map(rows -> {
            var events = new ArrayList<Event>(rows.size());
            for (Row row : rows) {
                events.add(new Event(row.getLong("number"), row.getString("type"), row.getString("body")));
            }
            return events;
        });
    }

    /** The number of the last event of a tenant, after which only new ones come; 0 if it has none. */
    public Future<Long> last(String tenant) {
        return pool.preparedQuery("select coalesce(max(number), 0) from events where tenant = $1")
                .execute(Tuple.of(tenant))
                .map(rows -> rows.iterator().next().getLong(0));
    }
}
