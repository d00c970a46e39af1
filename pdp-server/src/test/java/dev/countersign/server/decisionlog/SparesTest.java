package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparesTest {
    private static final int LENGTH = 200 << 10;

    @TempDir
    Path directory;

    private LogFixture fixture;

    @BeforeEach
    void prepare() {
        fixture = new LogFixture(directory, 5);
        fixture.disk.usable = 0;
    }

    @Test
    void a_power_cut_cannot_give_a_spare_its_old_name_back() throws IOException {
        Path segment = Files.write(directory.resolve("a.seg"), new byte[LENGTH]);
        fixture.disk.forceNames(directory);
        try (var spares = new Spares(directory, fixture.disk, fixture.clock, () -> 1)) {
            spares.offer(segment);
            var spare = spares.take(LENGTH);
            assertThat(spare).isNotNull();
            assertThat(fixture.disk.durableNames)
                    .containsExactly(spare.file().getFileName().toString());
        }
    }

    @Test
    void a_spare_that_somebody_removed_refuses_nothing() throws IOException {
        var written = new ArrayList<String>();
        try (var log = fixture.open()) {
            var writer = log.writer(0);
            Path shipped = directory.resolve(writer.segment() + ".seg");
            roll(writer, written);
            Segment first = log.segments().stream()
                    .filter(s -> s.file().equals(shipped))
                    .findAny()
                    .orElseThrow();
            LogFixture.eventually("sealed", first::sealed);
            written.subList(0, LogFixture.ends(shipped).size() - 1).clear();
            log.remove(first);
            log.spares().offer(shipped);
            Files.delete(directory.resolve(shipped.getFileName() + ".spare"));
            roll(writer, written);
        }

        assertThat(fixture.disk.reused).as("it was tried").isEqualTo(1);
        assertThat(fixture.failures).isEmpty();
        assertThat(fixture.stored()).isEqualTo(written);
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        assertThat(LogFixture.names(directory)).allMatch(n -> n.endsWith(".seg") || n.equals(".lock"));
    }

    private void roll(SegmentWriter writer, List<String> written) throws LogUnavailableException {
        for (UUID before = writer.segment(); before.equals(writer.segment()); ) {
            written.addAll(LogFixture.texts(fixture.write(writer, 5)));
        }
    }
}
