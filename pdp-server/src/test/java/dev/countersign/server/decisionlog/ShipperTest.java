package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.Migrations;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

@ExtendWith(PostgresExtension.class)
class ShipperTest {
    private static final long SEED = 11;

    @TempDir
    Path directory;

    private LogFixture fixture;
    private PostgresAddress application;
    private PostgresAddress owner;
    private Decisions decisions;

    @BeforeEach
    void prepare(PostgresAddress application, @AsOwner PostgresAddress owner) {
        this.application = application;
        this.owner = owner;
        decisions = Decisions.at(application);
        fixture = new LogFixture(directory, SEED);
    }

    @Test
    void every_entry_reaches_the_table_byte_for_byte_and_the_export_verifies() throws Exception {
        var written = new ArrayList<String>();
        fixture.disk.usable = 1 << 20;
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                log.shipTo(decisions.source());
                written.addAll(LogFixture.texts(fixture.write(log.writer(0), 1_500)));
            }
        }

        assertThat(decisions.entries()).as("seed %d", SEED).isEqualTo(written);
        assertThat(decisions.wrongEvents()).as("seed %d", SEED).isEmpty();
        assertThat(decisions.column("select count(*) > 1000 from events")).containsExactly("t");
        assertThat(decisions.verify().lines()).noneMatch(l -> l.contains("NOT OK"));
        assertThat(decisions.column("select count(distinct tableoid) from decisions"))
                .as("the clock passes midnight")
                .containsExactly("2");
        assertThat(fixture.files())
                .as("what is shipped is deleted, but the end of the chain")
                .hasSizeLessThan(4);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void columns_come_from_the_front_of_the_entry_and_hold_no_NUL() throws Exception {
        UUID id = Entries.ids(1, fixture.clock).get();
        Instant at = fixture.clock.instant();
        byte[] entry = fixture.entries.entry(id, at, "a\0b \uD83D\uDE80", "p\0");
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            LogFixture.append(writer, new Entries.Entry(id, entry));
            writer.flush();
        }

        assertThat(decisions.column(
                        "select concat_ws('|', id, at at time zone 'UTC', seq, subject_type, subject_id, action,"
                                + " resource_type, resource_id, caller) from decisions"))
                .containsExactly(
                        id + "|2026-11-21 23:59:59.6|1|user|a\uFFFDb \uD83D\uDE80|call|tool|book_flight|key-1");
        assertThat(decisions.entries()).containsExactly(new String(entry, StandardCharsets.UTF_8));
    }

    @Test
    void the_audit_view_survives_what_jsonb_cannot_hold() throws Exception {
        var payloads = new String[] {"plain", "\0", "\\\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude80", "1e999999"};
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            for (String payload : payloads) {
                UUID id = Entries.ids(payload.hashCode(), fixture.clock).get();
                String text = new String(
                        fixture.entries.entry(id, fixture.clock.instant(), "u", "@"), StandardCharsets.UTF_8);
                String value = payload.equals("1e999999") ? payload : '"' + payload.replace("\0", "\\u0000") + '"';
                byte[] raw = text.replace("\"@\"", value).getBytes(StandardCharsets.UTF_8);
                LogFixture.append(writer, new Entries.Entry(id, raw));
            }
            writer.flush();
        }

        assertThat(decisions.column("select coalesce(details ->> 'payload', 'as text') from audit_logs a"
                        + " join decisions d using (id) order by d.seq"))
                .containsExactly("plain", "\uFFFD", "\\u0000", "\uFFFD", "\uFFFD", "\uD83D\uDE80", "as text");
        assertThat(decisions.column(
                        "select distinct concat_ws('|', actor, action, resource, reason, policy_id, trace_id = id::text)"
                                + " from audit_logs where details ? 'payload'"))
                .containsExactly("user:u|call|tool:book_flight|limit_exceeded|airline/refunds|t");
    }

    @Test
    void connections_that_die_around_the_commit_lose_and_double_nothing() throws Exception {
        var flaky = new FlakyDatabase(application, owner, SEED);
        var written = new ArrayList<String>();
        fixture.disk.usable = 1 << 20;
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                log.shipTo(flaky);
                var writer = log.writer(0);
                for (int i = 0; i < 3; i++) {
                    written.addAll(LogFixture.texts(fixture.write(writer, 400)));
                    LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
                }
            }
        }

        assertThat(flaky.lostBefore).hasPositiveValue();
        assertThat(flaky.lostAfter).hasPositiveValue();
        assertThat(decisions.entries()).as("seed %d", SEED).isEqualTo(written);
        assertThat(decisions.wrongEvents()).as("seed %d", SEED).isEmpty();
        assertThat(decisions.verify().ok()).isTrue();
        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isZero();
    }

    @Test
    void a_database_that_is_away_delays_and_loses_nothing(@TempDir Path home) throws Exception {
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        var source = new PGSimpleDataSource();
        var written = new ArrayList<String>();
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            try (var postgres = EmbeddedPostgres.start(home, new SecureRandom())) {
                Decisions.configure(source, Migrations.migrate(postgres.address()));
                log.shipTo(source);
                written.addAll(LogFixture.texts(fixture.write(writer, 300)));
                LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
                assertThat(log.lag().oldest()).isZero();
            }
            written.addAll(LogFixture.texts(fixture.write(writer, 300)));
            LogFixture.eventually("the loss is noticed", () -> fixture.failures(LogObserver.Failure.SHIP) > 1);
            fixture.millis.addAndGet(60_000);
            assertThat(log.lag().bytes()).isPositive();
            assertThat(log.lag().oldest()).isBetween(Duration.ofSeconds(60), Duration.ofSeconds(62));

            try (var postgres = EmbeddedPostgres.start(home, new SecureRandom())) {
                Decisions.configure(source, Migrations.migrate(postgres.address()));
                LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
                assertThat(new Decisions(source).entries()).isEqualTo(written);
                assertThat(new Decisions(source).wrongEvents()).isEmpty();
            }
        }
    }

    @Test
    void a_changed_segment_stops_alone_with_all_before_the_change_shipped() throws Exception {
        Path damaged;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, 5);
            damaged = directory.resolve(writer.segment() + ".seg");
            fixture.write(log.writer(1), 5);
        }
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[(int) (long) LogFixture.ends(damaged).get(3L) + 50] ^= 1;
        Files.write(damaged, bytes);

        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            fixture.write(log.writer(0), 5);
            fixture.write(log.writer(1), 5);
        }

        assertThat(decisions.entries()).hasSize(3 + 5 + 5 + 5);
        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isEqualTo(2);
        assertThat(damaged).as("the evidence is kept").hasBinaryContent(bytes);
        assertThat(LogVerifier.directory(directory).ok()).isFalse();
    }

    @Test
    void what_was_changed_while_it_waited_for_the_database_is_not_shipped() throws Exception {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, 5);
            Path waiting = directory.resolve(writer.segment() + ".seg");
            byte[] bytes = Files.readAllBytes(waiting);
            bytes[(int) (long) LogFixture.ends(waiting).get(3L) + 50] ^= 1;
            Files.write(waiting, bytes, StandardOpenOption.WRITE);
            log.shipTo(decisions.source());
            LogFixture.eventually("noticed", () -> fixture.failures(LogObserver.Failure.CORRUPT) == 1);
            fixture.write(writer, 5);
        }

        assertThat(decisions.entries()).hasSize(3);
        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isEqualTo(1);
    }

    @Test
    void what_is_changed_between_the_writing_and_the_table_is_found_by_the_audit() throws Exception {
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            fixture.write(writer, 5);
            LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
            Path live = directory.resolve(writer.segment() + ".seg");
            LogFixture.eventually("durable", () -> log.segment(writer.segment()).durable() > 0);
            fixture.disk.forces.drainPermits();
            fixture.write(writer, 5);
            byte[] bytes = Files.readAllBytes(live);
            int at = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf("limit_exceeded");
            bytes[at] ^= 1;
            Files.write(live, bytes, StandardOpenOption.WRITE);
            fixture.disk.forces.release(1_000);
            LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
        }

        assertThat(decisions.verify().lines()).anyMatch(l -> l.contains("changed at 10"));
        assertThat(LogVerifier.directory(directory).ok()).isFalse();
    }

    @Test
    void an_entry_that_cannot_be_a_row_stops_its_segment_alone() throws Exception {
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            fixture.write(writer, 3);
            writer.append("{\"type\":\"decision\"}".getBytes(StandardCharsets.UTF_8), 0, 19);
            writer.flush();
            fixture.write(log.writer(1), 3);
        }

        assertThat(decisions.entries()).hasSize(6);
        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isEqualTo(1);
    }

    @Test
    void a_file_shorter_than_what_the_table_holds_is_reported_and_kept() throws Exception {
        Path file;
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            fixture.write(writer, 5);
            file = directory.resolve(writer.segment() + ".seg");
        }
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.truncate(LogFixture.ends(file).get(3L));
        }
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            fixture.write(log.writer(0), 2);
        }

        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isEqualTo(1);
        assertThat(file).exists();
        assertThat(decisions.entries()).hasSize(7);
    }

    @Test
    void segments_stay_on_disk_when_they_are_to_be_kept() throws Exception {
        fixture = new LogFixture(directory, SEED, true);
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                log.shipTo(decisions.source());
                fixture.write(log.writer(0), 5);
            }
        }

        assertThat(fixture.files()).hasSize(3);
        assertThat(fixture.stored()).isEqualTo(decisions.entries());
        assertThat(decisions.column("select closed from log_segments order by segment"))
                .containsExactly("t", "t", "f");
    }

    @Test
    void the_server_can_add_to_the_log_but_never_change_it() throws Exception {
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            fixture.write(log.writer(0), 1);
        }
        for (String sql : new String[] {
            "update decisions set decision = 'allow'",
            "delete from decisions",
            "truncate decisions",
            "drop table decisions_20261121",
            "update decisions_20261121 set decision = 'allow'",
            "update log_segments set header = ''",
            "delete from log_segments",
            "delete from events",
            "create table t (i int)"
        }) {
            assertThatThrownBy(() -> decisions.execute(sql)).as(sql).isInstanceOf(SQLException.class);
        }
        assertThat(decisions.entries()).hasSize(1);
    }

    @Test
    void what_is_taken_out_of_the_table_is_missed() throws Exception {
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            fixture.write(log.writer(0), 9);
        }
        var lines = new ArrayList<>(decisions.export().lines().toList());
        assertThat(verify(lines)).endsWith("OK: 9 entries in 1 segments are proven");

        var gap = new ArrayList<>(lines);
        gap.remove(4);
        assertThat(verify(gap)).contains("complete up to 3").contains("gap: entry 4 is missing");
        var twice = new ArrayList<>(lines);
        twice.add(5, lines.get(4));
        assertThat(verify(twice)).contains("entry 4 occurs twice");
        assertThat(verify(lines.subList(0, 8))).contains("truncated: 2 shipped entries are missing at the end");
        assertThat(verify(lines.subList(1, 9))).contains("the header is missing");
        var changed = new ArrayList<>(lines);
        changed.set(6, changed.get(6).replace("limit_exceeded", "limit_respected"));
        assertThat(verify(changed)).contains("complete up to 5").contains("changed at 6");
        var garbage = new ArrayList<>(lines);
        garbage.add("{");
        assertThat(verify(garbage)).contains("line 11 of the export cannot be read");
    }

    @Test
    void a_segment_taken_out_of_the_table_is_missed() throws Exception {
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                log.shipTo(decisions.source());
                fixture.write(log.writer(0), 2);
            }
        }
        var lines = decisions.export().lines().toList();

        assertThat(verify(lines)).doesNotContain("NOT OK");
        assertThat(verify(lines.subList(3, 9))).contains("which is missing").contains("NOT OK");
    }

    private static String verify(List<String> lines) throws IOException {
        var report = LogVerifier.export(new StringReader(String.join("\n", lines)));
        return String.join("\n", report.lines());
    }
}
