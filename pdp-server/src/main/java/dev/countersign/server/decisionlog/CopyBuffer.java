package dev.countersign.server.decisionlog;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** Rows in the format of PostgreSQL's binary COPY, in one reused buffer. */
final class CopyBuffer {
    private static final byte[] SIGNATURE = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0};
    private static final long POSTGRES_EPOCH_SECONDS = 946_684_800;

    private final String copy;
    private ByteBuffer buffer;
    private int rows;

    /**
     * No rows.
     *
     * @param copy the {@code COPY} statement that takes them
     * @param bytes how large the buffer is until it has to grow
     */
    CopyBuffer(String copy, int bytes) {
        this.copy = copy;
        this.buffer = ByteBuffer.allocate(bytes);
        clear();
    }

    void clear() {
        rows = 0;
        buffer.clear().put(SIGNATURE).putInt(0).putInt(0);
    }

    int rows() {
        return rows;
    }

    int bytes() {
        return buffer.position();
    }

    /** Begins a row; the answer has room for {@code most} bytes after the number of columns. */
    ByteBuffer row(short columns, int most) {
        rows++;
        return room(2 + most).putShort(columns);
    }

    /** Puts a time with its length: 12 bytes. */
    static void time(ByteBuffer out, Instant at) {
        out.putInt(8).putLong((at.getEpochSecond() - POSTGRES_EPOCH_SECONDS) * 1_000_000 + at.getNano() / 1_000);
    }

    /** Puts a UUID with its length: 20 bytes. */
    static void uuid(ByteBuffer out, UUID id) {
        out.putInt(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    }

    /** Sends the rows, if there are any, within the connection's transaction. */
    void copyTo(Connection connection) throws SQLException {
        if (rows == 0) {
            return;
        }
        room(2).putShort((short) -1);
        CopyIn in = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(copy);
        in.writeToCopy(buffer.array(), 0, buffer.position());
        if (in.endCopy() != rows) {
            throw new SQLException("COPY took fewer rows than were sent");
        }
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int size = buffer.position();
            buffer = ByteBuffer.wrap(Arrays.copyOf(buffer.array(), Math.max(2 * buffer.capacity(), size + bytes)));
            buffer.position(size);
        }
        return buffer;
    }
}
