package dev.countersign.server.settings;

import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** The settings in PostgreSQL. */
public final class SettingsStore {
    private final Changes changes;
    private final InstantSource clock;

    /** The settings of the database that {@code changes} change; {@code clock} dates them. */
    public SettingsStore(Changes changes, InstantSource clock) {
        this.changes = changes;
        this.clock = clock;
    }

    /** All settings of these tenants, by tenant and name; a tenant without any is left out. */
    public static Future<Map<String, Map<String, StoredSetting>>> load(SqlConnection connection, String[] tenants) {
        return connection
                .preparedQuery("select tenant, name, value, version, updated_at, updated_by from settings"
                        + " where tenant = any($1)")
                .execute(Tuple.of((Object) tenants))
                .map(rows -> {
                    var all = new HashMap<String, Map<String, StoredSetting>>();
                    for (Row row : rows) {
                        var setting = new StoredSetting(
                                row.getString("tenant"),
                                row.getString("name"),
                                row.getString("value"),
                                row.getLong("version"),
                                row.getOffsetDateTime("updated_at").toInstant(),
                                row.getString("updated_by"));
                        all.computeIfAbsent(setting.tenant(), tenant -> new HashMap<>())
                                .put(setting.name(), setting);
                    }
                    return all;
                });
    }

    /** What came of a write. */
    public sealed interface Written {
        /** It is committed: {@code now} is the value, or {@code null} if the tenant has none any more. */
        record Done(@Nullable StoredSetting now) implements Written {}

        /** The setting was at another version, 0 for none, and nothing was changed. */
        record Stale(long version) implements Written {}
    }

    /** How a change was found: the version, 0 for none, and the highest one ever given. */
    private record Found(@Nullable String json, long version, long highest) {}

    /**
     * Sets a value, or takes it away, if the version at hand is as it must be; with its row of history, all or nothing.
     * Writers of one tenant follow one another.
     *
     * @param json the value, or {@code null} for none
     * @param by the visible prefix of the key that changes it
     * @param precondition whether the version at hand, 0 for none, may be changed
     * @return done when the change is committed and this server judges by it; failed if either is not sure
     */
    public Future<Written> write(
            String tenant, String name, @Nullable String json, String by, LongPredicate precondition) {
        return changes.make(
                tenant,
                by,
                connection -> find(connection, tenant, name)
                        .compose(found -> precondition.test(found.version())
                                ? change(connection, tenant, name, json, by, found)
                                : Future.succeededFuture(new Written.Stale(found.version()))));
    }

    private static Future<Found> find(SqlConnection connection, String tenant, String name) {
        return connection
                .preparedQuery("select s.value, coalesce(s.version, 0) as version, (select coalesce(max(h.version), 0)"
                        + " from settings_history h where h.tenant = $1 and h.name = $2) as highest"
                        + " from (select 1) one left join settings s on s.tenant = $1 and s.name = $2")
                .execute(Tuple.of(tenant, name))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return new Found(row.getString("value"), row.getLong("version"), row.getLong("highest"));
                });
    }

    private Future<Written> change(
            SqlConnection connection, String tenant, String name, @Nullable String json, String by, Found found) {
        if (json == null && found.json() == null) {
            return Future.succeededFuture(new Written.Done(null));
        }
        Instant at = Instant.ofEpochMilli(clock.millis());
        OffsetDateTime time = at.atOffset(ZoneOffset.UTC);
        long version = found.highest() + 1;
        Future<?> changed = json == null
                ? connection
                        .preparedQuery("delete from settings where tenant = $1 and name = $2")
                        .execute(Tuple.of(tenant, name))
                : connection
                        .preparedQuery("insert into settings (tenant, name, value, version, updated_at, updated_by)"
                                + " values ($1, $2, $3, $4, $5, $6) on conflict (tenant, name) do update set value = $3,"
                                + " version = $4, updated_at = $5, updated_by = $6")
                        .execute(Tuple.of(tenant, name, json, version, time, by));
        return changed.compose(done -> connection
                        .preparedQuery("insert into settings_history (tenant, name, version, old_value, new_value,"
                                + " changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7)")
                        .execute(Tuple.of(tenant, name, version, found.json(), json, time, by)))
                .map(kept ->
                        new Written.Done(json == null ? null : new StoredSetting(tenant, name, json, version, at, by)));
    }
}
