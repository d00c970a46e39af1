package dev.countersign.server.identity;

import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tenants in PostgreSQL. */
public final class TenantStore {
    private static final String COLUMNS = "id, name, created_at, suspended_at, suspended_by";

    private final Pool pool;
    private final Changes changes;
    private final KeyStore keys;
    private final InstantSource clock;

    /** The tenants of the database behind {@code pool}, whose first keys {@code keys} stores. */
    public TenantStore(Pool pool, Changes changes, KeyStore keys, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.keys = keys;
        this.clock = clock;
    }

    /** A tenant, and a key of its administrator. */
    public record Administered(Tenant tenant, StoredKey key) {}

    /** The tenants by id, from the one after {@code after} on. */
    public Future<List<Tenant>> list(@Nullable String after, int limit) {
        return pool.preparedQuery("select " + COLUMNS + " from tenants where id > $1 order by id limit $2")
                .execute(Tuple.of(after == null ? "" : after, limit))
                .map(rows -> {
                    var tenants = new ArrayList<Tenant>(rows.size());
                    rows.forEach(row -> tenants.add(tenant(row)));
                    return tenants;
                });
    }

    /** A tenant, or {@code null}. */
    public Future<@Nullable Tenant> find(String id) {
        return pool.withConnection(connection -> find(connection, id));
    }

    private static Future<@Nullable Tenant> find(SqlConnection connection, String id) {
        return connection
                .preparedQuery("select " + COLUMNS + " from tenants where id = $1")
                .execute(Tuple.of(id))
                .map(TenantStore::first);
    }

    /** Makes a tenant with the key of its first administrator; {@code null} if there is one of that id. */
    public Future<@Nullable Administered> create(String id, String name, KeyStore.NewKey administrator, String by) {
        return changes.give(
                null,
                by,
                connection -> connection
                        .preparedQuery("insert into tenants (id, name, created_at) values ($1, $2, $3)"
                                + " on conflict do nothing returning " + COLUMNS)
                        .execute(Tuple.of(id, name, now()))
                        .compose(made -> administered(connection, first(made), administrator)));
    }

    /** Makes another key of an administrator, for a tenant that has lost its own; {@code null} if there is no tenant. */
    public Future<@Nullable Administered> administer(String id, KeyStore.NewKey administrator, String by) {
        return changes.give(
                null,
                by,
                connection -> find(connection, id).compose(found -> administered(connection, found, administrator)));
    }

    private Future<@Nullable Administered> administered(
            SqlConnection connection, @Nullable Tenant tenant, KeyStore.NewKey administrator) {
        return tenant == null
                ? Future.succeededFuture()
                : keys.insert(connection, administrator).map(key -> new Administered(tenant, key));
    }

    /** Renames a tenant, and suspends it or lets it go on; {@code null} if there is none of that id. */
    public Future<@Nullable Tenant> update(String id, String name, boolean suspended, String by) {
        return changes.make(
                null,
                by,
                connection -> connection
                        .preparedQuery(
                                "update tenants set name = $2, suspended_at = case when $3 then coalesce(suspended_at, $4) end,"
                                        + " suspended_by = case when $3 then coalesce(suspended_by, $5) end where id = $1 returning "
                                        + COLUMNS)
                        .execute(Tuple.of(id, name, suspended, now(), by))
                        .map(TenantStore::first));
    }

    private OffsetDateTime now() {
        return clock.instant().atOffset(ZoneOffset.UTC);
    }

    private static @Nullable Tenant first(Iterable<Row> rows) {
        for (Row row : rows) {
            return tenant(row);
        }
        return null;
    }

    private static Tenant tenant(Row row) {
        OffsetDateTime suspended = row.getOffsetDateTime("suspended_at");
        return new Tenant(
                row.getString("id"),
                row.getString("name"),
                row.getOffsetDateTime("created_at").toInstant(),
                suspended == null ? null : suspended.toInstant(),
                row.getString("suspended_by"));
    }
}
