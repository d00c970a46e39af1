package dev.countersign.server.decisionlog;

import dev.countersign.server.events.DecisionEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Rows for {@code decisions}, and one for {@code events} of each decision that did not let its call run. */
final class CopyBatch {
    private static final int MAX_ROWS = 1_000;
    private static final int MAX_BYTES = 1 << 20;
    private static final short COLUMNS = 14;
    /** Each column with its length but for what the texts hold. */
    private static final int FIXED_BYTES = COLUMNS * 4 + 8 + 16 + 16 + 8 + Chain.HASH_BYTES;
    /** The columns are disjoint parts of the entry, and the entry is one itself. */
    private static final int TEXTS = 2;

    private static final short EVENT_COLUMNS = 5;
    private static final int EVENT_FIXED_BYTES = EVENT_COLUMNS * 4 + 8 + 16;

    private final CopyBuffer decisions = new CopyBuffer(
            "copy decisions (tenant, at, id, segment, seq, hash, decision, subject_type, subject_id, action,"
                    + " resource_type, resource_id, caller, entry) from stdin (format binary)",
            MAX_BYTES + (64 << 10));
    private final CopyBuffer events =
            new CopyBuffer("copy events (tenant, time, id, type, body) from stdin (format binary)", 64 << 10);
    private final Set<LocalDate> days = new HashSet<>();
    private @Nullable Instant first;
    private @Nullable Instant last;

    void clear() {
        first = null;
        last = null;
        days.clear();
        decisions.clear();
        events.clear();
    }

    boolean full() {
        return rows() >= MAX_ROWS || decisions.bytes() >= MAX_BYTES;
    }

    /** How many decisions there are. */
    int rows() {
        return decisions.rows();
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

    /** Adds an entry, and its event if it has one; IOException means that neither was added. */
    void add(EntryColumns row, UUID segment, long seq, byte[] hash, byte[] entries, int offset, int length)
            throws IOException {
        DecisionEvent event = row.maybeNegative() ? DecisionEvent.of(entries, offset, length) : null;
        Instant at = row.at();
        ByteBuffer out = decisions.row(COLUMNS, FIXED_BYTES + TEXTS * length);
        row.tenant.putTo(out);
        CopyBuffer.time(out, at);
        CopyBuffer.uuid(out, row.id());
        CopyBuffer.uuid(out, segment);
        out.putInt(8).putLong(seq);
        out.putInt(hash.length).put(hash);
        row.decision.putTo(out);
        row.subjectType.putTo(out);
        row.subjectId.putTo(out);
        row.action.putTo(out);
        row.resourceType.putTo(out);
        row.resourceId.putTo(out);
        row.caller.putTo(out);
        out.putInt(length).put(entries, offset, length);
        if (event != null) {
            add(row, event, length);
        }
        if (first == null) {
            first = at;
        }
        if (!at.equals(last)) {
            last = at;
            days.add(LocalDate.ofInstant(at, ZoneOffset.UTC));
        }
    }

    private void add(EntryColumns row, DecisionEvent event, int length) {
        byte[] type = event.type().getBytes(StandardCharsets.US_ASCII);
        ByteBuffer out = events.row(EVENT_COLUMNS, EVENT_FIXED_BYTES + length + type.length + event.body().length);
        row.tenant.putTo(out);
        CopyBuffer.time(out, row.at());
        CopyBuffer.uuid(out, row.id());
        out.putInt(type.length).put(type);
        out.putInt(event.body().length).put(event.body());
    }

    /** Sends the rows within the connection's transaction; the events last, as other servers wait with theirs from then on. */
    void copyTo(Connection connection) throws SQLException {
        decisions.copyTo(connection);
        events.copyTo(connection);
    }
}
