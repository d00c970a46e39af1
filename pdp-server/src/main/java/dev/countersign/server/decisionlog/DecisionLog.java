package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The decision log of one server: a directory of segments, one {@linkplain SegmentWriter writer} for each event loop, and
 * the shipper to the database. All methods may be called from any thread.
 *
 * <p>An answer that leaves after {@link SegmentWriter#flush} survives the end of the process; one that leaves after
 * {@link SegmentWriter#whenDurable} also survives a power cut, which may cost the others of the last 50 ms.
 */
public final class DecisionLog implements AutoCloseable {
    /**
     * What has not reached the table yet.
     *
     * @param bytes the bytes of segments that are written but not shipped
     * @param oldest how long the oldest entry has been waiting, at most; zero when nothing waits
     */
    public record Lag(long bytes, Duration oldest) {}

    private final LogSettings settings;
    private final LogObserver observer;
    private final SegmentFiles files;
    private final FileChannel lockFile;
    private final Recovery recovery;
    private final LogFlusher flusher;
    private final Spares spares;
    private final Map<UUID, Segment> segments = new ConcurrentHashMap<>();
    private final Set<Integer> loops = Collections.newSetFromMap(new ConcurrentHashMap<>());
    private @Nullable Shipper shipper;

    private DecisionLog(
            LogSettings settings, LogObserver observer, SegmentFiles files, FileChannel lockFile, Recovery recovery)
            throws IOException {
        this.settings = settings;
        this.observer = observer;
        this.files = files;
        this.lockFile = lockFile;
        this.recovery = recovery;
        this.segments.putAll(recovery.segments());
        this.spares = new Spares(settings.directory(), files, settings.clock(), () -> loops.size() + 1);
        this.flusher = new LogFlusher(settings.directory(), files, observer);
    }

    /**
     * Opens the directory, creates it if need be, and recovers what an earlier start left.
     *
     * @throws IOException when another server uses the directory, or it cannot be read or written
     */
    public static DecisionLog open(LogSettings settings, LogObserver observer) throws IOException {
        return open(settings, observer, SegmentFiles.SYSTEM);
    }

    static DecisionLog open(LogSettings settings, LogObserver observer, SegmentFiles files) throws IOException {
        Files.createDirectories(settings.directory());
        FileChannel lockFile = lock(settings.directory());
        try {
            return new DecisionLog(
                    settings, observer, files, lockFile, Recovery.of(settings.directory(), files, observer));
        } catch (IOException e) {
            lockFile.close();
            throw e;
        }
    }

    /**
     * Opens the writer of an event loop, which continues that loop's chain of an earlier start.
     *
     * @param loop the number of the loop, from 0; each can be opened once
     * @throws LogUnavailableException when its first segment cannot be opened
     */
    public SegmentWriter writer(int loop) throws LogUnavailableException {
        if (!loops.add(loop)) {
            throw new IllegalStateException("loop " + loop + " has a writer already");
        }
        try {
            return new SegmentWriter(this, loop, recovery.head(loop));
        } catch (LogUnavailableException e) {
            loops.remove(loop);
            throw e;
        }
    }

    /**
     * Starts to ship the segments to the tables {@code decisions} and {@code log_segments}. The database may be away: the
     * shipper tries until it answers. The source should set timeouts for connecting.
     */
    public synchronized void shipTo(DataSource database) {
        if (shipper != null) {
            throw new IllegalStateException("the log is being shipped already");
        }
        shipper = new Shipper(this, database);
    }

    /** What has not reached the table yet; everything, while nothing is shipped. */
    public Lag lag() {
        Instant now = settings.clock().instant();
        long bytes = 0;
        Duration oldest = Duration.ZERO;
        for (Segment segment : segments.values()) {
            long waiting = segment.written() - segment.shipped();
            if (waiting > 0) {
                bytes += waiting;
                Instant since = segment.oldestWaiting();
                Duration age = since == null ? Duration.ZERO : Duration.between(since, now);
                oldest = age.compareTo(oldest) > 0 ? age : oldest;
            }
        }
        return new Lag(bytes, oldest);
    }

    /** Makes everything durable, ships the rest for a bounded time, and releases the directory. Stop the loops before. */
    @Override
    public synchronized void close() throws IOException {
        flusher.close();
        if (shipper != null) {
            shipper.close();
        }
        spares.close();
        lockFile.close();
    }

    LogSettings settings() {
        return settings;
    }

    LogObserver observer() {
        return observer;
    }

    SegmentFiles files() {
        return files;
    }

    LogFlusher flusher() {
        return flusher;
    }

    Spares spares() {
        return spares;
    }

    Collection<Segment> segments() {
        return segments.values();
    }

    @Nullable
    Segment segment(UUID id) {
        return segments.get(id);
    }

    void add(Segment segment) {
        segments.put(segment.id(), segment);
        flusher.add(segment);
    }

    void remove(Segment segment) {
        segments.remove(segment.id());
    }

    private static FileChannel lock(Path directory) throws IOException {
        Path file = directory.resolve(".lock");
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // held by this very process: the same answer as for another one
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        if (lock == null) {
            throw new IOException("another server uses the decision log in " + directory
                    + ": give each server a directory of its own, or stop the other one");
        }
        return channel;
    }
}
