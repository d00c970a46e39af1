package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JacksonException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A reader of the frames of one segment that verifies the chain while it reads. Not safe for several threads.
 *
 * <p>From a position on it may be told to {@linkplain #trustFrom trust} the hashes in the frames instead.
 *
 * <p>{@link #next} moves to the next whole frame with the right hash. When it answers false, {@link #state} tells why:
 * {@link State#END}, the limit was reached between two frames; {@link State#TORN}, the file stops inside a frame, so
 * everything before it is complete; {@link State#CHANGED}, the frame at {@link #position} is not what was written.
 *
 * <p>In a file that was used again and still holds something of its earlier use, {@link State#END} is also the segment's
 * {@linkplain EndMark end mark}, and a frame that does not verify is only changed if it was durable, else torn.
 */
final class SegmentReader implements Closeable {
    enum State {
        READING,
        END,
        TORN,
        CHANGED
    }

    private static final int BUFFER_BYTES = 256 << 10;

    private final FileChannel channel;
    private final Chain chain;
    private final byte[] hash;
    private byte[] buffer = new byte[BUFFER_BYTES];
    private int start;
    private int end;
    private long limit;
    private long trusted = Long.MAX_VALUE;
    private long position;
    private long seq;
    private int entryOffset;
    private int entryLength;
    private @Nullable EndMark mark;
    private State state = State.READING;

    /**
     * Reads from a position that lies between two frames.
     *
     * @param position where the next frame starts
     * @param nextSeq the number of that frame, 0 for the header
     * @param previousHash the hash of the frame before it
     * @param limit the length of the file to look at; what lies behind it may still change and is never touched
     */
    SegmentReader(Path file, long position, long nextSeq, byte[] previousHash, long limit) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.READ);
        this.position = position;
        this.seq = nextSeq - 1;
        this.chain = new Chain(previousHash);
        this.hash = previousHash.clone();
        this.limit = limit;
    }

    /** Opens a segment and reads its header frame; throws DamagedSegmentException when that is not whole and unchanged. */
    static SegmentReader open(Path file, long limit) throws IOException {
        SegmentHeader header;
        try (var peek = new SegmentReader(file, 0, 0, Chain.root(), limit)) {
            header = SegmentHeader.parse(peek.peekEntry());
        } catch (JacksonException e) {
            throw new DamagedSegmentException(file + " has a header that cannot be read", e);
        }
        var reader = new SegmentReader(file, 0, 0, header.previousHash(), limit);
        try {
            if (!reader.next()) {
                throw new DamagedSegmentException("the header of " + file + " has been changed");
            }
            if (header.recycled() > 0 && header.recycled() == limit) {
                reader.mark = new EndMark(reader.hash());
            }
            return reader;
        } catch (IOException e) {
            reader.close();
            throw e;
        }
    }

    /** Takes the hashes of frames from a position on as they are, without computing them again. */
    void trustFrom(long bytes) {
        trusted = bytes;
    }

    /** Raises the limit, so that reading can go on. */
    void raiseLimit(long bytes) {
        limit = Math.max(limit, bytes);
        if (state == State.END || state == State.TORN) {
            state = State.READING;
        }
    }

    /** Moves to the next frame. */
    boolean next() throws IOException {
        if (state != State.READING) {
            return false;
        }
        if (position >= limit) {
            return stop(State.END);
        }
        if (!available(Chain.LENGTH_BYTES)) {
            return stop(unverified(State.TORN));
        }
        int length = ByteBuffer.wrap(buffer, start, Chain.LENGTH_BYTES).getInt();
        if (length <= 0 || length > Chain.MAX_ENTRY_BYTES) {
            if (mark != null && available(EndMark.BYTES) && mark.at(buffer, start, hash)) {
                return stop(State.END);
            }
            return stop(unverified(length == 0 && onlyZerosLeft() ? State.TORN : State.CHANGED));
        }
        if (!available(length + Chain.FRAME_OVERHEAD)) {
            return stop(unverified(State.TORN));
        }
        int entry = start + Chain.LENGTH_BYTES;
        int after = entry + length + Chain.HASH_BYTES;
        if (position < trusted) {
            chain.add(buffer, entry, length);
            if (!Arrays.equals(chain.hash(), 0, Chain.HASH_BYTES, buffer, entry + length, after)) {
                return stop(unverified(State.CHANGED));
            }
        }
        System.arraycopy(buffer, entry + length, hash, 0, Chain.HASH_BYTES);
        entryOffset = entry;
        entryLength = length;
        start = after;
        position += length + Chain.FRAME_OVERHEAD;
        seq++;
        return true;
    }

    State state() {
        return state;
    }

    /** Whether the file still holds something of its earlier use. */
    boolean leftovers() {
        return mark != null;
    }

    /** Whether the segment's end mark stands at a position. */
    boolean endsAt(long at) throws IOException {
        return mark != null && mark.at(channel, at);
    }

    /** The number of the frame that was read last, -1 before the first. */
    long seq() {
        return seq;
    }

    /** Where the frame that was read last ends. */
    long position() {
        return position;
    }

    /** The hash of the frame that was read last; the array is the reader's own and changes with the next frame. */
    byte[] hash() {
        return hash;
    }

    /** The array that holds the entry, valid until the next call of {@link #next}. */
    byte[] buffer() {
        return buffer;
    }

    int entryOffset() {
        return entryOffset;
    }

    int entryLength() {
        return entryLength;
    }

    byte[] entry() {
        return Arrays.copyOfRange(buffer, entryOffset, entryOffset + entryLength);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private boolean stop(State why) {
        state = why;
        return false;
    }

    /** What a frame is that does not verify, given what it would be in a file that was never used before. */
    private State unverified(State inNewFile) throws IOException {
        if (mark == null) {
            return inNewFile;
        }
        return mark.durableBeyond(channel, position) ? State.CHANGED : State.TORN;
    }

    private byte[] peekEntry() throws IOException {
        if (available(Chain.LENGTH_BYTES)) {
            int length = ByteBuffer.wrap(buffer, start, Chain.LENGTH_BYTES).getInt();
            if (length > 0 && length <= Chain.MAX_ENTRY_BYTES && available(length + Chain.FRAME_OVERHEAD)) {
                return Arrays.copyOfRange(buffer, start + Chain.LENGTH_BYTES, start + Chain.LENGTH_BYTES + length);
            }
        }
        throw new DamagedSegmentException("there is no whole header");
    }

    /** A power cut can leave a file that is longer than what was written, filled with zeros. */
    private boolean onlyZerosLeft() throws IOException {
        var rest = ByteBuffer.allocate(BUFFER_BYTES);
        for (long at = position; at < limit; at += rest.position()) {
            rest.clear().limit((int) Math.min(BUFFER_BYTES, limit - at));
            if (channel.read(rest, at) <= 0) {
                return true;
            }
            for (int i = 0; i < rest.position(); i++) {
                if (rest.get(i) != 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Makes sure that so many bytes from the position are in the buffer, if the file has them below the limit. */
    private boolean available(int bytes) throws IOException {
        if (limit - position < bytes) {
            return false;
        }
        if (end - start >= bytes) {
            return true;
        }
        System.arraycopy(buffer, start, buffer, 0, end - start);
        end -= start;
        start = 0;
        if (bytes > buffer.length) {
            buffer = Arrays.copyOf(buffer, bytes);
        }
        while (end < bytes) {
            int room = (int) Math.min(buffer.length - end, limit - position - end);
            int read = channel.read(ByteBuffer.wrap(buffer, end, room), position + end);
            if (read <= 0) {
                return false;
            }
            end += read;
        }
        return true;
    }
}
