package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * What stands behind the last frame of a segment whose file held another one before: four zero bytes, which no frame begins
 * with, the length up to which the segment was durable, and a hash over the segment's header, the last frame and that
 * length. Every write ends with one and the next write overwrites it. Not safe for several threads.
 *
 * <p>It tells the end from what the file held before, and, behind a frame that cannot be verified, whether that frame was
 * durable: then it was changed. If not, a crash can have left it so.
 */
final class EndMark {
    static final int BYTES = Integer.BYTES + Long.BYTES + Chain.HASH_BYTES;
    private static final int WINDOW_BYTES = 256 << 10;

    private final byte[] header;
    private final MessageDigest sha256 = Chain.sha256();

    /** The marks of the segment whose header frame has this hash. */
    EndMark(byte[] headerHash) {
        header = headerHash.clone();
    }

    void put(ByteBuffer to, byte[] lastHash, long durable) {
        to.putInt(0).putLong(durable).put(hash(lastHash, durable));
    }

    /** Whether the segment's mark stands at a position of the file. */
    boolean at(FileChannel file, long position) throws IOException {
        var bytes = ByteBuffer.allocate(Chain.HASH_BYTES + BYTES);
        fill(file, bytes, position - Chain.HASH_BYTES);
        return bytes.remaining() == Chain.HASH_BYTES + BYTES && at(bytes.array(), Chain.HASH_BYTES);
    }

    /** Whether a mark that follows a frame with this hash stands at an index of the bytes. */
    boolean at(byte[] bytes, int index, byte[] lastHash) {
        var mark = ByteBuffer.wrap(bytes, index, BYTES);
        return mark.getInt() == 0
                && ByteBuffer.wrap(hash(lastHash, mark.getLong())).equals(mark);
    }

    /** Whether a mark behind a position tells that the segment was durable beyond it. */
    boolean durableBeyond(FileChannel file, long position) throws IOException {
        var window = ByteBuffer.allocate(WINDOW_BYTES);
        long step = WINDOW_BYTES - BYTES - Chain.HASH_BYTES;
        for (long from = position - Chain.HASH_BYTES; ; from += step) {
            fill(file, window.clear(), from);
            int last = window.limit() - BYTES;
            for (int at = Chain.HASH_BYTES; at <= last; at++) {
                if (window.getInt(at) == 0) {
                    long durable = window.getLong(at + Integer.BYTES);
                    if (durable > position && durable <= from + at && at(window.array(), at)) {
                        return true;
                    }
                }
            }
            if (window.limit() < WINDOW_BYTES) {
                return false;
            }
        }
    }

    /** Whether a mark stands at an index of the bytes, which hold the last frame's hash before it. */
    private boolean at(byte[] bytes, int index) {
        return at(bytes, index, Arrays.copyOfRange(bytes, index - Chain.HASH_BYTES, index));
    }

    private byte[] hash(byte[] lastHash, long durable) {
        sha256.update(header);
        sha256.update(lastHash);
        return sha256.digest(ByteBuffer.allocate(Long.BYTES).putLong(durable).array());
    }

    private static void fill(FileChannel file, ByteBuffer bytes, long position) throws IOException {
        while (bytes.hasRemaining() && file.read(bytes, position + bytes.position()) > 0) {}
        bytes.flip();
    }
}
