package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of shipped segments that wait to be used again, so that the log does not write to fresh pages. Few and not for
 * long: their pages must still be in memory, or writing to them means to read them first. All methods may be called from
 * any thread.
 */
final class Spares implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Spares.class);
    private static final String SUFFIX = ".spare";
    private static final long SMALLEST_ROLL = 256L << 10;
    private static final long LARGEST_ROLL = 64L << 20;
    /** How long pages are taken to stay in memory: a spare waits no longer, and a slower loop takes none. */
    static final Duration WARM = Duration.ofMinutes(1);

    /** The first frame of a spare: a power cut can leave it in a file that already has a segment's name. */
    private static final byte[] BLANK = "{\"type\":\"spare\"}".getBytes(StandardCharsets.US_ASCII);

    /** A file and its length. */
    record Spare(Path file, long length, Instant since) {}

    private final Path directory;
    private final SegmentFiles files;
    private final InstantSource clock;
    private final IntSupplier most;
    private final Deque<Spare> spares = new ArrayDeque<>();
    private boolean closed;

    /**
     * Removes what an earlier start left.
     *
     * @param most how many may wait at a time
     */
    Spares(Path directory, SegmentFiles files, InstantSource clock, IntSupplier most) throws IOException {
        this.directory = directory;
        this.files = files;
        this.clock = clock;
        this.most = most;
        try (var left = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            left.forEach(Spares::delete);
        }
    }

    /** The size at which segments roll: an eighth of what is free, within bounds. */
    long roll() throws IOException {
        return Math.max(SMALLEST_ROLL, Math.min(LARGEST_ROLL, files.usableSpace(directory) / 8));
    }

    /** Takes a file that nobody needs any more; it is gone from its place afterwards. */
    void offer(Path segment) throws IOException {
        long length = Files.size(segment);
        if (!wanted(length)) {
            Files.delete(segment);
            return;
        }
        Path file = segment.resolveSibling(segment.getFileName() + SUFFIX);
        Files.move(segment, file);
        try {
            blank(file);
            // Writing over a file in place makes no new name durable: without this, a power cut could bring back the
            // old name
            // with the next segment behind it.
            files.forceNames(directory);
        } catch (IOException e) {
            LOG.warn("{} cannot be used again", segment, e);
            delete(file);
            return;
        }
        var spare = new Spare(file, length, clock.instant());
        synchronized (this) {
            if (!closed) {
                spares.addLast(spare);
                return;
            }
        }
        delete(file);
    }

    /** The spare that came last and has at least this length; it belongs to the caller. */
    synchronized @Nullable Spare take(long atLeast) {
        for (var latest = spares.descendingIterator(); latest.hasNext(); ) {
            Spare spare = latest.next();
            if (spare.length >= atLeast) {
                latest.remove();
                return spare;
            }
        }
        return null;
    }

    /** Deletes the spares that have waited for too long. */
    void expire() {
        Instant before = clock.instant().minus(WARM);
        for (Spare spare = stale(before); spare != null; spare = stale(before)) {
            delete(spare.file);
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        for (Spare spare = take(0); spare != null; spare = take(0)) {
            delete(spare.file);
        }
    }

    /** Whether a file with the name of a segment is a spare whose first write was lost in a power cut. */
    static boolean isBlank(Path segment) throws IOException {
        try (var reader = new SegmentReader(segment, 0, 0, Chain.root(), Files.size(segment))) {
            return reader.next() && Arrays.equals(reader.entry(), BLANK);
        }
    }

    private synchronized @Nullable Spare stale(Instant before) {
        Spare oldest = spares.peekFirst();
        return oldest != null && oldest.since.isBefore(before) ? spares.pollFirst() : null;
    }

    private boolean wanted(long length) throws IOException {
        long roll = roll();
        synchronized (this) {
            return !closed && spares.size() < most.getAsInt() && length >= roll / 2 && length <= 2 * roll;
        }
    }

    private static void blank(Path file) throws IOException {
        var chain = new Chain(Chain.root());
        chain.add(BLANK, 0, BLANK.length);
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            SegmentFiles.write(
                    channel,
                    ByteBuffer.allocate(BLANK.length + Chain.FRAME_OVERHEAD)
                            .putInt(BLANK.length)
                            .put(BLANK)
                            .put(chain.hash())
                            .flip(),
                    0);
            channel.force(true);
        }
    }

    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("{} is left over and can be deleted; the next start removes it", file, e);
        }
    }
}
