package dev.countersign.server.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** A value in memory is what the database held at a moment after it was asked for. */
@ExtendWith(PostgresExtension.class)
class LiveFeedTest {
    private static final Instant START = Instant.parse("2026-03-02T09:00:00Z");

    private final AtomicReference<Instant> now = new AtomicReference<>(START);
    private final BlockingQueue<Promise<String>> reads = new ArrayBlockingQueue<>(10);

    private Vertx vertx;
    private PgConnectOptions options;
    private Pool pool;
    private LiveFeed feed;
    private Live<String> live;

    @BeforeEach
    void connect(PostgresAddress database) {
        vertx = Vertx.vertx();
        options = new PgConnectOptions()
                .setHost(database.host())
                .setPort(database.port())
                .setDatabase(database.database())
                .setUser(database.user())
                .setPassword(database.password());
        pool = PgBuilder.pool().connectingTo(options).using(vertx).build();
        feed = feed(now::get, Duration.ofDays(1));
    }

    private LiveFeed feed(InstantSource clock, Duration interval) {
        var made = new LiveFeed(pool, clock, interval);
        live = settings(made);
        return made;
    }

    private Live<String> settings(LiveFeed of) {
        return of.live("policies", "nothing", known -> {
            Promise<String> read = Promise.promise();
            reads.add(read);
            return read.future();
        });
    }

    @AfterEach
    void disconnect() throws Exception {
        done(vertx.close());
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private Promise<String> read() throws InterruptedException {
        Promise<String> read = reads.poll(30, TimeUnit.SECONDS);
        assertThat(read).as("somebody reads").isNotNull();
        return read;
    }

    /** Starts the feed, which reads the value, and waits until it has. */
    private void start(LiveFeed started) throws Exception {
        Future<Void> first = started.start(vertx, options);
        read().complete("value");
        done(first);
        assertThat(live.get()).isEqualTo("value");
    }

    /** Counts a change without telling anybody. */
    private static void change(PostgresAddress owner) throws SQLException {
        Sql.execute(owner, "update revisions set revision = revision + 1 where kind = 'policies'");
    }

    @Test
    void newEventsAreHeardOnceForEachTenantThatHasThem(@AsOwner PostgresAddress owner) throws Exception {
        var heard = new ArrayBlockingQueue<String>(10);
        feed.listen("countersign_events", heard::add);
        start(feed);
        Sql.execute(
                owner,
                "insert into events (tenant, id, type, time, body)"
                        + " select t, gen_random_uuid(), 'x', now(), '{}' from unnest(array['a', 'b', 'a']) t");
        Sql.execute(owner, "select pg_notify('countersign_events', 'the end')");
        var tenants = new ArrayList<String>();
        for (String next = heard.poll(30, TimeUnit.SECONDS);
                !"the end".equals(next);
                next = heard.poll(30, TimeUnit.SECONDS)) {
            assertThat(next).as("somebody is heard").isNotNull();
            tenants.add(next);
        }
        assertThat(tenants).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void aChangeIsKnownByItsNotificationAlone(@AsOwner PostgresAddress owner) throws Exception {
        start(feed);
        Sql.execute(owner, "insert into tenants (id, name) values ('t', 't')");
        Sql.execute(owner, "insert into settings values ('t', 'limit', '1', 1, now(), 'nobody')");
        read().complete("new");
        done(feed.look());
        assertThat(live.get()).isEqualTo("new");
    }

    @Test
    void aChangeIsKnownWithoutItsNotificationOnceTheIntervalIsOver(@AsOwner PostgresAddress owner) throws Exception {
        LiveFeed often = feed(now::get, Duration.ofMillis(20));
        start(often);
        Sql.execute(
                owner,
                "do $$ begin assert (select count(pg_terminate_backend(pid)) from pg_stat_activity"
                        + " where datname = current_database() and query ilike 'listen%') = 1,"
                        + " 'nobody listens'; end $$");
        change(owner);
        read().complete("new");
        done(often.look());
    }

    @Test
    void everyServerIsToldOnceOfEachChange(@AsOwner PostgresAddress owner) throws Exception {
        try (var connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var statement = connection.createStatement()) {
            statement.execute("listen countersign");
            Sql.execute(owner, "insert into tenants (id, name) values ('t', 't')");
            Sql.execute(owner, "insert into settings values ('t', 'limit', '1', 1, now(), 'nobody')");
            Sql.execute(
                    owner,
                    "insert into api_keys (id, name, hash, roles) values ('k', 'k', sha256('k'), array['operator'])");
            // What is notified of comes in the order of the commits, so the last one ends it.
            Sql.execute(owner, "notify countersign, 'end'");
            var told = new ArrayList<String>();
            var postgres = connection.unwrap(PGConnection.class);
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (!told.contains("end") && System.nanoTime() < deadline) {
                for (PGNotification notification : postgres.getNotifications(1_000)) {
                    told.add(notification.getParameter());
                }
            }
            assertThat(told).containsExactly("policies", "keys", "end");
        }
    }

    @Test
    void whateverIsThrownInALookFailsItAndTheNextOneLooksAgain() throws Exception {
        var broken = new AtomicBoolean(true);
        LiveFeed odd = feed(
                () -> {
                    if (broken.get()) {
                        throw new IllegalStateException("the clock has stopped");
                    }
                    return now.get();
                },
                Duration.ofDays(1));
        assertThatThrownBy(() -> done(odd.look())).hasMessageContaining("the clock has stopped");
        broken.set(false);
        Future<Void> again = odd.look();
        read().complete("value");
        done(again);
        assertThat(live.get()).isEqualTo("value");
    }

    @Test
    void aValueWhoseReadingThrowsKeepsNoOtherFromBeingRead() throws Exception {
        var both = new LiveFeed(pool, now::get, Duration.ofDays(1));
        var thrower = both.live("keys", "none", known -> {
            throw new IllegalStateException("it cannot begin");
        });
        live = settings(both);
        Future<Void> look = both.look();
        read().complete("value");
        assertThatThrownBy(() -> done(look)).hasMessageContaining("it cannot begin");
        assertThat(live.get()).isEqualTo("value");
    }

    @Test
    void whatNobodyHasReadIsStale() {
        assertThat(live.stale(Duration.ofDays(1), START)).isTrue();
        assertThat(live.get()).isEqualTo("nothing");
    }

    @Test
    void aLookThatIsAskedForDuringAnotherSeesWhatWasCommittedBefore(@AsOwner PostgresAddress owner) throws Exception {
        Future<Void> first = feed.look();
        Promise<String> old = read();
        change(owner);
        Future<Void> second = feed.look();
        Future<Void> third = feed.look();
        old.complete("old");
        done(first);
        assertThat(live.get()).isEqualTo("old");
        assertThat(second.isComplete()).isFalse();
        read().complete("new");
        done(second);
        done(third);
        assertThat(live.get()).isEqualTo("new");
        assertThat(reads).as("one look for all who asked meanwhile").isEmpty();
    }

    @Test
    void whatHasNotChangedIsConfirmedWithoutBeingRead() throws Exception {
        Future<Void> first = feed.look();
        read().complete("value");
        done(first);
        now.set(START.plusSeconds(60));
        assertThat(live.stale(Duration.ofSeconds(59), now.get())).isTrue();
        done(feed.look());
        assertThat(reads).isEmpty();
        assertThat(live.confirmed()).isEqualTo(now.get());
        assertThat(live.stale(Duration.ofSeconds(59), now.get())).isFalse();
    }

    @Test
    void aReadThatFailsKeepsTheValueAndIsTriedAgain(@AsOwner PostgresAddress owner) throws Exception {
        Future<Void> first = feed.look();
        read().complete("value");
        done(first);
        change(owner);
        now.set(START.plusSeconds(60));
        Future<Void> failing = feed.look();
        read().fail("it broke");
        assertThatThrownBy(() -> done(failing)).hasMessageContaining("it broke");
        assertThat(live.get()).isEqualTo("value");
        assertThat(live.confirmed()).isEqualTo(START);
        assertThat(feed.away()).isTrue();
        Future<Void> again = feed.look();
        read().complete("newer");
        done(again);
        assertThat(live.get()).isEqualTo("newer");
        assertThat(feed.away()).isFalse();
    }

    @Test
    void aReadThatComesTooLateChangesNothing() throws Exception {
        Future<Void> first = feed.look();
        Promise<String> late = read();
        assertThatThrownBy(() -> done(first)).isInstanceOf(java.util.concurrent.ExecutionException.class);
        Future<Void> second = feed.look();
        read().complete("in time");
        done(second);
        late.complete("too late");
        done(feed.look());
        assertThat(live.get()).isEqualTo("in time");
    }
}
