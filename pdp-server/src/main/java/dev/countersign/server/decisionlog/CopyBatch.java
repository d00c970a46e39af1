package dev.countersign.server.decisionlog;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** Rows for {@code decisions} in the format of PostgreSQL's binary COPY, in one reused buffer. */
final class CopyBatch {
    private static final int MAX_ROWS = 1_000;
    private static final int MAX_BYTES = 1 << 20;
    private static final short COLUMNS = 14;
    private static final byte[] SIGNATURE = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0};
    private static final long POSTGRES_EPOCH_SECONDS = 946_684_800;
    private static final String COPY =
            "copy decisions (tenant, at, id, segment, seq, hash, decision, subject_type, subject_id, action,"
                    + " resource_type, resource_id, caller, entry) from stdin (format binary)";

    private final Set<LocalDate> days = new HashSet<>();
    private ByteBuffer buffer = ByteBuffer.allocate(MAX_BYTES + (64 << 10));
    private int rows;
    private @Nullable Instant first;

    CopyBatch() {
        clear();
    }

    void clear() {
        rows = 0;
        first = null;
        days.clear();
        buffer.clear().put(SIGNATURE).putInt(0).putInt(0);
    }

    boolean full() {
        return rows >= MAX_ROWS || buffer.position() >= MAX_BYTES;
    }

    int rows() {
        return rows;
    }

    /** When the first entry was decided. */
    @Nullable
    Instant first() {
        return first;
    }

    /** The days, in UTC, that need a partition. */
    Set<LocalDate> days() {
        return days;
    }

    void add(EntryColumns row, UUID segment, long seq, byte[] hash, byte[] entries, int offset, int length) {
        room(2).putShort(COLUMNS);
        text(row.tenant());
        Instant at = row.at();
        room(12).putInt(8);
        buffer.putLong((at.getEpochSecond() - POSTGRES_EPOCH_SECONDS) * 1_000_000 + at.getNano() / 1_000);
        uuid(row.id());
        uuid(segment);
        room(12).putInt(8).putLong(seq);
        bytes(hash, 0, hash.length);
        text(row.decision());
        text(row.subjectType());
        text(row.subjectId());
        text(row.action());
        text(row.resourceType());
        text(row.resourceId());
        text(row.caller());
        bytes(entries, offset, length);
        days.add(LocalDate.ofInstant(at, ZoneOffset.UTC));
        if (rows++ == 0) {
            first = at;
        }
    }

    /** Sends the rows within the connection's transaction. */
    void copyTo(Connection connection) throws SQLException {
        room(2).putShort((short) -1);
        CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY);
        copy.writeToCopy(buffer.array(), 0, buffer.position());
        if (copy.endCopy() != rows) {
            throw new SQLException("COPY took fewer rows than were sent");
        }
    }

    private void uuid(UUID id) {
        room(20).putInt(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    }

    private void text(@Nullable String value) {
        if (value == null) {
            room(4).putInt(-1);
        } else {
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            bytes(utf8, 0, utf8.length);
        }
    }

    private void bytes(byte[] value, int offset, int length) {
        room(4 + length).putInt(length).put(value, offset, length);
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
