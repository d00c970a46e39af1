package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(PostgresExtension.class)
class UnforcedSegmentTest {
    @TempDir
    Path directory;

    private LogFixture fixture;
    private Decisions decisions;

    @BeforeEach
    void prepare(PostgresAddress application) {
        decisions = Decisions.at(application);
        fixture = new LogFixture(directory, 12);
    }

    @Test
    void what_could_not_be_forced_is_verified_before_it_is_shipped() throws Exception {
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            fixture.write(writer, 5);
            LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
            Segment segment = log.segment(writer.segment());
            fixture.disk.forces.drainPermits();
            fixture.disk.forceFails = true;
            fixture.write(writer, 5);
            byte[] bytes = Files.readAllBytes(segment.file());
            int at = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf("limit_exceeded");
            bytes[at] ^= 1;
            Files.write(segment.file(), bytes, StandardOpenOption.WRITE);
            fixture.disk.forces.release(1_000);
            LogFixture.eventually("noticed", () -> fixture.failures(LogObserver.Failure.CORRUPT) == 1);
            fixture.disk.forceFails = false;
        }

        assertThat(decisions.entries()).hasSize(9);
    }

    @Test
    void a_file_that_could_not_be_forced_is_never_used_again() throws Exception {
        fixture.disk.usable = 0;
        var written = new ArrayList<String>();
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            var writer = log.writer(0);
            Segment bad = log.segment(writer.segment());
            while (bad.written() < 200 << 10) {
                written.addAll(LogFixture.texts(fixture.write(writer, 5)));
            }
            LogFixture.eventually("durable", () -> bad.durable() == bad.written());
            fixture.disk.forceFails = true;
            written.addAll(LogFixture.texts(fixture.write(writer, 5)));
            LogFixture.eventually("bad", bad::bad);
            fixture.disk.forceFails = false;
            assertThatThrownBy(() -> fixture.write(writer, 1)).isInstanceOf(LogUnavailableException.class);
            fixture.millis.addAndGet(1_000);
            written.addAll(LogFixture.texts(fixture.write(writer, 5)));
            LogFixture.eventually("shipped", () -> log.segment(bad.id()) == null);
            assertThat(bad.file()).doesNotExist();
            assertThat(LogFixture.names(directory)).noneMatch(n -> n.endsWith(".spare"));
        }
        assertThat(decisions.entries()).isEqualTo(written);
    }
}
