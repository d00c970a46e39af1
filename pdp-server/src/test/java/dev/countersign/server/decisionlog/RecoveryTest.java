package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecoveryTest {
    @TempDir
    Path directory;

    private LogFixture fixture;

    @BeforeEach
    void prepare() {
        fixture = new LogFixture(directory, 7);
    }

    @Test
    void a_torn_tail_is_cut_kept_aside_and_the_chain_goes_on() throws IOException {
        Path file = write(5);
        byte[] torn = {0, 0, 1, 0, '{', '"'};
        Files.write(file, torn, StandardOpenOption.APPEND);
        long size = Files.size(file);

        write(5);

        assertThat(fixture.stored()).hasSize(10);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        assertThat(file).hasSize(size - torn.length);
        assertThat(file.resolveSibling(file.getFileName() + "." + (size - torn.length) + ".torn"))
                .hasBinaryContent(torn);
    }

    @Test
    void a_full_disk_costs_the_copy_of_a_torn_tail_and_not_the_start() throws IOException {
        Path file = write(5);
        long size = Files.size(file);
        Files.write(file, new byte[] {0, 0, 1, 0, '{', '"'}, StandardOpenOption.APPEND);

        fixture.disk.free = 3;
        fixture.open().close();

        assertThat(file).hasSize(size);
        assertThat(LogFixture.names(directory)).noneMatch(n -> n.endsWith(".torn"));
        fixture.disk.free = Long.MAX_VALUE;
        write(5);
        assertThat(fixture.stored()).hasSize(10);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void a_segment_without_a_whole_header_is_put_aside() throws IOException {
        write(5);
        Path empty = directory.resolve("01930000-0000-7000-8000-000000000000.seg");
        Files.write(empty, new byte[] {0, 0, 1});

        write(5);

        assertThat(empty).doesNotExist();
        assertThat(fixture.stored()).hasSize(10);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
    }

    @Test
    void a_changed_segment_is_left_as_it_is_and_reported() throws IOException {
        Path file = write(5);
        long end = LogFixture.ends(file).get(2L);
        byte[] changed = Files.readAllBytes(file);
        changed[(int) end + 20] ^= 1;
        Files.write(file, changed);

        write(5);

        assertThat(file).hasBinaryContent(changed);
        assertThat(fixture.failures(LogObserver.Failure.CORRUPT)).isEqualTo(1);
        var report = LogVerifier.directory(directory);
        assertThat(report.ok()).isFalse();
        assertThat(report.segments().get(0).completeUpTo()).isEqualTo(2);
        assertThat(report.segments().get(0).findings())
                .extracting(Finding::kind)
                .containsExactly(Kind.CHANGED);
    }

    @Test
    void a_file_cut_at_an_entry_is_truncated_as_its_successor_tells() throws IOException {
        Path file = write(5);
        write(5);
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.truncate(LogFixture.ends(file).get(3L));
        }

        var report = LogVerifier.directory(directory);

        assertThat(report.ok()).isFalse();
        assertThat(report.segments().get(0).completeUpTo()).isEqualTo(3);
        assertThat(report.segments().get(0).findings())
                .extracting(Finding::kind)
                .containsExactly(Kind.TRUNCATED);
        assertThat(report.segments().get(1).ok()).isTrue();
        assertThat(report.lines()).endsWith("NOT OK: truncated: 8 entries in 2 segments are proven");
    }

    @Test
    void a_segment_rewritten_with_a_new_chain_is_unmasked_by_its_successor() throws IOException {
        Path file = write(2);
        write(2);
        byte[] header;
        try (var reader = SegmentReader.open(file, Files.size(file))) {
            header = reader.entry();
        }
        var forged = new ByteArrayOutputStream();
        var chain = new Chain(Chain.root());
        byte[] original = Files.readAllBytes(file);
        var ends = LogFixture.ends(file);
        for (byte[] entry : List.of(header, forge(original, ends, 1), forge(original, ends, 2))) {
            chain.add(entry, 0, entry.length);
            forged.write(ByteBuffer.allocate(4).putInt(entry.length).array());
            forged.write(entry);
            forged.write(chain.hash());
        }
        Files.write(file, forged.toByteArray());

        var report = LogVerifier.directory(directory);

        assertThat(report.ok()).isFalse();
        assertThat(report.segments().get(0).findings())
                .extracting(Finding::kind)
                .containsExactly(Kind.CHANGED);
    }

    @Test
    void two_servers_cannot_share_a_directory() throws IOException {
        try (var log = fixture.open()) {
            log.writer(0);
            assertThatThrownBy(fixture::open)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another server uses the decision log in " + directory);
        }
        fixture.open().close();
    }

    @Test
    void two_continuations_of_one_segment_are_a_fork(@TempDir Path copy) throws IOException {
        Path first = write(2);
        Files.copy(first, copy.resolve(first.getFileName()));
        var other = new LogFixture(copy, 8);
        other.millis.addAndGet(1_000);
        try (var log = other.open()) {
            other.write(log.writer(0), 2);
        }
        Path forged = other.files().get(1);

        write(2);
        Files.copy(forged, directory.resolve(forged.getFileName()));

        var report = LogVerifier.directory(directory);
        assertThat(report.ok()).isFalse();
        assertThat(report.segments().get(2).findings())
                .extracting(Finding::kind)
                .containsExactly(Kind.FORK);
    }

    private static byte[] forge(byte[] file, TreeMap<Long, Long> ends, long seq) {
        int from = Math.toIntExact(ends.get(seq - 1)) + 4;
        int to = Math.toIntExact(ends.get(seq)) - 32;
        byte[] entry = Arrays.copyOfRange(file, from, to);
        entry[entry.length - 3] ^= 1;
        return entry;
    }

    private Path write(int entries) throws IOException {
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            fixture.write(writer, entries);
            return directory.resolve(writer.segment() + ".seg");
        }
    }
}
