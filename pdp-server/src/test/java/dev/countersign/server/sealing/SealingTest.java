package dev.countersign.server.sealing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.decisionlog.Trust;
import dev.countersign.server.decisionlog.VerifyReport;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import io.vertx.core.Future;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every event of an approval is sealed once, in the order of the commits, and checkpoints tell how far. */
@ExtendWith(PostgresExtension.class)
class SealingTest {
    private static final long SEED = 21;
    private static final String APPROVED = "approval.approved";

    private Trail trail;

    @BeforeEach
    void open(PostgresAddress server, @AsOwner PostgresAddress owner) throws Exception {
        trail = new Trail(server, owner);
    }

    @AfterEach
    void close() throws Exception {
        trail.close();
    }

    private void events(int count) throws SQLException {
        for (int i = 0; i < count; i++) {
            trail.event("a", APPROVED, "e" + i);
        }
    }

    private void write(long seed) {
        var random = new Random(seed);
        try (Connection connection = trail.connection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < 60; i++) {
                String type = random.nextInt(4) == 0 ? "policy.denied" : "approval.requested";
                trail.insert(connection, "t" + random.nextInt(3), type, seed + "-" + i);
                if (random.nextInt(3) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void twoServersSealWhatManyWriteOnceAndInTheOrderOfCommits() throws Exception {
        var writers = new ArrayList<CompletableFuture<Void>>();
        for (int i = 0; i < 4; i++) {
            long seed = SEED + i;
            writers.add(CompletableFuture.runAsync(() -> write(seed)));
        }
        Sealing one = trail.sealing();
        Sealing two = trail.sealing();
        var writing = CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new));
        while (!writing.isDone()) {
            Trail.done(Future.all(one.once(Duration.ZERO), two.once(Duration.ZERO)));
        }
        writing.join();
        trail.checkpoint();
        String inOrder = "select string_agg(%s::text, ',' order by %s) from %s";
        assertThat(trail.read(inOrder.formatted("event", "seq", "sealed_events")))
                .as("seed %d", SEED)
                .isEqualTo(trail.read(inOrder.formatted("number", "number", "events where type like 'approval.%'")));
        assertThat(trail.read("select count(*) from sealed_events")).isNotEqualTo("0");
        VerifyReport report = trail.verify();
        assertThat(report.ok()).as(report.lines().toString()).isTrue();
        assertThat(report.notes()).anyMatch(note -> note.contains(" 0 after it not sealed yet"));
    }

    @Test
    void aSealerThatIsKilledInTheMiddleLeavesNothingAndTheNextOneSealsAll() throws Exception {
        events(2);
        Trail.done(trail.sealer().seal());
        events(5);
        trail.asOwner("create function die() returns trigger language plpgsql as $$ begin"
                + " if new.seq = 5 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$;"
                + " create trigger dies before insert on sealed_events for each row execute function die()");
        assertThatThrownBy(() -> Trail.done(trail.sealer().seal())).isNotNull();
        assertThat(trail.read("select max(seq) from sealed_events")).isEqualTo("2");
        trail.asOwner("drop trigger dies on sealed_events");
        assertThat(Trail.done(trail.sealer().seal())).isEqualTo(5);
        assertThat(trail.verify().ok()).isTrue();
    }

    @Test
    void aCheckpointThatCannotBeWrittenWholeIsNotThere() throws Exception {
        events(1);
        trail.asOwner("create function die() returns trigger language plpgsql as $$ begin"
                + " perform pg_terminate_backend(pg_backend_pid()); return new; end $$;"
                + " create trigger dies before insert on checkpoint_ends for each row execute function die()");
        assertThatThrownBy(trail::checkpoint).isNotNull();
        assertThat(trail.read("select count(*) from checkpoints")).isEqualTo("0");
        trail.asOwner("drop trigger dies on checkpoint_ends");
        assertThat(trail.checkpoint()).isEqualTo(1);
    }

    @Test
    void whileAnotherSealsNobodyWaits() throws Exception {
        events(1);
        try (Connection other = trail.connection()) {
            other.setAutoCommit(false);
            other.createStatement().execute("select pg_advisory_xact_lock(" + Sealer.LOCK + ")");
            assertThat(Trail.done(trail.sealer().seal())).isZero();
            other.rollback();
        }
        assertThat(Trail.done(trail.sealer().seal())).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "update sealed_events set entry = 'x'",
                "delete from sealed_events",
                "truncate sealed_events",
                "update checkpoints set jws = 'x'",
                "delete from checkpoints",
                "delete from checkpoint_ends",
                "delete from checkpoint_keys",
                "update checkpoint_keys set jwk = 'x'"
            })
    void theServersRoleCannotTakeBackWhatIsSealed(String sql) throws Exception {
        try (Connection connection = trail.connection();
                var statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.execute(sql)).hasMessageContaining("permission denied");
        }
    }

    @Test
    void checkpointsAreMadeWhenSomethingIsNewAndTheIntervalIsOver() throws Exception {
        Sealing sealing = trail.sealing();
        Duration interval = Duration.ofMinutes(5);
        assertThat(Trail.done(sealing.once(interval))).isZero();
        events(1);
        assertThat(Trail.done(sealing.once(interval))).isEqualTo(1);
        events(1);
        assertThat(Trail.done(sealing.once(interval))).isZero();
        trail.now.set(Trail.START.plus(interval));
        assertThat(Trail.done(sealing.once(interval))).isEqualTo(1);
        trail.now.set(Trail.START.plus(interval).plus(interval));
        assertThat(Trail.done(sealing.once(interval))).isZero();
        assertThat(Trail.done(sealing.checkpoints().page(1, 10)))
                .extracting(Checkpoints.Kept::number)
                .containsExactly(2L);
    }

    @Test
    void twoServersThatAreDueAtOnceMakeOneCheckpoint() throws Exception {
        events(1);
        Duration interval = Duration.ofMinutes(5);
        Trail.done(Future.all(trail.sealing().once(interval), trail.sealing().once(interval)));
        assertThat(trail.read("select count(*) from checkpoints")).isEqualTo("1");
    }

    @Test
    void moreSegmentsThanOneCheckpointHoldsAreNamedBySeveral() throws Exception {
        trail.asOwner(
                "insert into log_segments select gen_random_uuid(), 's', 0, '{}', '\\x00', 1, 0, sha256('x'), true"
                        + " from generate_series(1, 90)");
        assertThat(trail.checkpoint()).isEqualTo(3);
        assertThat(trail.read("select count(distinct segment) from checkpoint_ends"))
                .isEqualTo("90");
        assertThat(trail.checkpoint()).isZero();
    }

    @Test
    void theNewestCheckpointVouchesForThoseWhoseKeysAreGone() throws Exception {
        events(1);
        trail.checkpoint();
        trail.rotate();
        events(1);
        trail.checkpoint();
        Trust newest = new Trust(trail.published().subList(0, 1), List.of(), Trail.START);
        Trust oldest = new Trust(trail.published().subList(1, 2), List.of(), Trail.START);
        assertThat(trail.verify(newest).lines()).last().asString().startsWith("OK: ");
        assertThat(trail.verify(oldest).verdict()).isEqualTo("unknown key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "update events set body = replace(body, 'e2', 'e9') where body like '%e2%'",
                "update events set tenant = 'b' where body like '%e2%'",
                "update events set type = 'approval.denied' where body like '%e2%'",
                "update events set type = 'policy.denied' where body like '%e2%'",
                "update events set time = time + interval '1 microsecond' where body like '%e2%'"
            })
    void aChangedEventIsNamed(String sql) throws Exception {
        events(5);
        trail.checkpoint();
        String number = trail.read("select number from events where body like '%e2%'");
        trail.asOwner(sql);
        VerifyReport report = trail.verify();
        assertThat(report.verdict()).isEqualTo("changed");
        assertThat(report.lines()).contains("NOT OK: changed: event " + number + " (entry 3) is not what was sealed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "update sealed_events set entry = replace(entry, 'approved', 'Approved') where seq = 3",
                "update sealed_events set hash = sha256('x') where seq = 3"
            })
    void aChangedEntryIsNamed(String sql) throws Exception {
        events(5);
        trail.checkpoint();
        trail.asOwner(sql);
        VerifyReport report = trail.verify();
        assertThat(report.verdict()).isEqualTo("changed");
        assertThat(report.lines()).contains("  NOT OK: changed at 3");
        assertThat(report.segments())
                .singleElement()
                .satisfies(chain -> assertThat(chain.completeUpTo()).isEqualTo(2));
    }

    @Test
    void whatIsCutOffAtTheEndIsMissedByTheCheckpoint() throws Exception {
        events(5);
        trail.checkpoint();
        trail.asOwner("delete from events where number > (select event from sealed_events where seq = 3);"
                + " delete from sealed_events where seq > 3");
        VerifyReport report = trail.verify();
        assertThat(report.verdict()).isEqualTo("truncated");
        assertThat(report.lines()).contains("  NOT OK: truncated: checkpoint 1 names entry 5, and 3 is the last here");
    }

    @Test
    void aChainThatIsMadeAnewDiffersFromTheCheckpoint() throws Exception {
        events(5);
        trail.checkpoint();
        trail.asOwner(
                "update events set body = replace(body, 'e2', 'e9');" + " delete from sealed_events where seq > 2");
        Trail.done(trail.sealer().seal());
        VerifyReport report = trail.verify();
        assertThat(report.verdict()).isEqualTo("changed");
        assertThat(report.lines()).contains("  NOT OK: changed at 5 or before: checkpoint 1 names another hash");
    }

    @Test
    void anEventThatIsPutAmongSealedOnesIsFound() throws Exception {
        events(1);
        trail.event("a", "policy.denied", "between");
        events(1);
        trail.checkpoint();
        trail.asOwner("update events set type = 'approval.approved' where body like '%between%'");
        assertThat(trail.verify().verdict()).isEqualTo("surplus");
    }

    @Test
    void eventsThatAreDeletedAfterAWhileAreMissedUnlessOneSaysSo() throws Exception {
        events(3);
        trail.checkpoint();
        trail.now.set(Trail.START.plusSeconds(60));
        events(2);
        trail.checkpoint();
        trail.asOwner("delete from events where time < '" + trail.now.get() + "'");
        assertThat(trail.verify().verdict()).isEqualTo("gap");
        assertThat(trail.verify(new Trust(null, List.of(), Trail.START)).ok()).isFalse();
        VerifyReport report = trail.verify(new Trust(null, List.of(), trail.now.get()));
        assertThat(report.ok()).as(report.lines().toString()).isTrue();
        assertThat(report.notes()).anyMatch(note -> note.startsWith("3 approval events before "));
    }

    @Test
    void whatIsNotSealedYetIsCounted() throws Exception {
        events(2);
        trail.checkpoint();
        events(3);
        VerifyReport report = trail.verify();
        assertThat(report.ok()).isTrue();
        assertThat(report.notes()).anyMatch(note -> note.contains("(2 sealed), 3 after it not sealed yet"));
    }
}
