/**
 * The decision log: hash-chained segment files that an answer waits for, and the shipper that copies them into the table
 * {@code decisions}. It handles entries as bytes and knows nothing of rules or HTTP.
 *
 * <p>A segment is an append-only file of frames. A frame is the length of the entry (four bytes, big-endian), the entry
 * (UTF-8 JSON, kept byte for byte) and SHA-256 of the previous frame's hash followed by the entry. Frame 0 is the
 * {@linkplain dev.countersign.server.decisionlog.SegmentHeader header}; it names the segment that it continues and
 * starts from that segment's last hash, so that the segments of one loop are one chain.
 *
 * <p>The file of a shipped segment is used again for a new one ({@link dev.countersign.server.decisionlog.Spares}). Until the
 * new segment is finished and its file cut to its length, it ends at an {@link dev.countersign.server.decisionlog.EndMark}.
 */
@NullMarked
package dev.countersign.server.decisionlog;

import org.jspecify.annotations.NullMarked;
