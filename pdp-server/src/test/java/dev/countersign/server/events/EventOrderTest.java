package dev.countersign.server.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever has read an event has seen all before it, however long transactions stay open. */
@ExtendWith(PostgresExtension.class)
class EventOrderTest {
    private final Vertx vertx = Vertx.vertx();
    private PostgresAddress application;
    private PostgresAddress owner;
    private EventRecords records;

    @BeforeEach
    void connect(PostgresAddress address, @AsOwner PostgresAddress asOwner) {
        application = address;
        owner = asOwner;
        Pool pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(address.host())
                        .setPort(address.port())
                        .setDatabase(address.database())
                        .setUser(address.user())
                        .setPassword(address.password()))
                .with(new PoolOptions().setMaxSize(1))
                .using(vertx)
                .build();
        records = new EventRecords(pool);
    }

    @AfterEach
    void disconnect() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private Connection transaction() throws SQLException {
        Connection connection = DriverManager.getConnection(application.jdbcUrl(), application.jdbcProperties());
        connection.setAutoCommit(false);
        return connection;
    }

    private static void insert(Connection connection, String tenant, String body) throws SQLException {
        try (var insert = connection.prepareStatement(
                "insert into events (tenant, id, type, time, body) values (?, gen_random_uuid(), 'x', now(), ?)")) {
            insert.setString(1, tenant);
            insert.setString(2, body);
            insert.executeUpdate();
        }
    }

    private List<Event> read(long after) throws Exception {
        return records.page("a", after, null, 100)
                .toCompletionStage()
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
    }

    private boolean waits() {
        try {
            return Sql.query(owner, "select count(*) from pg_stat_activity where wait_event = 'advisory'")
                    .equals("1");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aReaderNeverPassesATransactionThatIsStillOpen() throws Exception {
        try (Connection slow = transaction();
                Connection quick = transaction()) {
            insert(slow, "a", "first");
            var second = CompletableFuture.runAsync(() -> {
                try {
                    insert(quick, "a", "second");
                    quick.commit();
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            RunningServer.until("the other waits for its number", this::waits);
            long seen = read(0).stream().mapToLong(Event::number).max().orElse(0);
            slow.commit();
            second.get(30, TimeUnit.SECONDS);
            assertThat(read(seen)).extracting(Event::body).containsExactly("first", "second");
        }
    }

    @Test
    void aTransactionThatIsTakenBackLeavesAGapThatNobodyMisses() throws Exception {
        try (Connection one = transaction()) {
            insert(one, "a", "kept");
            one.commit();
            long seen = read(0).get(0).number();
            insert(one, "a", "taken back");
            one.rollback();
            insert(one, "b", "another tenant's");
            insert(one, "a", "next");
            one.commit();
            assertThat(read(seen)).extracting(Event::body).containsExactly("next");
            assertThat(records.last("a")
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get(30, TimeUnit.SECONDS))
                    .isEqualTo(read(seen).get(0).number());
        }
    }

    @Test
    void aTransactionThatSleepsOnTheLockIsEndedAndTheOthersGoOn() throws Exception {
        try (Connection asleep = transaction();
                Connection next = transaction()) {
            insert(asleep, "a", "lost with its transaction");
            insert(next, "a", "goes on");
            next.commit();
            assertThat(read(0)).extracting(Event::body).containsExactly("goes on");
            assertThatThrownBy(asleep::commit).isInstanceOf(SQLException.class);
        }
    }
}
