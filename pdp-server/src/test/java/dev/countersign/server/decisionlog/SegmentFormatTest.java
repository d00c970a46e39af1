package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import dev.countersign.server.decisionlog.VerifyReport.SegmentReport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentFormatTest {
    private static final long SEED = 20_261_121;

    @TempDir
    Path directory;

    @Test
    void every_entry_is_read_back_byte_for_byte_over_restarts_and_rolls() throws IOException {
        var fixture = new LogFixture(directory, SEED);
        fixture.disk.usable = 1 << 20;
        var written = new ArrayList<String>();
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                written.addAll(LogFixture.texts(fixture.write(log.writer(0), 1_000)));
            }
        }

        assertThat(fixture.stored()).as("seed %d", SEED).isEqualTo(written);
        assertThat(fixture.files()).hasSizeGreaterThan(3);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void segments_of_a_loop_are_one_chain_and_loops_are_apart() throws IOException {
        var fixture = new LogFixture(directory, SEED);
        for (int start = 0; start < 3; start++) {
            try (var log = fixture.open()) {
                fixture.write(log.writer(0), 5);
                fixture.write(log.writer(1), 5);
            }
        }

        var headers = new ArrayList<SegmentHeader>();
        for (Path file : fixture.files()) {
            try (var reader = SegmentReader.open(file, Files.size(file))) {
                headers.add(SegmentHeader.parse(reader.entry()));
            }
        }
        assertThat(headers.stream().filter(h -> h.predecessor() == null)).hasSize(2);
        for (SegmentHeader header : headers) {
            var end = header.predecessor();
            if (end != null) {
                var predecessor = headers.stream()
                        .filter(h -> h.segment().equals(end.segment()))
                        .findFirst()
                        .orElseThrow();
                assertThat(predecessor.loop()).isEqualTo(header.loop());
                assertThat(predecessor.started()).isBefore(header.started());
            }
        }
    }

    @Test
    void a_file_cut_anywhere_is_complete_up_to_the_last_whole_entry() throws IOException {
        var file = oneSegment(20);
        var ends = LogFixture.ends(file);
        byte[] whole = Files.readAllBytes(file);
        var random = new Random(SEED);
        for (int i = 0; i < 300; i++) {
            int length = Math.toIntExact(ends.get(0L)) + random.nextInt(whole.length - Math.toIntExact(ends.get(0L)));
            Files.write(file, Arrays.copyOf(whole, length));
            long complete =
                    ends.entrySet().stream().filter(e -> e.getValue() <= length).count() - 1;

            SegmentReport report = only(LogVerifier.directory(directory));

            assertThat(report.completeUpTo())
                    .as("cut to %d, seed %d", length, SEED)
                    .isEqualTo(complete);
            assertThat(report.ok()).isTrue();
            assertThat(report.findings()).hasSize(ends.containsValue((long) length) ? 0 : 1);
        }
    }

    @Test
    void a_flipped_bit_is_reported_at_its_entry() throws IOException {
        var file = oneSegment(20);
        var ends = LogFixture.ends(file);
        byte[] whole = Files.readAllBytes(file);
        var random = new Random(SEED);
        for (int i = 0; i < 500; i++) {
            int at = random.nextInt(whole.length);
            byte[] changed = whole.clone();
            changed[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, changed);
            long hit = ends.entrySet().stream().filter(e -> e.getValue() <= at).count();
            long frame = hit == 0 ? 0 : ends.get(hit - 1);

            SegmentReport report = only(LogVerifier.directory(directory));

            assertThat(report.completeUpTo()).as("byte %d, seed %d", at, SEED).isEqualTo(hit - 1);
            assertThat(report.findings()).isNotEmpty();
            if (at >= frame + Chain.LENGTH_BYTES) {
                assertThat(report.findings()).extracting(Finding::kind).containsExactly(Kind.CHANGED);
            }
        }
    }

    @Test
    void zeros_that_a_power_cut_leaves_at_the_end_are_no_change() throws IOException {
        var file = oneSegment(3);
        try (var channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
            channel.write(ByteBuffer.allocate(10_000));
        }

        SegmentReport report = only(LogVerifier.directory(directory));

        assertThat(report.ok()).isTrue();
        assertThat(report.completeUpTo()).isEqualTo(3);
        assertThat(report.findings()).extracting(Finding::kind).containsExactly(Kind.TORN);
    }

    private Path oneSegment(int entries) throws IOException {
        var fixture = new LogFixture(directory, SEED);
        try (var log = fixture.open()) {
            fixture.write(log.writer(0), entries);
        }
        return fixture.files().get(0);
    }

    private static SegmentReport only(VerifyReport report) {
        List<SegmentReport> segments = report.segments();
        assertThat(segments).hasSize(1);
        return segments.get(0);
    }
}
