package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import dev.countersign.server.decisionlog.VerifyReport.SegmentReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecycledSegmentTest {
    private static final long SEED = 20_270_104;
    private static final int CRASHES = 150;
    private static final int PAGE = 4096;

    @TempDir
    Path directory;

    @TempDir
    Path crashed;

    private LogFixture fixture;
    private final List<String> flushed = new ArrayList<>();

    @BeforeEach
    void prepare() {
        fixture = new LogFixture(directory, SEED);
        fixture.disk.usable = 1 << 20;
    }

    @Test
    void the_file_of_a_shipped_segment_is_used_again_and_holds_nothing_old_when_finished() throws IOException {
        try (var log = fixture.open()) {
            Path recycled = recycled(log, log.writer(0));
            assertThat(recycled).as("nothing grows").hasSize(header(recycled).recycled());
        }

        assertThat(fixture.stored()).isEqualTo(flushed);
        for (Path file : fixture.files()) {
            assertThat(file).hasSize(LogFixture.ends(file).lastEntry().getValue());
        }
        assertThat(LogVerifier.directory(directory).lines())
                .noneMatch(l -> l.contains("NOT OK") || l.contains("whole"));
    }

    @Test
    void what_a_file_held_before_never_becomes_an_entry_after_a_kill() throws IOException {
        try (var log = fixture.open()) {
            recycled(log, log.writer(0));
            copy();
        }

        assertThat(LogVerifier.directory(crashed).lines()).noneMatch(l -> l.contains("whole"));
        var again = reopened();
        assertThat(again.stored()).isEqualTo(flushed);
        assertThat(again.failures).isEmpty();
        assertThat(LogFixture.names(crashed)).noneMatch(n -> n.endsWith(".torn") || n.endsWith(".spare"));
        assertThat(LogVerifier.directory(crashed).ok()).isTrue();
    }

    @Test
    void a_log_that_is_being_written_verifies_at_any_moment() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            recycled(log, writer);
            for (int i = 0; i < 50; i++) {
                flush(writer, 3);
                var report = LogVerifier.directory(directory);
                assertThat(report.ok()).isTrue();
                assertThat(report.segments())
                        .allSatisfy(s -> assertThat(s.findings())
                                .extracting(Finding::kind)
                                .isSubsetOf(Kind.SHIPPED_PREDECESSOR));
                assertThat(report.lines()).anyMatch(l -> l.startsWith("OK: " + flushed.size() + " entries"));
            }
        }
    }

    @Test
    void a_change_of_what_was_durable_is_found_before_an_old_end() throws IOException {
        Path file;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            file = crashed.resolve(recycled(log, writer).getFileName());
            durable(log);
            flush(writer, 3);
            copy();
        }
        var ends = LogFixture.ends(file);
        byte[] changed = Files.readAllBytes(file);
        changed[(int) (long) ends.get(4L) + 50] ^= 1;
        Files.write(file, changed);

        SegmentReport report = LogVerifier.directory(crashed).segments().get(1);
        assertThat(report.completeUpTo()).isEqualTo(4);
        assertThat(report.findings()).extracting(Finding::kind).contains(Kind.CHANGED);
        assertThat(reopened().failures(LogObserver.Failure.CORRUPT)).isEqualTo(1);
        assertThat(file).as("the evidence is kept").hasBinaryContent(changed);
    }

    @Test
    void a_segment_whose_first_write_was_lost_in_a_power_cut_is_not_missed() throws IOException {
        fixture.disk.keepForced = true;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            Path file = recycled(log, writer);
            copy();
            Files.write(crashed.resolve(file.getFileName()), fixture.disk.forced.get(file));
            int lost = LogFixture.ends(file).size() - 1;
            flushed.subList(flushed.size() - lost, flushed.size()).clear();
            fixture.disk.forces.release(1_000_000);
        }

        assertThat(LogVerifier.directory(crashed).ok()).isTrue();
        var again = reopened();
        assertThat(again.stored()).isEqualTo(flushed);
        assertThat(again.failures).isEmpty();
        assertThat(LogVerifier.directory(crashed).ok()).isTrue();
    }

    @Test
    void a_predecessor_that_was_not_cut_before_the_crash_is_cut_by_the_next_start() throws IOException {
        byte[] uncut;
        Path file;
        try (var log = fixture.open()) {
            file = recycled(log, log.writer(0));
            uncut = Files.readAllBytes(file);
        }
        long length = Files.size(file);
        try (var log = fixture.open()) {
            flush(log.writer(0), 2);
        }
        Files.write(file, uncut);

        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        fixture.open().close();
        assertThat(file).hasSize(length);
        assertThat(fixture.stored()).isEqualTo(flushed);
    }

    @Test
    void spares_are_few_and_gone_when_they_are_cold_or_the_log_is_closed() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            for (int i = 0; i < 5; i++) {
                roll(writer);
            }
            ship(log);
            assertThat(LogFixture.names(directory).stream().filter(n -> n.endsWith(".spare")))
                    .as("one for each loop and one more")
                    .hasSize(2);
            fixture.millis.addAndGet(Duration.ofMinutes(2).toMillis());
            log.spares().expire();
            assertThat(LogFixture.names(directory)).noneMatch(n -> n.endsWith(".spare"));
            roll(writer);
            roll(writer);
            ship(log);
            assertThat(LogFixture.names(directory)).anyMatch(n -> n.endsWith(".spare"));
        }
        assertThat(LogFixture.names(directory)).noneMatch(n -> n.endsWith(".spare"));
        Files.write(directory.resolve("left.seg.spare"), new byte[10]);
        fixture.open().close();
        assertThat(LogFixture.names(directory)).as("after a kill").noneMatch(n -> n.endsWith(".spare"));
    }

    @Test
    void a_loop_that_fills_its_segments_slowly_begins_new_files() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            roll(writer);
            ship(log);
            fixture.millis.addAndGet(Duration.ofMinutes(2).toMillis());
            roll(writer);
            assertThat(fixture.disk.reused).isZero();
        }
        assertThat(fixture.stored()).isEqualTo(flushed);
    }

    @Test
    void a_full_disk_takes_what_fits_into_the_file_and_then_refuses() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            Path file = recycled(log, writer);
            fixture.disk.free = 0;
            UUID segment = writer.segment();
            int before = flushed.size();
            assertThatThrownBy(() -> {
                        while (true) {
                            flush(writer, 1);
                        }
                    })
                    .isInstanceOf(LogUnavailableException.class);
            assertThat(flushed).hasSizeGreaterThan(before + 5);
            assertThat(writer.segment()).isEqualTo(segment);
            assertThat(file).exists();
            copy();

            fixture.disk.free = Long.MAX_VALUE;
            fixture.millis.addAndGet(1_000);
            flush(writer, 3);
        }
        assertThat(fixture.stored()).isEqualTo(flushed);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        assertThat(reopened().stored()).isEqualTo(flushed.subList(0, flushed.size() - 3));
    }

    @Test
    void what_is_larger_than_the_rest_of_the_file_is_written_all_the_same() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            Path file = recycled(log, writer);
            byte[] large = new byte[1 << 20];
            Arrays.fill(large, (byte) 'x');
            writer.append(large, 0, large.length);
            writer.flush();
            copy();
            assertThat(Files.size(file)).isGreaterThan(large.length);
            fixture.millis.incrementAndGet();
            flush(writer, 2);
        }
        assertThat(fixture.stored()).hasSize(flushed.size() + 1);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        assertThat(reopened().stored()).hasSize(flushed.size() - 1);
    }

    /** A kill may cut the last write at a page; a power cut may keep any of the pages since the last force. */
    @Test
    void whatever_a_crash_leaves_all_that_was_durable_is_there_and_nothing_else() throws IOException {
        var random = new Random(SEED);
        fixture.disk.keepForced = true;
        int torn = 0;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            try {
                for (int crash = 0; crash < CRASHES; crash++) {
                    fixture.disk.forces.drainPermits();
                    int before = flushed.size();
                    int durable = before;
                    for (int i = random.nextInt(12); i >= 0; i--) {
                        before = flushed.size();
                        flush(writer, 1 + random.nextInt(6));
                        if (random.nextInt(4) == 0) {
                            durable(log);
                            durable = flushed.size();
                        }
                    }
                    boolean powerCut = random.nextBoolean();
                    copy();
                    leave(directory.resolve(writer.segment() + ".seg"), powerCut, random);

                    String seen = "seed " + SEED + ", crash " + crash + (powerCut ? ", power cut" : ", kill");
                    assertThat(LogVerifier.directory(crashed).lines()).as(seen).noneMatch(l -> l.contains("NOT OK"));
                    var again = reopened();
                    assertThat(again.failures).as(seen).isEmpty();
                    var stored = again.stored();
                    assertThat(stored.size()).as(seen).isBetween(powerCut ? durable : before, flushed.size());
                    assertThat(stored).as(seen).isEqualTo(flushed.subList(0, stored.size()));
                    try (var next = again.open()) {
                        again.write(next.writer(0), 3);
                    }
                    assertThat(again.stored()).as(seen).hasSize(stored.size() + 3);
                    assertThat(LogVerifier.directory(crashed).ok()).as(seen).isTrue();

                    torn += stored.size() < flushed.size() ? 1 : 0;
                    durable(log);
                    ship(log);
                }
            } finally {
                fixture.disk.forces.release(1_000_000);
            }
        }
        assertThat(fixture.disk.reused).isGreaterThan(5);
        assertThat(torn).isGreaterThan(CRASHES / 4);
    }

    /** Changes the copy of the segment that is being written to what a crash may have left of it. */
    private void leave(Path file, boolean powerCut, Random random) throws IOException {
        byte[] now = Files.readAllBytes(file);
        byte[] old = powerCut ? fixture.disk.forced.get(file) : fixture.disk.beforeLastWrite;
        long headerEnd = LogFixture.ends(file).get(0L);
        byte[] left;
        if (now.length != header(file).recycled()) {
            int least = (int) Math.max(headerEnd, old == null ? 0 : old.length);
            left = Arrays.copyOf(now, least + random.nextInt(now.length - least + 1));
        } else if (powerCut) {
            left = now.clone();
            for (int page = 0; page < now.length; page += PAGE) {
                if (random.nextBoolean()) {
                    System.arraycopy(old, page, left, page, Math.min(PAGE, now.length - page));
                }
            }
        } else {
            left = now.clone();
            int first = Arrays.mismatch(old, now) / PAGE + 1;
            int cut = Math.min(now.length, (first + random.nextInt(4)) * PAGE);
            System.arraycopy(old, cut, left, cut, now.length - cut);
        }
        Files.write(crashed.resolve(file.getFileName()), left);
    }

    /** Rolls until the current segment is in a file that was used before. */
    private Path recycled(DecisionLog log, SegmentWriter writer) throws IOException {
        roll(writer);
        roll(writer);
        durable(log);
        ship(log);
        roll(writer);
        flush(writer, 20);
        assertThat(fixture.disk.reused).isEqualTo(1);
        return directory.resolve(writer.segment() + ".seg");
    }

    private void roll(SegmentWriter writer) throws LogUnavailableException {
        for (UUID before = writer.segment(); before.equals(writer.segment()); ) {
            flush(writer, 5);
        }
    }

    private void flush(SegmentWriter writer, int entries) throws LogUnavailableException {
        var texts = new ArrayList<Entries.Entry>();
        for (int i = 0; i < entries; i++) {
            var entry = fixture.entries.next();
            LogFixture.append(writer, entry);
            texts.add(entry);
        }
        writer.flush();
        flushed.addAll(LogFixture.texts(texts));
        fixture.millis.incrementAndGet();
    }

    private void durable(DecisionLog log) {
        fixture.disk.forces.release(1_000);
        LogFixture.eventually(
                "durable",
                () -> log.segments().stream().allMatch(s -> s.finished() ? s.sealed() : s.durable() == s.written()));
        if (fixture.disk.keepForced) {
            fixture.disk.forces.drainPermits();
        }
    }

    /** Gives away all finished segments, as the shipper does, and forgets what was in them. */
    private void ship(DecisionLog log) throws IOException {
        for (Segment segment : List.copyOf(log.segments())) {
            if (segment.finished()) {
                LogFixture.eventually("sealed", segment::sealed);
                flushed.subList(0, LogFixture.ends(segment.file()).size() - 1).clear();
                log.remove(segment);
                log.spares().offer(segment.file());
            }
        }
    }

    private void copy() throws IOException {
        for (String name : LogFixture.names(crashed)) {
            Files.delete(crashed.resolve(name));
        }
        for (String name : LogFixture.names(directory)) {
            Files.copy(directory.resolve(name), crashed.resolve(name));
        }
    }

    /** What a start makes of the copy. */
    private LogFixture reopened() throws IOException {
        var again = new LogFixture(crashed, SEED + 1);
        again.millis.set(fixture.millis.get() + 1_000);
        again.open().close();
        return again;
    }

    private static SegmentHeader header(Path file) throws IOException {
        try (var reader = SegmentReader.open(file, Files.size(file))) {
            return SegmentHeader.parse(reader.entry());
        }
    }
}
