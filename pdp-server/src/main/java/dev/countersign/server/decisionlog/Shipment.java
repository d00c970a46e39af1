package dev.countersign.server.decisionlog;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of one segment into the table. The position in {@code log_segments}, which is committed together with the rows,
 * is the only truth about how far it has come; after any doubt it is asked for again.
 *
 * <p>What had been written when the reading began is verified: all of an earlier start, and what waited while the database
 * was away. What this process writes afterwards is read from the file soon after its hash was computed, so the hash is not
 * computed a second time; the frame's own goes into the row. How soon is a matter of the batches before it: a tenth of a
 * second when none is under way, and as long as a {@code COPY} takes that is slow and does not fail, which may be the
 * {@link Shipper}'s network timeout of 30 seconds, and again for each further batch. A batch that fails makes the reading
 * begin anew, so that what waited is verified. So does a force that fails: what is read afterwards may not be what was
 * written, and all of it is verified. It is safe because a row proves itself: its hash covers its bytes and the row
 * before, so bytes that were changed in between are found by {@code audit verify}, in an export as in the file. And a
 * segment is only closed, and its file given away, when its last hash is the one the writer had.
 */
final class Shipment implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(Shipment.class);
    private static final String INSERT = """
            insert into log_segments
              (segment, server, loop, header, header_hash, shipped_bytes, shipped_seq, last_hash, closed)
            values (?, ?, ?, ?, ?, ?, 0, ?, false) on conflict (segment) do nothing""";
    private static final String SELECT =
            "select header_hash, shipped_bytes, shipped_seq, last_hash from log_segments where segment = ?";
    private static final String ADVANCE = "update log_segments set shipped_bytes = ?, shipped_seq = ?, last_hash = ?"
            + " where segment = ? and shipped_bytes = ?";
    private static final String CLOSE = "update log_segments set closed = true where segment = ? and shipped_bytes = ?";

    private final Segment segment;
    private @Nullable SegmentReader reader;
    private final EntryColumns columns = new EntryColumns();
    private final byte[] batchHash = new byte[Chain.HASH_BYTES];
    private long batchEnd;
    private long batchSeq;
    private @Nullable DamagedSegmentException unusable;
    private boolean complete;
    private boolean distrusted;

    Shipment(Segment segment) {
        this.segment = segment;
    }

    Segment segment() {
        return segment;
    }

    /** Whether every entry is in the table and no other will come. */
    boolean complete() {
        return complete;
    }

    /** Forgets how far it has come; the table knows. */
    @Override
    public void close() {
        if (reader != null) {
            try {
                reader.close();
            } catch (IOException e) {
                LOG.debug("closing {}", segment.file(), e);
            } finally {
                reader = null;
                unusable = null;
            }
        }
    }

    /**
     * Reads the next entries into the batch.
     *
     * @return false when there is nothing to ship at the moment
     */
    boolean read(Connection connection, CopyBatch batch) throws IOException, SQLException {
        long limit = segment.shippable();
        if (limit == 0) {
            return false;
        }
        if (segment.bad() && !distrusted) {
            close();
            distrusted = true;
        }
        if (reader == null) {
            reader = locate(connection, limit);
        }
        reader.raiseLimit(limit);
        batch.clear();
        while (!batch.full() && unusable == null && reader.next()) {
            add(reader, batch);
        }
        segment.oldestWaiting(batch.first());
        return batch.rows() > 0;
    }

    private void add(SegmentReader from, CopyBatch batch) {
        byte[] entries = from.buffer();
        int offset = from.entryOffset();
        int length = from.entryLength();
        try {
            columns.read(entries, offset, length);
            batch.add(columns, segment.id(), from.seq(), from.hash(), entries, offset, length);
            batchEnd = from.position();
            batchSeq = from.seq();
            System.arraycopy(from.hash(), 0, batchHash, 0, Chain.HASH_BYTES);
        } catch (IOException e) {
            unusable = new DamagedSegmentException(
                    "entry " + from.seq() + " of " + segment.file() + " cannot be a row: " + e.getMessage(), e);
        }
    }

    /** Commits the batch together with the position behind it. */
    void commit(Connection connection, CopyBatch batch) throws SQLException {
        try (var advance = connection.prepareStatement(ADVANCE)) {
            advance.setLong(1, batchEnd);
            advance.setLong(2, batchSeq);
            advance.setBytes(3, batchHash);
            advance.setObject(4, segment.id());
            advance.setLong(5, segment.shipped());
            if (advance.executeUpdate() != 1) {
                throw new SQLException("another shipper has moved the segment " + segment.id());
            }
        }
        batch.copyTo(connection);
        connection.commit();
        segment.shipped(batchEnd);
        segment.oldestWaiting(null);
    }

    /** Looks whether the end is reached, and whether it is the end that the successor names. */
    void check(Connection connection) throws IOException, SQLException {
        SegmentReader at = reader;
        if (at == null) {
            return;
        }
        if (unusable != null) {
            throw unusable;
        }
        switch (at.state()) {
            case CHANGED ->
                throw new DamagedSegmentException(segment.file() + " has been changed at entry " + (at.seq() + 1)
                        + "; it is complete up to " + at.seq());
            case TORN ->
                throw new DamagedSegmentException(segment.file() + " is truncated; it is complete up to " + at.seq());
            default -> finish(connection, at);
        }
    }

    private void finish(Connection connection, SegmentReader at) throws IOException, SQLException {
        Segment successor = segment.successor();
        if (successor == null || successor.durable() == 0 || !segment.sealed() || at.position() < segment.written()) {
            return;
        }
        SegmentHeader.ChainEnd named = successor.header().predecessor();
        if (named == null || named.length() != at.position() || !Arrays.equals(named.hashBytes(), at.hash())) {
            throw new DamagedSegmentException(segment.file() + " is complete up to " + at.seq() + ", but its successor "
                    + successor.id() + " names another end: it was truncated or changed");
        }
        try (var close = connection.prepareStatement(CLOSE)) {
            close.setObject(1, segment.id());
            close.setLong(2, at.position());
            close.executeUpdate();
        }
        connection.commit();
        close();
        complete = true;
    }

    /** Gives the file away, or deletes it if the disk failed it; unless it holds more than what was shipped. */
    void release(Spares spares) throws IOException {
        if (Files.size(segment.file()) != segment.shipped()) {
            LOG.warn(
                    "{} is in the table up to where its successor says that it ends; it holds more and is kept",
                    segment.file());
        } else if (segment.bad()) {
            Files.delete(segment.file());
        } else {
            spares.offer(segment.file());
        }
    }

    private SegmentReader locate(Connection connection, long limit) throws IOException, SQLException {
        long written = segment.written();
        byte[] header;
        byte[] headerHash;
        long headerEnd;
        try (var first = SegmentReader.open(segment.file(), limit)) {
            header = first.entry();
            headerHash = first.hash().clone();
            headerEnd = first.position();
        }
        try (var insert = connection.prepareStatement(INSERT);
                var select = connection.prepareStatement(SELECT)) {
            insert.setObject(1, segment.id());
            insert.setString(2, segment.header().server());
            insert.setInt(3, segment.header().loop());
            insert.setString(4, new String(header, StandardCharsets.UTF_8));
            insert.setBytes(5, headerHash);
            insert.setLong(6, headerEnd);
            insert.setBytes(7, headerHash);
            insert.executeUpdate();
            select.setObject(1, segment.id());
            try (var row = select.executeQuery()) {
                row.next();
                byte[] knownHeader = row.getBytes(1);
                long shipped = row.getLong(2);
                long seq = row.getLong(3);
                byte[] last = row.getBytes(4);
                connection.commit();
                if (!Arrays.equals(knownHeader, headerHash)) {
                    throw new DamagedSegmentException(segment.file() + " is not the segment that the table knows");
                }
                if (shipped > limit) {
                    throw new DamagedSegmentException(
                            segment.file() + " is truncated: the table holds its entries up to " + seq
                                    + ", the file ends at " + limit + " of " + shipped + " bytes");
                }
                if (!Arrays.equals(last, hashBefore(shipped))) {
                    throw new DamagedSegmentException(
                            segment.file() + " has been changed at or before entry " + seq + ", which was shipped");
                }
                segment.shipped(shipped);
                var next = new SegmentReader(segment.file(), shipped, seq + 1, last, limit);
                if (!distrusted) {
                    next.trustFrom(written);
                }
                return next;
            }
        }
    }

    private byte[] hashBefore(long position) throws IOException {
        var hash = ByteBuffer.allocate(Chain.HASH_BYTES);
        try (var channel = FileChannel.open(segment.file(), StandardOpenOption.READ)) {
            while (hash.hasRemaining() && channel.read(hash, position - hash.remaining()) > 0) {}
        }
        return hash.array();
    }
}
