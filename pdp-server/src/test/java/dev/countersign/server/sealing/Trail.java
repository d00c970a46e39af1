package dev.countersign.server.sealing;

import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.server.decision.UuidV7;
import dev.countersign.server.decisionlog.LogExport;
import dev.countersign.server.decisionlog.LogVerifier;
import dev.countersign.server.decisionlog.Trust;
import dev.countersign.server.decisionlog.VerifyReport;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.signing.SigningKeyStore;
import dev.countersign.server.signing.SigningKeys;
import dev.countersign.server.signing.Tokens;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** The audit trail of one database, which several servers seal, and what somebody does to it who owns the database. */
final class Trail implements AutoCloseable {
    static final Instant START = Instant.parse("2026-03-02T09:00:00Z");

    final AtomicReference<Instant> now = new AtomicReference<>(START);
    private final SecureRandom random = new SecureRandom();
    private final Vertx vertx = Vertx.vertx();
    private final Metrics metrics = new Metrics();
    private final PostgresAddress server;
    private final PostgresAddress owner;
    private final Pool pool;
    private final SigningKeyStore store;
    private final AtomicReference<SigningKeys> keys = new AtomicReference<>(SigningKeys.NONE);

    Trail(PostgresAddress server, PostgresAddress owner) throws Exception {
        this.server = server;
        this.owner = owner;
        pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(server.host())
                        .setPort(server.port())
                        .setDatabase(server.database())
                        .setUser(server.user())
                        .setPassword(server.password()))
                .with(new PoolOptions().setMaxSize(4))
                .using(vertx)
                .build();
        store = new SigningKeyStore(pool, SecretBox.CLEAR, now::get, random);
        done(store.ensure());
        readKeys();
    }

    static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    void rotate() throws Exception {
        done(pool.withTransaction(connection -> store.rotate(connection, "csk_operator", false)));
        readKeys();
    }

    private void readKeys() throws Exception {
        keys.set(done(store.load()));
    }

    /** The keys that are published now, the newest first. */
    List<ECKey> published() {
        return Trust.keys(keys.get().jwks());
    }

    Sealing sealing() {
        return new Sealing(
                pool,
                new Tokens(keys::get, now::get),
                "https://pdp.example",
                () -> UuidV7.of(now.get().toEpochMilli(), random),
                Duration.ofMinutes(5),
                metrics,
                now::get);
    }

    Sealer sealer() {
        return new Sealer(pool, () -> UuidV7.of(now.get().toEpochMilli(), random), now::get);
    }

    /** Seals and makes a checkpoint, whatever the time is. */
    int checkpoint() throws Exception {
        return done(sealing().once(Duration.ZERO));
    }

    Connection connection() throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl(), server.jdbcProperties());
    }

    void event(String tenant, String type, String body) throws SQLException {
        try (Connection connection = connection()) {
            insert(connection, tenant, type, body);
        }
    }

    void insert(Connection connection, String tenant, String type, String body) throws SQLException {
        try (var insert = connection.prepareStatement("insert into events (tenant, id, type, time, body)"
                + " values (?, gen_random_uuid(), ?, ?::timestamptz, ?)")) {
            insert.setString(1, tenant);
            insert.setString(2, type);
            insert.setString(3, now.get().toString());
            insert.setString(4, "{\"id\":\"" + body + "\"}");
            insert.executeUpdate();
        }
    }

    void asOwner(String sql) throws SQLException {
        Sql.execute(owner, sql);
    }

    String read(String sql) throws SQLException {
        return Sql.query(owner, sql);
    }

    String export() throws SQLException, IOException {
        var out = new StringWriter();
        try (Connection connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties())) {
            LogExport.write(connection, out);
        }
        return out.toString();
    }

    VerifyReport verify() throws SQLException, IOException {
        return verify(Trust.NONE);
    }

    VerifyReport verify(Trust trust) throws SQLException, IOException {
        return LogVerifier.export(new StringReader(export()), trust);
    }

    @Override
    public void close() throws Exception {
        metrics.close();
        done(vertx.close());
    }
}
