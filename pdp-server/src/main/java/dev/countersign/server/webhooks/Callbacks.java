package dev.countersign.server.webhooks;

import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The callbacks that wait for their tasks to end, within the transactions of those who make them and end them. */
public final class Callbacks {
    private Callbacks() {}

    /**
     * The webhook of a tenant that takes callbacks at an endpoint: enabled, for JSON, and with this very URL. It is there
     * until the transaction ends.
     *
     * @return {@code null} if there is none
     */
    public static Future<@Nullable UUID> webhook(SqlConnection connection, String tenant, String endpoint) {
        return connection
                .preparedQuery("select id from webhooks where tenant = $1 and url = $2 and format = 'standard'"
                        + " and disabled_at is null order by id limit 1 for key share")
                .execute(Tuple.of(tenant, endpoint))
                .map(rows -> rows.size() == 0 ? null : rows.iterator().next().getUUID(0));
    }

    /** Has the end of a task told to a webhook. */
    public static Future<?> insert(
            SqlConnection connection, String tenant, UUID task, UUID webhook, Callback callback, Instant now) {
        return connection
                .preparedQuery("insert into task_callbacks (tenant, task, webhook, state, events, created_at)"
                        + " values ($1, $2, $3, $4, $5, $6)")
                .execute(Tuple.of(
                        tenant,
                        task,
                        webhook,
                        callback.state(),
                        callback.events().toArray(String[]::new),
                        now.atOffset(ZoneOffset.UTC)));
    }

    /**
     * Takes back the callbacks of a webhook that is about to be deleted.
     *
     * @return the tasks whose end is told to nobody now
     */
    static Future<List<UUID>> drop(SqlConnection connection, String tenant, UUID webhook) {
        return connection
                .preparedQuery("with waiting as (delete from task_callbacks where tenant = $1 and webhook = $2"
                        + " returning task) select task from waiting union all select task from webhook_deliveries"
                        + " where tenant = $1 and webhook = $2 and task is not null and status = 'waiting'")
                .execute(Tuple.of(tenant, webhook))
                .map(rows -> {
                    var tasks = new ArrayList<UUID>(rows.size());
                    rows.forEach(row -> tasks.add(row.getUUID(0)));
                    return tasks;
                });
    }
}
