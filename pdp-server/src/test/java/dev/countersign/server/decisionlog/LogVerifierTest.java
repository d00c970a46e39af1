package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogVerifierTest {
    private static final long SEED = 8;
    private static final int FILES = 400;

    @TempDir
    Path directory;

    @Test
    void a_file_that_gets_its_header_meanwhile_is_no_finding() throws Exception {
        var begun = CompletableFuture.runAsync(() -> {
            var random = new Random(SEED);
            try {
                for (int i = 0; i < FILES; i++) {
                    begin(new UUID(0x7000, 1L << 63 | i), i % 2 == 0, random.nextInt(200_000));
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        int verified = 0;
        while (!begun.isDone()) {
            assertThat(LogVerifier.directory(directory).lines())
                    .as("seed %d", SEED)
                    .noneMatch(l -> l.contains("NOT OK"));
            verified++;
        }
        begun.join();
        assertThat(verified).isPositive();
    }

    @Test
    void a_file_that_stays_empty_is_a_finding() throws IOException {
        Files.createFile(directory.resolve(UUID.randomUUID() + ".seg"));
        assertThat(LogVerifier.directory(directory).ok()).isFalse();
    }

    /** Lets a file have the name of a segment for a while before it has the header, and then takes it away again. */
    private void begin(UUID id, boolean spare, long nanos) throws IOException {
        Path file = directory.resolve(id + ".seg");
        if (spare) {
            byte[] blank = frame("{\"type\":\"spare\"}".getBytes(StandardCharsets.US_ASCII));
            Files.move(Files.write(directory.resolve(id + ".seg.spare"), blank), file);
        } else {
            Files.createFile(file);
        }
        spin(nanos);
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            byte[] header = new SegmentHeader(id, "server-a", 0, Instant.EPOCH, null, 0).toJson();
            channel.write(ByteBuffer.wrap(frame(header)), 0);
        }
        spin(100_000);
        Files.delete(file);
    }

    private static void spin(long nanos) {
        for (long begin = System.nanoTime(); System.nanoTime() - begin < nanos; ) {
            Thread.onSpinWait();
        }
    }

    private static byte[] frame(byte[] entry) {
        var chain = new Chain(Chain.root());
        chain.add(entry, 0, entry.length);
        return ByteBuffer.allocate(entry.length + Chain.FRAME_OVERHEAD)
                .putInt(entry.length)
                .put(entry)
                .put(chain.hash())
                .array();
    }
}
