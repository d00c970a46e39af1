package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that makes segments durable: every 50 ms, and in rounds while answers wait for it. A round forces each
 * segment once, and all answers that came during the round before share it. A force costs the same for one entry as for
 * thirty, so under load a round begins a little later than it could. It also closes the files of segments that their
 * writer has left.
 */
final class LogFlusher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogFlusher.class);
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long GATHER_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

    private final Path directory;
    private final SegmentFiles files;
    private final LogObserver observer;
    private final ConcurrentLinkedQueue<Segment> open = new ConcurrentLinkedQueue<>();
    private final Thread thread = new Thread(this::run, "decision-log-flusher");
    private volatile boolean stopped;
    private volatile boolean idle;
    private long lastRound;

    LogFlusher(Path directory, SegmentFiles files, LogObserver observer) {
        this.directory = directory;
        this.files = files;
        this.observer = observer;
        thread.setDaemon(true);
        thread.start();
    }

    void add(Segment segment) {
        open.add(segment);
    }

    /** Lets the next force begin now. */
    void wake() {
        if (idle) {
            LockSupport.unpark(thread);
        }
    }

    /** Makes everything durable that is written, closes the files and ends the thread. The writers must be at rest. */
    @Override
    public void close() {
        stopped = true;
        wake();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!stopped) {
            rest();
            gather();
            open.removeIf(this::keepDurable);
        }
        open.forEach(Segment::finish);
        open.removeIf(this::keepDurable);
    }

    private void rest() {
        idle = true;
        if (!stopped && !awaited()) {
            LockSupport.parkNanos(INTERVAL_NANOS);
        }
        idle = false;
    }

    /** Lets other answers join the next round, unless there seem to be none: a lone client need not wait for company. */
    private void gather() {
        if ((lastRound > 1 || unforced() > 1) && !stopped && awaited()) {
            LockSupport.parkNanos(GATHER_NANOS);
        }
        lastRound = unforced();
    }

    private long unforced() {
        long entries = 0;
        for (Segment segment : open) {
            entries += segment.unforcedEntries();
        }
        return entries;
    }

    private boolean awaited() {
        for (Segment segment : open) {
            if (segment.awaited()) {
                return true;
            }
        }
        return false;
    }

    /** Forces what is new; answers whether the segment needs no more attention. */
    private boolean keepDurable(Segment segment) {
        boolean finished = segment.finished();
        long written = segment.written();
        long entries = segment.entries();
        FileChannel channel = segment.channel();
        if (channel == null) {
            return true;
        }
        if (segment.durable() == 0 && predecessorCanVanish(segment)) {
            return false;
        }
        try {
            if (!segment.bad() && (written > segment.durable() || segment.awaited())) {
                force(segment, channel, written, entries);
            }
        } catch (IOException e) {
            observer.failed(LogObserver.Failure.FORCE);
            LOG.error(
                    "{}: {}; a power cut may lose what was decided since. The next entry begins a new segment; check the disk",
                    segment.file(),
                    segment.unforced(),
                    e);
            segment.markBad(new LogUnavailableException(segment.unforced(), e));
        }
        if (finished) {
            close(segment, channel);
        }
        return finished;
    }

    /**
     * Whether a power cut could still take the end of the segment that this one names: its writer may have gone on since the
     * predecessor's force of this round began. The next round comes to the predecessor first.
     */
    private boolean predecessorCanVanish(Segment segment) {
        SegmentHeader.ChainEnd end = segment.header().predecessor();
        if (end == null) {
            return false;
        }
        for (Segment other : open) {
            if (other.id().equals(end.segment())) {
                return !other.bad() && other.durable() < other.written();
            }
        }
        return false;
    }

    /** Cuts off what the file held before the segment, and lets go of it. */
    private static void close(Segment segment, FileChannel channel) {
        try (channel) {
            if (channel.size() > segment.written()) {
                channel.truncate(segment.written());
            }
        } catch (IOException e) {
            LOG.warn("{} could not be cut to its length and closed; the next start sees to it", segment.file(), e);
        }
        segment.seal();
    }

    private void force(Segment segment, FileChannel channel, long written, long entries) throws IOException {
        long begin = System.nanoTime();
        channel.force(false);
        if (segment.durable() == 0) {
            files.forceNames(directory);
        }
        observer.forced(System.nanoTime() - begin);
        segment.markDurable(written, entries);
    }
}
