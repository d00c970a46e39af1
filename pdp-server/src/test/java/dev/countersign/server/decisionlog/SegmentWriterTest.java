package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentWriterTest {
    private static final long SEED = 42;

    @TempDir
    Path directory;

    private LogFixture fixture;

    @BeforeEach
    void prepare() {
        fixture = new LogFixture(directory, SEED);
    }

    @Test
    void numbers_count_from_one_in_the_segment_that_is_named() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            assertThat(writer.nextSeq()).isEqualTo(1);
            assertThat(LogFixture.append(writer, fixture.entries.next())).isEqualTo(1);
            assertThat(LogFixture.append(writer, fixture.entries.next())).isEqualTo(2);
            writer.flush();
            assertThat(writer.nextSeq()).isEqualTo(3);
            assertThat(directory.resolve(writer.segment() + ".seg")).exists();
        }
    }

    @Test
    void nothing_is_in_the_file_before_the_flush() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            LogFixture.append(writer, fixture.entries.next());
            assertThat(fixture.stored()).isEmpty();
            writer.flush();
            assertThat(fixture.stored()).hasSize(1);
        }
    }

    @Test
    void an_entry_that_is_empty_or_too_large_is_refused_without_harm() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            assertThatThrownBy(() -> writer.append(new byte[1], 0, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.append(new byte[(16 << 20) + 1], 0, (16 << 20) + 1))
                    .isInstanceOf(IllegalArgumentException.class);
            byte[] large = new byte[16 << 20];
            writer.append(large, 0, large.length);
            writer.flush();
        }
        assertThat(fixture.stored()).hasSize(1);
    }

    @Test
    void a_full_disk_refuses_and_leaves_nothing_of_the_refused_in_the_chain() throws IOException {
        var random = new Random(SEED);
        var answered = new ArrayList<String>();
        int refused = 0;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            for (int tick = 0; tick < 400; tick++) {
                fixture.disk.free = random.nextInt(3) == 0 ? random.nextInt(3_000) : Long.MAX_VALUE;
                fixture.millis.addAndGet(random.nextInt(200));
                var waiting = new ArrayList<Entries.Entry>();
                try {
                    for (int i = random.nextInt(4); i >= 0; i--) {
                        var entry = fixture.entries.next();
                        LogFixture.append(writer, entry);
                        waiting.add(entry);
                    }
                    writer.flush();
                    answered.addAll(LogFixture.texts(waiting));
                } catch (LogUnavailableException e) {
                    refused++;
                }
            }
        }

        assertThat(refused).isPositive();
        assertThat(fixture.stored()).as("seed %d", SEED).isEqualTo(answered);
        assertThat(LogVerifier.directory(directory).lines()).noneMatch(l -> l.contains("NOT OK"));
    }

    @Test
    void a_turn_that_was_written_in_parts_is_refused_at_its_flush_if_one_of_them_was() throws IOException {
        byte[] large = new byte[3 << 20];
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, 1);
            fixture.disk.free = 1 << 20;
            writer.append(large, 0, large.length);
            writer.append(large, 0, large.length);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> writer.append(large, 0, large.length))
                        .isInstanceOf(LogUnavailableException.class);
                fixture.disk.free = Long.MAX_VALUE;
                fixture.millis.addAndGet(1_000);
            }
            assertThatThrownBy(writer::flush)
                    .as("the answers to the first two wait for this")
                    .isInstanceOf(LogUnavailableException.class);
            writer.flush();
            fixture.write(writer, 1);
        }
        assertThat(fixture.stored()).hasSize(2);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void an_answer_waits_for_the_segment_before_too() throws IOException {
        var answers = new CopyOnWriteArrayList<String>();
        byte[] large = new byte[3 << 20];
        fixture.disk.usable = 0;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            var first = writer.segment();
            LogFixture.eventually("the header is durable", () -> durable(log, writer));
            fixture.disk.forces.drainPermits();
            for (int i = 0; i < 3; i++) {
                writer.append(large, 0, large.length);
            }
            writer.flush();
            assertThat(writer.segment()).isNotEqualTo(first);
            writer.whenDurable(Runnable::run, () -> answers.add("durable"), lost -> answers.add("lost"));
            LogFixture.eventually("the flusher waits in force", () -> fixture.disk.forces.hasQueuedThreads());
            fixture.disk.forceFails = true;
            fixture.disk.forces.release(1);
            try {
                LogFixture.eventually("the answer", () -> !answers.isEmpty());
            } finally {
                fixture.disk.forceFails = false;
                fixture.disk.forces.release(1_000);
            }
        }
        assertThat(answers).containsExactly("lost");
    }

    @Test
    void a_segment_is_not_durable_before_all_of_the_one_that_it_continues() throws IOException {
        fixture.disk.usable = 0;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            var other = log.writer(1);
            LogFixture.eventually("the headers are durable", () -> durable(log, writer) && durable(log, other));
            Segment first = log.segment(writer.segment());
            fixture.disk.forces.drainPermits();
            try {
                fixture.write(writer, 1);
                LogFixture.eventually("a force is under way", () -> fixture.disk.forces.hasQueuedThreads());
                while (writer.segment().equals(first.id())) {
                    fixture.write(writer, 5);
                }
                Segment second = log.segment(writer.segment());
                fixture.disk.forces.release(2);
                LogFixture.eventually("two forces", () -> first.durable() == first.written() || second.durable() > 0);
                assertThat(second.durable()).isZero();
                fixture.disk.forces.release(2);
                LogFixture.eventually("the next", () -> second.durable() == second.written());
            } finally {
                fixture.disk.forces.release(1_000_000);
            }
        }
    }

    @Test
    void an_answer_does_not_wait_for_a_turn_that_was_refused() throws IOException {
        var answers = new CopyOnWriteArrayList<String>();
        byte[] large = new byte[3 << 20];
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            Segment first = log.segment(writer.segment());
            LogFixture.eventually("the header is durable", () -> durable(log, writer));
            fixture.disk.forces.drainPermits();
            for (int i = 0; i < 3; i++) {
                writer.append(large, 0, large.length);
            }
            fixture.disk.free = 0;
            assertThatThrownBy(writer::flush).isInstanceOf(LogUnavailableException.class);
            assertThat(first.entries()).as("a part was written").isEqualTo(2);
            fixture.disk.forceFails = true;
            fixture.disk.forces.release(1);
            LogFixture.eventually("the part is lost", first::bad);
            fixture.disk.forceFails = false;
            fixture.disk.free = Long.MAX_VALUE;
            fixture.disk.forces.release(1_000_000);
            fixture.millis.addAndGet(1_000);

            fixture.write(writer, 1);
            writer.whenDurable(Runnable::run, () -> answers.add("durable"), lost -> answers.add("lost"));
            LogFixture.eventually("the answer", () -> !answers.isEmpty());
        } finally {
            fixture.disk.forces.release(1_000_000);
        }
        assertThat(answers).containsExactly("durable");
    }

    @Test
    void a_disk_that_stays_full_is_not_filled_with_headers() throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, 3);
            for (int tick = 0; tick < 100; tick++) {
                fixture.disk.free = 400;
                fixture.millis.addAndGet(1_000);
                assertThatThrownBy(() -> {
                            writer.append(new byte[1_000], 0, 1_000);
                            writer.flush();
                        })
                        .isInstanceOf(LogUnavailableException.class);
            }
            assertThat(fixture.files()).hasSizeLessThanOrEqualTo(2);

            fixture.disk.free = Long.MAX_VALUE;
            fixture.millis.addAndGet(1_000);
            fixture.write(writer, 3);
        }
        assertThat(fixture.stored()).hasSize(6);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void what_could_not_be_cut_off_is_no_part_of_the_log() throws IOException {
        List<String> answered;
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            answered = new ArrayList<>(LogFixture.texts(fixture.write(writer, 3)));
            fixture.disk.free = 600;
            fixture.disk.truncateFails = true;
            assertThatThrownBy(() -> {
                        writer.append(new byte[1_000], 0, 1_000);
                        writer.flush();
                    })
                    .isInstanceOf(LogUnavailableException.class)
                    .hasMessageContaining("1 entries could not be written");
            fixture.disk.free = Long.MAX_VALUE;
            fixture.millis.addAndGet(1_000);
            answered.addAll(LogFixture.texts(fixture.write(writer, 3)));
        }

        assertThat(fixture.stored()).isEqualTo(answered);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void an_answer_that_waits_for_the_disk_leaves_only_after_the_force() throws IOException {
        var answers = new CopyOnWriteArrayList<String>();
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            LogFixture.eventually("the header is durable", () -> durable(log, writer));
            fixture.disk.forces.drainPermits();
            fixture.write(writer, 1);
            writer.whenDurable(Runnable::run, () -> answers.add("durable"), lost -> answers.add("lost"));
            LogFixture.eventually("the flusher waits in force", () -> fixture.disk.forces.hasQueuedThreads());
            assertThat(answers).isEmpty();
            Segment segment = log.segment(writer.segment());
            assertThat(segment.shippable())
                    .as("what a power cut can undo must not be in the table")
                    .isLessThan(segment.written());
            fixture.disk.forces.release(1_000);
            LogFixture.eventually("the answer", () -> !answers.isEmpty());
        }
        assertThat(answers).containsExactly("durable");
    }

    @Test
    void answers_that_come_during_a_force_share_the_next_one() throws IOException {
        var answers = new CopyOnWriteArrayList<Integer>();
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            LogFixture.eventually("the header is durable", () -> durable(log, writer));
            fixture.disk.forces.drainPermits();
            for (int i = 0; i < 5; i++) {
                int answer = i;
                fixture.write(writer, 1);
                writer.whenDurable(Runnable::run, () -> answers.add(answer), lost -> answers.add(-1));
                LogFixture.eventually("the flusher waits in force", () -> fixture.disk.forces.hasQueuedThreads());
            }
            fixture.disk.forces.release(2);
            LogFixture.eventually("all answers after two forces", () -> answers.size() == 5);
            fixture.disk.forces.release(1_000);
        }
        assertThat(answers).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void a_disk_that_cannot_be_forced_refuses_and_the_next_segment_goes_on() throws IOException {
        var answers = new CopyOnWriteArrayList<String>();
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, 2);
            LogFixture.eventually("durable", () -> durable(log, writer));
            fixture.disk.forceFails = true;
            fixture.write(writer, 1);
            var first = writer.segment();
            writer.whenDurable(Runnable::run, () -> answers.add("durable"), lost -> answers.add("lost"));
            LogFixture.eventually("the refusal", () -> !answers.isEmpty());
            assertThat(answers).containsExactly("lost");
            Segment bad = log.segment(first);
            assertThat(bad.shippable()).as("saved while it can be read").isEqualTo(bad.written());
            assertThat(fixture.failures(LogObserver.Failure.FORCE)).isEqualTo(1);

            fixture.disk.forceFails = false;
            assertThatThrownBy(() -> fixture.write(writer, 1)).isInstanceOf(LogUnavailableException.class);
            fixture.millis.addAndGet(1_000);
            fixture.write(writer, 2);
            assertThat(writer.segment()).isNotEqualTo(first);
            writer.whenDurable(Runnable::run, () -> answers.add("durable"), lost -> answers.add("lost"));
            LogFixture.eventually("the answer", () -> answers.size() > 1);
            assertThat(answers).containsExactly("lost", "durable");
        }
        assertThat(fixture.stored()).hasSize(5);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    private static boolean durable(DecisionLog log, SegmentWriter writer) {
        Segment segment = log.segment(writer.segment());
        return segment != null && segment.durable() == segment.written();
    }
}
