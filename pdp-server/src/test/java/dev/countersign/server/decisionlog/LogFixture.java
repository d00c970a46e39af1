package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A directory for a decision log, a clock that the test moves, and what the log reported. */
final class LogFixture implements LogObserver {
    final Path directory;
    final AtomicLong millis =
            new AtomicLong(Instant.parse("2026-11-21T23:59:59.600Z").toEpochMilli());
    final InstantSource clock = () -> Instant.ofEpochMilli(millis.get());
    final Entries entries;
    final FaultyDisk disk = new FaultyDisk();
    final Map<Failure, AtomicInteger> failures = new ConcurrentHashMap<>();
    private final LogSettings settings;

    LogFixture(Path directory, long seed) {
        this(directory, seed, false);
    }

    LogFixture(Path directory, long seed, boolean keepSegments) {
        this.directory = directory;
        this.entries = new Entries(seed, clock);
        this.settings = new LogSettings(
                directory, "server-a", keepSegments, Duration.ofSeconds(20), clock, Entries.ids(seed + 7, clock));
    }

    DecisionLog open() throws IOException {
        millis.incrementAndGet();
        return DecisionLog.open(settings, this, disk);
    }

    @Override
    public void failed(Failure failure) {
        failures.computeIfAbsent(failure, f -> new AtomicInteger()).incrementAndGet();
    }

    int failures(Failure failure) {
        return failures.getOrDefault(failure, new AtomicInteger()).get();
    }

    /** Appends and flushes so many entries, some at a time. */
    List<Entries.Entry> write(SegmentWriter writer, int count) throws LogUnavailableException {
        var written = new ArrayList<Entries.Entry>();
        for (int i = 0; i < count; i++) {
            var entry = entries.next();
            append(writer, entry);
            written.add(entry);
            if (i % 7 == 0) {
                writer.flush();
                millis.incrementAndGet();
            }
        }
        writer.flush();
        return written;
    }

    static long append(SegmentWriter writer, Entries.Entry entry) throws LogUnavailableException {
        return writer.append(entry.bytes(), 0, entry.bytes().length);
    }

    /** Every entry of the directory but the headers, in the order of segments and numbers. */
    List<String> stored() throws IOException {
        var found = new ArrayList<String>();
        for (Path file : Recovery.files(directory)) {
            try (var reader = SegmentReader.open(file, Files.size(file))) {
                while (reader.next()) {
                    found.add(new String(reader.entry(), StandardCharsets.UTF_8));
                }
            }
        }
        return found;
    }

    /** Where each frame of a segment ends, by number. */
    static TreeMap<Long, Long> ends(Path file) throws IOException {
        var ends = new TreeMap<Long, Long>();
        try (var reader = SegmentReader.open(file, Files.size(file))) {
            do {
                ends.put(reader.seq(), reader.position());
            } while (reader.next());
        }
        return ends;
    }

    List<Path> files() throws IOException {
        return Recovery.files(directory);
    }

    /** The names of everything in a directory. */
    static List<String> names(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    static List<String> texts(List<Entries.Entry> entries) {
        return entries.stream()
                .map(e -> new String(e.bytes(), StandardCharsets.UTF_8))
                .toList();
    }

    static void eventually(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }
}
