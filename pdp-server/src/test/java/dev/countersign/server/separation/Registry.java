package dev.countersign.server.separation;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Persons, keys, entities and delegations in a database of a test's own. */
final class Registry implements AutoCloseable {
    static final Instant NOW = Instant.parse("2026-03-02T09:00:00Z");

    private final Vertx vertx = Vertx.vertx();
    private final Pool pool;
    private long ids;

    Registry(PostgresAddress database) {
        pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(database.host())
                        .setPort(database.port())
                        .setDatabase(database.database())
                        .setUser(database.user())
                        .setPassword(database.password())
                        .setCachePreparedStatements(true)
                        .addProperty("synchronous_commit", "off"))
                .using(vertx)
                .build();
    }

    Pool pool() {
        return pool;
    }

    static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    void execute(String sql, @Nullable Object... values) throws Exception {
        done(pool.preparedQuery(sql).execute(Tuple.from(values)));
    }

    UUID id() {
        return new UUID(0, ++ids);
    }

    void tenant(String id) throws Exception {
        execute("insert into tenants (id, name) values ($1, $1)", id);
    }

    UUID person(String tenant, String name) throws Exception {
        UUID id = id();
        PersonName folded = PersonName.of(name);
        execute(
                "insert into persons (id, tenant, name, folded) values ($1, $2, $3, $4)",
                id,
                tenant,
                folded.shown(),
                folded.folded());
        return id;
    }

    /** A key of a person's. */
    void key(String tenant, UUID person, @Nullable Instant expires, @Nullable Instant revoked, String... roles)
            throws Exception {
        long number = ++ids;
        execute(
                "insert into api_keys (id, tenant, name, hash, roles, person_id, expires_at, revoked_at)"
                        + " values ($1, $2, 'k', $3, $4, $5, $6, $7)",
                "k" + number,
                tenant,
                Buffer.buffer(ByteBuffer.allocate(32).putLong(number).array()),
                roles,
                person,
                expires == null ? null : expires.atOffset(ZoneOffset.UTC),
                revoked == null ? null : revoked.atOffset(ZoneOffset.UTC));
    }

    void entity(
            String tenant,
            String type,
            String id,
            @Nullable String owner,
            List<String> roles,
            List<String> groups,
            List<String> delegates)
            throws Exception {
        execute(
                "insert into entities (tenant, type, id, attributes, roles, groups, owner, delegates, version, updated_at,"
                        + " updated_by) values ($1, $2, $3, '{}', $4, $5, $6, $7, 0, $8, 'test')",
                tenant,
                type,
                id,
                roles.toArray(String[]::new),
                groups.toArray(String[]::new),
                owner,
                delegates.toArray(String[]::new),
                NOW.atOffset(ZoneOffset.UTC));
    }

    Delegation delegation(
            String tenant, UUID from, UUID to, Instant validFrom, Instant validUntil, @Nullable String scope)
            throws Exception {
        var made = Delegation.made(tenant, id(), from, to, validFrom, validUntil, scope, NOW, "test");
        var created = done(pool.withTransaction(connection -> DelegationStore.create(connection, made)));
        if (created != DelegationStore.Created.DONE) {
            throw new AssertionError(created);
        }
        return made;
    }

    Panel panel(Asking asking, List<Stage> stages) throws Exception {
        return panel(asking, stages, new Moment(NOW, NOW.plusSeconds(3600), NOW));
    }

    Panel panel(Asking asking, List<Stage> stages, Moment at) throws Exception {
        return done(pool.withTransaction(connection -> Separation.panel(connection, asking, stages, at)));
    }

    @Override
    public void close() throws Exception {
        done(vertx.close());
    }
}
