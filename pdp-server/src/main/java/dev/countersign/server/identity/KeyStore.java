package dev.countersign.server.identity;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The keys in PostgreSQL. */
public final class KeyStore {
    private final Pool pool;
    private final Supplier<UUID> ids;

    /** The keys of the database behind {@code pool}; {@code ids} makes the ids of persons. */
    public KeyStore(Pool pool, Supplier<UUID> ids) {
        this.pool = pool;
        this.ids = ids;
    }

    /** All keys that are not revoked. */
    public Future<KeyRing> load() {
        return pool.query("select id, tenant, name, hash, roles, person_id from api_keys where revoked_at is null")
                .execute()
                .map(rows -> {
                    var byHash = new HashMap<ByteBuffer, Caller>();
                    for (Row row : rows) {
                        byHash.put(ByteBuffer.wrap(row.getBuffer("hash").getBytes()), caller(row));
                    }
                    return new KeyRing(Map.copyOf(byHash));
                });
    }

    private static Caller caller(Row row) {
        var roles = EnumSet.noneOf(Role.class);
        Arrays.stream(row.getArrayOfStrings("roles"))
                .forEach(word -> Role.of(word).ifPresent(roles::add));
        return new Caller(
                row.getString("id"),
                row.getString("name"),
                row.getString("tenant"),
                Set.copyOf(roles),
                row.getUUID("person_id"));
    }

    /**
     * A key to be stored.
     *
     * @param key the key
     * @param name what it is called
     * @param tenant its tenant, {@code null} for the operator's
     * @param roles what it may do
     * @param person the name of the person whose key it is, {@code null} for a service's
     */
    public record NewKey(
            ApiKey key,
            String name,
            @Nullable String tenant,
            List<Role> roles,
            @Nullable String person) {}

    /**
     * Makes a tenant with these keys, all or nothing, unless the database holds any key: then nothing happens and the
     * answer is false. Safe when two servers start at once.
     */
    public Future<Boolean> found(String tenant, List<NewKey> keys) {
        return pool.withTransaction(connection -> connection
                .query("select pg_advisory_xact_lock(hashtext('countersign first start'))")
                .execute()
                .compose(locked ->
                        connection.query("select 1 from api_keys limit 1").execute())
                .compose(any -> any.size() > 0
                        ? Future.succeededFuture(false)
                        : insert(connection, tenant, keys).map(true)));
    }

    private Future<Void> insert(SqlConnection connection, String tenant, List<NewKey> keys) {
        Future<?> done = connection
                .preparedQuery("insert into tenants (id, name) values ($1, $1) on conflict do nothing")
                .execute(Tuple.of(tenant));
        for (NewKey key : keys) {
            UUID person = key.person() == null ? null : ids.get();
            if (person != null) {
                done = done.compose(previous -> connection
                        .preparedQuery("insert into persons (id, tenant, name) values ($1, $2, $3)")
                        .execute(Tuple.of(person, key.tenant(), key.person())));
            }
            String[] roles = key.roles().stream().map(Role::word).toArray(String[]::new);
            done = done.compose(previous -> connection
                    .preparedQuery("insert into api_keys (id, tenant, name, hash, roles, person_id)"
                            + " values ($1, $2, $3, $4, $5, $6)")
                    .execute(Tuple.of(
                            key.key().id(),
                            key.tenant(),
                            key.name(),
                            Buffer.buffer(key.key().hash()),
                            roles,
                            person)));
        }
        return done.mapEmpty();
    }
}
