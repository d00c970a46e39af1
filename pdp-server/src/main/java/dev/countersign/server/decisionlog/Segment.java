package dev.countersign.server.decisionlog;

import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the writer, the flusher and the shipper know together about one segment file: how far it is written, how far it
 * is durable, and what continues it. The writer alone moves {@code written}, the flusher alone {@code durable}.
 */
final class Segment {
    private static final Logger LOG = LoggerFactory.getLogger(Segment.class);

    /** An answer that waits until the segment is durable up to a position. */
    private record Waiting(
            long position, Executor executor, Runnable durable, Consumer<LogUnavailableException> lost) {}

    private final Path file;
    private final SegmentHeader header;
    private final @Nullable FileChannel channel;
    private final ConcurrentLinkedQueue<Waiting> waiting = new ConcurrentLinkedQueue<>();

    private volatile long written;
    private volatile long entries;
    private volatile long durable;
    private volatile long durableEntries;
    private volatile boolean finished;
    private volatile boolean sealed;
    private volatile boolean bad;
    private volatile @Nullable Segment successor;
    private volatile long shipped;
    private volatile @Nullable Instant oldestWaiting;

    private Segment(Path file, SegmentHeader header, @Nullable FileChannel channel, long length) {
        this.file = file;
        this.header = header;
        this.channel = channel;
        this.written = length;
        this.oldestWaiting = header.started();
    }

    /** A segment that a writer has just opened; its header is written. */
    static Segment opened(Path file, SegmentHeader header, FileChannel channel, long length) {
        return new Segment(file, header, channel, length);
    }

    /** A segment of an earlier start: durable up to its length, never written again. */
    static Segment recovered(Path file, SegmentHeader header, long length) {
        var segment = new Segment(file, header, null, length);
        segment.durable = length;
        segment.finished = true;
        segment.sealed = true;
        return segment;
    }

    Path file() {
        return file;
    }

    SegmentHeader header() {
        return header;
    }

    UUID id() {
        return header.segment();
    }

    /** The channel of a segment that this process writes. */
    @Nullable
    FileChannel channel() {
        return channel;
    }

    /** The length up to which answers may have been given. */
    long written() {
        return written;
    }

    void written(long length, long numbered) {
        entries = numbered;
        written = length;
    }

    long entries() {
        return entries;
    }

    /** How many entries are written and not durable yet. */
    long unforcedEntries() {
        return entries - durableEntries;
    }

    long durable() {
        return durable;
    }

    /**
     * How far the shipper may read: what could still vanish in a power cut must not be in the table, or the chain would
     * fork after it. A bad segment will never be more durable than it is, so all of it is saved while it can be read.
     */
    long shippable() {
        return bad ? written : durable;
    }

    /** How far it is known to be in the table. */
    long shipped() {
        return shipped;
    }

    void shipped(long length) {
        shipped = length;
    }

    /** No later than the oldest entry that is not in the table; null when that entry is younger than the last look. */
    @Nullable
    Instant oldestWaiting() {
        return oldestWaiting;
    }

    void oldestWaiting(@Nullable Instant at) {
        oldestWaiting = at;
    }

    /** Whether nothing will be written to it any more. */
    boolean finished() {
        return finished;
    }

    void finish() {
        finished = true;
    }

    /** Whether the flusher has closed its file too, so that the file may be taken away. */
    boolean sealed() {
        return sealed;
    }

    void seal() {
        sealed = true;
    }

    /** Whether the operating system failed to make it durable; nothing may be written to it any more. */
    boolean bad() {
        return bad;
    }

    /** The segment that continues this one, once it is known. */
    @Nullable
    Segment successor() {
        return successor;
    }

    void successor(Segment next) {
        successor = next;
    }

    /** Runs one of the two on the executor, once the position is durable or is known to be lost. */
    void whenDurable(
            long position, Executor executor, Runnable whenDurable, Consumer<LogUnavailableException> whenLost) {
        waiting.add(new Waiting(position, executor, whenDurable, whenLost));
        if (bad) {
            markBad(new LogUnavailableException(unforced()));
        } else if (durable >= position) {
            release(durable);
        }
    }

    boolean awaited() {
        return !waiting.isEmpty();
    }

    void markDurable(long position, long numbered) {
        durableEntries = numbered;
        durable = position;
        release(position);
    }

    private void release(long position) {
        for (Waiting w : waiting) {
            if (w.position <= position && waiting.remove(w)) {
                run(w.executor, w.durable);
            }
        }
    }

    private static void run(Executor executor, Runnable answer) {
        try {
            executor.execute(answer);
        } catch (RuntimeException e) {
            LOG.warn("an answer that waited for the disk could not be handed back to its loop", e);
        }
    }

    void markBad(LogUnavailableException reason) {
        bad = true;
        for (Waiting w = waiting.poll(); w != null; w = waiting.poll()) {
            var lost = w.lost;
            run(w.executor, () -> lost.accept(reason));
        }
    }

    String unforced() {
        return "the segment " + id() + " could not be made durable";
    }
}
