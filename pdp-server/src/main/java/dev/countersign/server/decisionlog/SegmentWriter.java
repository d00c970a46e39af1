package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The writer of one event loop's chain of segments. Confined to that loop's thread.
 *
 * <p>{@link #append} only remembers an entry; {@link #flush} writes everything remembered by one write, and only then may
 * the answers leave. What one {@code flush} ends is a turn. A turn that gets large is written in parts, of which those
 * before the last are written by {@code append}. When {@code flush} throws {@link LogUnavailableException}, the part that
 * could not be written and all after it are not in the log; parts written before stay there, as decisions that nobody was
 * told. The writer is ready for the next turn then.
 */
public final class SegmentWriter {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentWriter.class);
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int KEPT_BUFFER_BYTES = 4 << 20;
    /** Between two attempts on a broken disk, so that a busy loop does not fill it with headers. */
    private static final long PAUSE_MILLIS = 100;
    /** The part of a file that is used again and left free, so that the last write seldom outgrows it. */
    private static final long HEADROOM = 256;

    private final DecisionLog log;
    private final int loop;
    private final SegmentFiles files;
    private final LogObserver observer;
    private final InstantSource clock;

    private final Chain chain = new Chain(Chain.root());
    private final byte[] writtenHash = new byte[Chain.HASH_BYTES];
    private ByteBuffer pending = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private int pendingEntries;
    private long nextSeq;
    private long rollBytes;
    private @Nullable EndMark mark;
    private long fileBytes;
    private long notBefore = Long.MIN_VALUE;
    /** The segments that the appends of this turn wrote to: the answers wait for these too. */
    private final Set<Segment> writtenEarly = new LinkedHashSet<>();

    private boolean turnEnded;

    /** What a write within an append lost, until a flush has told it. */
    private @Nullable LogUnavailableException untold;

    private boolean refusing;
    private @Nullable Segment current;
    private @Nullable Segment predecessor;
    private SegmentHeader.@Nullable ChainEnd predecessorEnd;

    SegmentWriter(DecisionLog log, int loop, Recovery.@Nullable Head head) throws LogUnavailableException {
        this.log = log;
        this.loop = loop;
        this.files = log.files();
        this.observer = log.observer();
        this.clock = log.settings().clock();
        if (head != null) {
            predecessor = head.segment();
            predecessorEnd = head.end();
        }
        open();
    }

    /**
     * Adds an entry to what the next flush writes; if much is waiting already, that is written first. If that fails, so do all
     * that follow up to the next flush, and that flush itself: the answers to what was lost wait for it.
     *
     * @return its number in {@link #segment()}; void if that flush fails
     * @throws IllegalArgumentException when the entry is empty or larger than 16 MiB
     * @throws LogUnavailableException when no segment can be opened
     */
    public long append(byte[] entry, int offset, int length) throws LogUnavailableException {
        if (length <= 0 || length > Chain.MAX_ENTRY_BYTES) {
            throw new IllegalArgumentException("an entry has 1 to " + Chain.MAX_ENTRY_BYTES + " bytes, not " + length);
        }
        beginTurn();
        if (untold == null && pending.position() > KEPT_BUFFER_BYTES) {
            try {
                write();
                writtenEarly.add(opened());
            } catch (LogUnavailableException e) {
                untold = e;
            }
        }
        if (untold != null) {
            throw untold;
        }
        if (pendingEntries == 0) {
            ready();
        }
        reserve(length + Chain.FRAME_OVERHEAD);
        chain.add(entry, offset, length);
        pending.putInt(length).put(entry, offset, length).put(chain.hash());
        pendingEntries++;
        return nextSeq++;
    }

    /** Writes everything appended since the last flush; nothing to do when there is nothing. */
    public void flush() throws LogUnavailableException {
        beginTurn();
        turnEnded = true;
        LogUnavailableException refusal = untold;
        if (refusal != null) {
            untold = null;
            throw refusal;
        }
        write();
    }

    private void beginTurn() {
        if (turnEnded) {
            writtenEarly.clear();
            turnEnded = false;
        }
    }

    private void write() throws LogUnavailableException {
        if (pendingEntries == 0) {
            return;
        }
        Segment segment = opened();
        FileChannel channel = channel(segment);
        long begin = System.nanoTime();
        int bytes = pending.position();
        try {
            if (segment.bad()) {
                throw new IOException(segment.unforced());
            }
            mark(segment, channel);
            SegmentFiles.write(channel, pending.flip(), segment.written());
        } catch (IOException e) {
            observer.failed(LogObserver.Failure.WRITE);
            throw refuse(segment, channel, e);
        }
        segment.written(segment.written() + bytes, nextSeq - 1);
        System.arraycopy(chain.hash(), 0, writtenHash, 0, Chain.HASH_BYTES);
        notBefore = Long.MIN_VALUE;
        if (refusing) {
            LOG.info("the decision log of loop {} can be written again", loop);
            refusing = false;
        }
        observer.written(loop, pendingEntries, bytes, System.nanoTime() - begin);
        forget();
    }

    /**
     * Runs one of the two on the executor once everything of the turn is durable, or is known never to be. Call it after
     * each {@link #flush} that succeeded, for answers that must survive a power cut.
     */
    public void whenDurable(Executor executor, Runnable durable, Consumer<LogUnavailableException> lost) {
        Segment segment = opened();
        Runnable next = () -> segment.whenDurable(segment.written(), executor, durable, lost);
        for (Segment before : writtenEarly) {
            Runnable then = next;
            next = () -> before.whenDurable(before.written(), executor, then, lost);
        }
        next.run();
        log.flusher().wake();
    }

    /** The segment that the last entry went to, or that the next will go to while none has. */
    public UUID segment() {
        return opened().id();
    }

    /** The number that the next entry gets, unless it begins a new segment. */
    public long nextSeq() {
        return nextSeq;
    }

    /** Leaves a segment that is full or broken and opens the next. */
    private void ready() throws LogUnavailableException {
        if (notBefore != Long.MIN_VALUE && clock.millis() < notBefore) {
            throw new LogUnavailableException("the decision log could not be written a moment ago");
        }
        Segment segment = current;
        if (segment != null && !segment.bad() && !segment.finished() && segment.written() < rollBytes) {
            return;
        }
        if (segment != null && segment != predecessor) {
            leave(segment);
            if (segment.bad()) {
                notBefore = clock.millis() + PAUSE_MILLIS;
                throw new LogUnavailableException(segment.unforced());
            }
        }
        open();
    }

    private void leave(Segment segment) {
        segment.finish();
        predecessor = segment;
        predecessorEnd =
                new SegmentHeader.ChainEnd(segment.id(), HexFormat.of().formatHex(writtenHash), segment.written());
        log.flusher().wake();
    }

    /**
     * Ends what is about to be written with a mark, as long as the file holds something of its earlier use behind it. What
     * is too large for that cuts it off before: from there on the file is like a new one.
     */
    private void mark(Segment segment, FileChannel channel) throws IOException {
        if (mark != null && segment.written() + pending.position() + EndMark.BYTES > fileBytes) {
            channel.truncate(segment.written());
            mark = null;
        }
        if (mark != null) {
            reserve(EndMark.BYTES);
            mark.put(pending, chain.hash(), segment.durable());
        }
    }

    private void open() throws LogUnavailableException {
        try {
            long roll = log.spares().roll();
            Spares.Spare spare = filledQuickly() ? log.spares().take(roll / 2) : null;
            if (spare == null || !reopen(spare)) {
                open(roll, null);
            }
        } catch (IOException e) {
            notBefore = clock.millis() + PAUSE_MILLIS;
            observer.failed(LogObserver.Failure.OPEN);
            throw new LogUnavailableException(
                    "no segment of the decision log can be opened in "
                            + log.settings().directory() + ": " + e.getMessage(),
                    e);
        }
    }

    /** Opens a segment in a file that was used before; false when that cannot be, for example because it is gone. */
    private boolean reopen(Spares.Spare spare) {
        try {
            open(spare.length() - spare.length() / HEADROOM, spare);
            return true;
        } catch (IOException e) {
            LOG.warn("{} cannot be used again; the next segment gets a new file", spare.file(), e);
            Spares.delete(spare.file());
            return false;
        }
    }

    private void open(long roll, Spares.@Nullable Spare spare) throws IOException {
        UUID id = log.settings().ids().get();
        Path file = log.settings().directory().resolve(id + Recovery.SUFFIX);
        long recycled = spare == null ? 0 : spare.length();
        var header = new SegmentHeader(id, log.settings().server(), loop, clock.instant(), predecessorEnd, recycled);
        byte[] entry = header.toJson();
        var first = new Chain(header.previousHash());
        first.add(entry, 0, entry.length);
        var ends = spare == null ? null : new EndMark(first.hash());
        int length = entry.length + Chain.FRAME_OVERHEAD;
        var bytes = ByteBuffer.allocate(length + EndMark.BYTES)
                .putInt(entry.length)
                .put(entry)
                .put(first.hash());
        if (ends != null) {
            ends.put(bytes, first.hash(), 0);
        }
        FileChannel channel = null;
        try {
            channel = spare == null ? files.create(file) : files.reuse(spare.file(), file);
            SegmentFiles.write(channel, bytes.flip(), 0);
        } catch (IOException e) {
            discard(channel, file);
            throw e;
        }
        var segment = Segment.opened(file, header, channel, length);
        chain.reset(first.hash());
        System.arraycopy(first.hash(), 0, writtenHash, 0, Chain.HASH_BYTES);
        rollBytes = roll;
        mark = ends;
        fileBytes = recycled;
        nextSeq = 1;
        current = segment;
        log.add(segment);
        if (predecessor != null) {
            predecessor.successor(segment);
        }
    }

    /** Whether the pages of a file that is used again will still be in memory when they are written. */
    private boolean filledQuickly() {
        return predecessor != null
                && Duration.between(predecessor.header().started(), clock.instant())
                                .compareTo(Spares.WARM)
                        < 0;
    }

    /** Takes everything since the last flush out of the file and out of the chain again. */
    private LogUnavailableException refuse(Segment segment, FileChannel channel, IOException cause) {
        var refusal = new LogUnavailableException(
                pendingEntries + " entries could not be written to " + segment.file() + ": " + cause.getMessage(),
                cause);
        notBefore = clock.millis() + PAUSE_MILLIS;
        nextSeq -= pendingEntries;
        chain.reset(writtenHash);
        forget();
        boolean clean = truncate(segment, channel);
        mark = null;
        if (!clean || nextSeq > 1) {
            leave(segment);
        }
        if (!refusing) {
            LOG.error("{}; requests are refused until it can be written again", refusal.getMessage());
            refusing = true;
        }
        return refusal;
    }

    /** A segment that holds no decision yet is used again after a failure: a full disk must not fill with headers. */
    private static boolean truncate(Segment segment, FileChannel channel) {
        try {
            channel.truncate(segment.written());
            return true;
        } catch (IOException first) {
            try (var again = FileChannel.open(segment.file(), StandardOpenOption.WRITE)) {
                again.truncate(segment.written());
            } catch (IOException second) {
                LOG.error(
                        "{} could not be cut back to {} bytes; what follows them was refused and is no part of the log",
                        segment.file(),
                        segment.written(),
                        second);
            }
            return false;
        }
    }

    private static void discard(@Nullable FileChannel channel, Path file) {
        try {
            if (channel != null) {
                channel.close();
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.warn("{} is left over from a failed attempt; the next start removes it", file, e);
        }
    }

    private void reserve(int bytes) {
        if (pending.remaining() < bytes) {
            int needed = Math.addExact(pending.position(), bytes);
            int doubled = (int) Math.min(Integer.MAX_VALUE, 2L * pending.capacity());
            pending = ByteBuffer.allocateDirect(Math.max(needed, doubled)).put(pending.flip());
        }
    }

    private void forget() {
        pendingEntries = 0;
        if (pending.capacity() > KEPT_BUFFER_BYTES) {
            pending = ByteBuffer.allocateDirect(BUFFER_BYTES);
        } else {
            pending.clear();
        }
    }

    private Segment opened() {
        if (current == null) {
            throw new IllegalStateException("no segment was ever opened");
        }
        return current;
    }

    private static FileChannel channel(Segment segment) {
        FileChannel channel = segment.channel();
        if (channel == null) {
            throw new IllegalStateException("the segment " + segment.id() + " belongs to an earlier start");
        }
        return channel;
    }
}
