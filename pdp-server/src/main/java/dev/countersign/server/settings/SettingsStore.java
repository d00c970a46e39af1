package dev.countersign.server.settings;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The settings in PostgreSQL. */
public final class SettingsStore {
    private SettingsStore() {}

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

    /** The version of a tenant's own value, 0 for none. */
    public static Future<Long> version(SqlConnection connection, String tenant, String name) {
        return connection
                .preparedQuery("select version from settings where tenant = $1 and name = $2")
                .execute(Tuple.of(tenant, name))
                .map(rows -> rows.size() == 0 ? 0L : rows.iterator().next().getLong(0));
    }

    /**
     * Sets a value, or takes it away, with its row of history. Writers of one tenant follow one another.
     *
     * @param json the value, or {@code null} for none
     * @param by the visible prefix of the key that changes it
     * @param at when
     * @param proposal the proposal that was confirmed, or {@code null}
     * @return the value as it is now, or {@code null} for none
     */
    public static Future<@Nullable StoredSetting> write(
            SqlConnection connection,
            String tenant,
            String name,
            @Nullable String json,
            String by,
            Instant at,
            @Nullable UUID proposal) {
        return connection
                .preparedQuery("select s.value, (select coalesce(max(h.version), 0) from settings_history h"
                        + " where h.tenant = $1 and h.name = $2) + 1 as next"
                        + " from (select 1) one left join settings s on s.tenant = $1 and s.name = $2")
                .execute(Tuple.of(tenant, name))
                .compose(rows -> {
                    Row found = rows.iterator().next();
                    String old = found.getString("value");
                    if (json == null && old == null) {
                        return Future.succeededFuture();
                    }
                    long version = found.getLong("next");
                    OffsetDateTime time = at.atOffset(ZoneOffset.UTC);
                    return change(connection, tenant, name, json, version, time, by)
                            .compose(changed -> connection
                                    .preparedQuery("insert into settings_history (tenant, name, version, old_value,"
                                            + " new_value, changed_at, changed_by, proposal)"
                                            + " values ($1, $2, $3, $4, $5, $6, $7, $8)")
                                    .execute(Tuple.from(
                                            new @Nullable Object[] {tenant, name, version, old, json, time, by, proposal
                                            })))
                            .map(kept -> json == null ? null : new StoredSetting(tenant, name, json, version, at, by));
                });
    }

    private static Future<?> change(
            SqlConnection connection,
            String tenant,
            String name,
            @Nullable String json,
            long version,
            OffsetDateTime time,
            String by) {
        return json == null
                ? connection
                        .preparedQuery("delete from settings where tenant = $1 and name = $2")
                        .execute(Tuple.of(tenant, name))
                : connection
                        .preparedQuery("insert into settings (tenant, name, value, version, updated_at, updated_by)"
                                + " values ($1, $2, $3, $4, $5, $6) on conflict (tenant, name) do update set value = $3,"
                                + " version = $4, updated_at = $5, updated_by = $6")
                        .execute(Tuple.of(tenant, name, json, version, time, by));
    }
}
