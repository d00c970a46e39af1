package dev.countersign.server.decisionlog;

import java.nio.ByteBuffer;
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
    /** The number of columns, and each with its length but for what the texts hold. */
    private static final int FIXED_BYTES = 2 + COLUMNS * 4 + 8 + 16 + 16 + 8 + Chain.HASH_BYTES;
    /** The columns are disjoint parts of the entry, and the entry is one itself. */
    private static final int TEXTS = 2;

    private static final byte[] SIGNATURE = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0};
    private static final long POSTGRES_EPOCH_SECONDS = 946_684_800;
    private static final String COPY =
            "copy decisions (tenant, at, id, segment, seq, hash, decision, subject_type, subject_id, action,"
                    + " resource_type, resource_id, caller, entry) from stdin (format binary)";

    private final Set<LocalDate> days = new HashSet<>();
    private ByteBuffer buffer = ByteBuffer.allocate(MAX_BYTES + (64 << 10));
    private int rows;
    private @Nullable Instant first;
    private @Nullable Instant last;

    CopyBatch() {
        clear();
    }

    void clear() {
        rows = 0;
        first = null;
        last = null;
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
        Instant at = row.at();
        room(FIXED_BYTES + TEXTS * length).putShort(COLUMNS);
        row.tenant.putTo(buffer);
        buffer.putInt(8).putLong((at.getEpochSecond() - POSTGRES_EPOCH_SECONDS) * 1_000_000 + at.getNano() / 1_000);
        uuid(row.id());
        uuid(segment);
        buffer.putInt(8).putLong(seq);
        buffer.putInt(hash.length).put(hash);
        row.decision.putTo(buffer);
        row.subjectType.putTo(buffer);
        row.subjectId.putTo(buffer);
        row.action.putTo(buffer);
        row.resourceType.putTo(buffer);
        row.resourceId.putTo(buffer);
        row.caller.putTo(buffer);
        buffer.putInt(length).put(entries, offset, length);
        if (rows++ == 0) {
            first = at;
        }
        if (!at.equals(last)) {
            last = at;
            days.add(LocalDate.ofInstant(at, ZoneOffset.UTC));
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
        buffer.putInt(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
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
