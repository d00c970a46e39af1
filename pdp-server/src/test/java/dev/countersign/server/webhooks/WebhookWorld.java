package dev.countersign.server.webhooks;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.secrets.SecretBox;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** Two tenants, a clock that stands still, and as many servers as a test wants. */
final class WebhookWorld implements AutoCloseable {
    static final Instant START = Instant.parse("2026-03-02T09:00:00Z");
    static final String KEY = "cs_admin";

    final AtomicReference<Instant> now = new AtomicReference<>(START);
    final Vertx vertx = Vertx.vertx();
    /** What the tasks of callbacks say. */
    volatile BiFunction<String, UUID, Future<@Nullable ObjectNode>> tasks =
            (tenant, task) -> Future.succeededFuture(null);

    final SecretBox secrets = SecretBox.of(new SecretKeySpec(new byte[32], "AES"), new SecureRandom());
    final WebhookStore store;
    private final PostgresAddress database;
    private final Random ids = new Random(7);

    WebhookWorld(PostgresAddress database) throws SQLException {
        this.database = database;
        Sql.execute(database, "insert into tenants (id, name) values ('acme', 'Acme'), ('other', 'Other')");
        for (String key : List.of(KEY, "cs_1", "cs_2", "cs_3")) {
            Sql.execute(
                    database,
                    "insert into api_keys (id, tenant, name, hash, roles) values ('" + key
                            + "', 'acme', 'admin', sha256('" + key + "'), array['admin'])");
        }
        Pool pool = pool();
        var changes = new Changes(pool, new LiveFeed(pool, now::get, Duration.ofSeconds(1)), now::get);
        this.store = new WebhookStore(pool, secrets, changes, this::id, new Random(42), now::get);
    }

    private Pool pool() {
        return PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(database.host())
                        .setPort(database.port())
                        .setDatabase(database.database())
                        .setUser(database.user())
                        .setPassword(database.password()))
                .with(new PoolOptions().setMaxSize(4))
                .using(vertx)
                .build();
    }

    UUID id() {
        return new UUID(ids.nextLong(), ids.nextLong());
    }

    /** A server that may call these receivers. */
    Deliveries server(Receiver... receivers) {
        List<String> rules = java.util.Arrays.stream(receivers)
                .map(each -> "http://127.0.0.1:" + each.port())
                .toList();
        return new Deliveries(
                pool(),
                secrets,
                new Egress(vertx, EgressRules.parse(rules), null),
                (tenant, task) -> tasks.apply(tenant, task),
                new Random(1),
                now::get);
    }

    DeliveryQueue queue() {
        return new DeliveryQueue(pool(), secrets);
    }

    WebhookStore.Made webhook(Receiver receiver, String... types) {
        return done(store.create(
                "acme", new WebhookTerms(receiver.url(), WebhookTerms.Format.STANDARD, List.of(types)), KEY));
    }

    /** Writes an event, whose body tells of nothing but its id. */
    UUID happen(String tenant, String type) throws SQLException {
        UUID id = id();
        happen(tenant, type, id, "{\"id\":\"" + id + "\",\"text\":\"grüße\"}");
        return id;
    }

    void happen(String tenant, String type, UUID id, String body) throws SQLException {
        try (var connection = connect();
                var insert = connection.prepareStatement(
                        "insert into events (tenant, id, type, time, body) values (?, ?, ?, now(), ?)")) {
            insert.setString(1, tenant);
            insert.setObject(2, id);
            insert.setString(3, type);
            insert.setString(4, body);
            insert.executeUpdate();
        }
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
    }

    /** Writes deliveries of acme that ended a moment ago. */
    void past(UUID webhook, int count, String status) throws SQLException {
        Sql.execute(
                database,
                "insert into webhook_deliveries (tenant, webhook, event, event_id, event_type, status, next_at, created_at,"
                        + " ended_at) select 'acme', '" + webhook + "', n, gen_random_uuid(), 'x', '" + status + "', '"
                        + START + "', '" + START + "', '" + START + "' from generate_series(1, " + count + ") n");
    }

    void later(Duration time) {
        now.updateAndGet(before -> before.plus(time));
    }

    /** Steps until there is nothing to do at this time. */
    static void all(Deliveries server) {
        int steps = 0;
        while (done(server.step()) > 0) {
            if (++steps > 1_000) {
                throw new AssertionError("there is always something to do");
            }
        }
    }

    List<Delivery> deliveries(UUID webhook) {
        return done(store.deliveries("acme", webhook, null, Long.MAX_VALUE, 1_000));
    }

    static <T> T done(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        done(vertx.close());
    }
}
