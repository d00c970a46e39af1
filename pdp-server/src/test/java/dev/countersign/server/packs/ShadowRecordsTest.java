package dev.countersign.server.packs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.Moment;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.PoolOptions;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PostgresExtension.class)
class ShadowRecordsTest {
    private final Vertx vertx = Vertx.vertx();
    private final Metrics metrics = new Metrics();
    private PostgresAddress owner;
    private ShadowRecords records;

    @BeforeEach
    void connect(PostgresAddress address, @AsOwner PostgresAddress asOwner) throws Exception {
        owner = asOwner;
        Sql.execute(owner, "insert into tenants (id, name, created_at) values ('here', 'here', now())");
        records = new ShadowRecords(
                PgBuilder.pool()
                        .connectingTo(new PgConnectOptions()
                                .setHost(address.host())
                                .setPort(address.port())
                                .setDatabase(address.database())
                                .setUser(address.user())
                                .setPassword(address.password()))
                        .with(new PoolOptions().setMaxSize(2))
                        .using(vertx)
                        .build(),
                vertx,
                metrics);
    }

    @AfterEach
    void disconnect() throws Exception {
        await(vertx.close());
        metrics.close();
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
    }

    private void compare(String tenant, long version) {
        var decided = new Decided(
                UUID.randomUUID().toString(), Moment.of(0), Dialect.AUTHZEN, null, null, Verdict.fault("x"), null);
        records.of(tenant, "payments", version).compared(decided, Verdict.fault("y"));
    }

    private long stored(String tenant, long version) {
        return await(records.read(tenant, "payments", version)).stream()
                .mapToLong(ShadowRecords.Pair::count)
                .sum();
    }

    private double dropped() {
        return metrics.counter(Metric.SHADOW_DROPPED).count();
    }

    @Test
    void whatTheDatabaseRefusesIsLostAloneAndCounted() {
        compare("nowhere", 1);
        compare("nowhere", 1);
        compare("here", 1);
        RunningServer.until("the one is written", () -> stored("here", 1) == 1);
        RunningServer.until("the others are lost", () -> dropped() == 2);
        compare("here", 1);
        RunningServer.until("the next is written", () -> stored("here", 1) == 2);
        assertThat(dropped()).isEqualTo(2);
    }

    @Test
    void whatCannotBeWrittenIsKeptUntilItCanAsFarAsThereIsRoom() throws Exception {
        Sql.execute(owner, "alter table rule_packs_shadow rename to elsewhere");
        int more = 10;
        for (int version = 1; version <= ShadowRecords.MOST_TALLIES + more; version++) {
            compare("here", version);
            compare("here", 1);
        }
        RunningServer.until("what there is no room for is lost", () -> dropped() >= more);
        Sql.execute(owner, "alter table elsewhere rename to rule_packs_shadow");
        long all = 2L * (ShadowRecords.MOST_TALLIES + more);
        RunningServer.until("all others are written", () -> written() == all - (long) dropped());
        assertThat(dropped()).isLessThan(2 * more);
    }

    private long written() {
        try {
            return Long.parseLong(Sql.query(owner, "select coalesce(sum(count), 0) from rule_packs_shadow"));
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }
}
