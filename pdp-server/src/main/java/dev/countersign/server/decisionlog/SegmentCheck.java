package dev.countersign.server.decisionlog;

import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import dev.countersign.server.decisionlog.VerifyReport.SegmentReport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The examination of one segment: what its entries prove, and whether that is the end that others name. */
final class SegmentCheck {
    private final UUID id;
    private final List<Finding> findings = new ArrayList<>();
    private @Nullable SegmentHeader header;
    private @Nullable Chain chain;
    private long seq = -1;
    private long length;
    private boolean broken;
    private final NavigableMap<Long, CheckpointRow.Named> named;
    private long checkpointed = -1;

    SegmentCheck(UUID id) {
        this(id, new TreeMap<>());
    }

    /** The same, of a segment of which checkpoints name entries. */
    SegmentCheck(UUID id, NavigableMap<Long, CheckpointRow.Named> named) {
        this.id = id;
        this.named = named;
    }

    UUID id() {
        return id;
    }

    @Nullable
    SegmentHeader header() {
        return header;
    }

    /** Takes the next entry of an export. */
    void entry(long number, byte[] entry, String hash) {
        if (broken) {
            return;
        }
        if (number <= seq) {
            broken(Kind.DUPLICATE, number, "entry " + number + " occurs twice");
        } else if (number > seq + 1) {
            broken(
                    Kind.GAP,
                    seq + 1,
                    seq < 0
                            ? "the header is missing"
                            : "gap: entry " + (seq + 1) + (number > seq + 2 ? " to " + (number - 1) + " are" : " is")
                                    + " missing");
        } else if (!follows(number, entry, hash)) {
            broken(Kind.CHANGED, number, "changed at " + number);
        } else if (!asNamed(number)) {
            broken(
                    Kind.CHANGED,
                    number,
                    "changed at " + number + " or before: checkpoint "
                            + Objects.requireNonNull(named.get(number)).by() + " names another hash");
        } else {
            seq = number;
            length += entry.length + Chain.FRAME_OVERHEAD;
        }
    }

    private boolean asNamed(long number) {
        CheckpointRow.Named as = named.get(number);
        if (as == null) {
            return true;
        }
        boolean same = as.hash().equals(hash());
        if (same) {
            checkpointed = number;
        }
        return same;
    }

    /** Compares the end with the last entry that a checkpoint names. */
    void endsAsCheckpointed() {
        if (!broken && !named.isEmpty() && named.lastKey() > seq) {
            var last = named.lastEntry();
            broken(
                    Kind.TRUNCATED,
                    seq + 1,
                    "truncated: checkpoint " + last.getValue().by() + " names entry " + last.getKey()
                            + (seq < 0 ? ", and nothing is here" : ", and " + seq + " is the last here"));
        }
    }

    /** Whether this entry is the last of those that are proven. */
    boolean reached(long number) {
        return !broken && seq == number;
    }

    /** Takes what a reader found in a file. */
    void file(SegmentHeader found, SegmentReader reader, long size) {
        header = found;
        chain = new Chain(reader.hash());
        seq = reader.seq();
        length = reader.position();
        switch (reader.state()) {
            case CHANGED -> broken(Kind.CHANGED, seq + 1, "changed at " + (seq + 1));
            case TORN ->
                findings.add(new Finding(
                        Kind.TORN,
                        seq + 1,
                        (reader.leftovers()
                                        ? "what follows is no whole entry, or left from an earlier use of the file"
                                        : "the last " + (size - length) + " bytes are no whole entry")
                                + ": never answered"));
            default -> {}
        }
    }

    void broken(Kind kind, long at, String text) {
        broken = true;
        findings.add(new Finding(kind, at, text));
    }

    /** Compares the end with the one that the successor names. */
    void endsAsNamed(SegmentHeader.ChainEnd named, UUID by) {
        if (broken) {
            return;
        }
        if (length < named.length()) {
            broken(
                    Kind.TRUNCATED,
                    seq + 1,
                    "truncated: its successor " + by + " names " + (named.length() - length) + " bytes more");
        } else if (length > named.length()) {
            broken(
                    Kind.SURPLUS,
                    seq,
                    "there are " + (length - named.length()) + " bytes more than its successor " + by + " names");
        } else if (!named.hash().equals(hash())) {
            broken(Kind.CHANGED, seq, "changed: its successor " + by + " names another last hash");
        }
    }

    /** Compares the end with the position that the table keeps. */
    void endsAsShipped(long shippedSeq, String lastHash) {
        if (broken) {
            return;
        }
        if (seq < shippedSeq) {
            broken(
                    Kind.TRUNCATED,
                    seq + 1,
                    "truncated: " + (shippedSeq - seq) + " shipped entries are missing at the end");
        } else if (seq > shippedSeq) {
            broken(Kind.SURPLUS, shippedSeq + 1, "there are " + (seq - shippedSeq) + " entries more than were shipped");
        } else if (!lastHash.equals(hash())) {
            broken(Kind.CHANGED, seq, "changed: the shipped position names another last hash");
        }
    }

    void continuesMissing(UUID predecessor, boolean shippedIsFine) {
        findings.add(
                shippedIsFine
                        ? new Finding(
                                Kind.SHIPPED_PREDECESSOR,
                                0,
                                "it continues " + predecessor
                                        + ", which is not here; it is deleted once it is in the table")
                        : new Finding(
                                Kind.MISSING_PREDECESSOR, 0, "it continues " + predecessor + ", which is missing"));
    }

    void forks(UUID other, UUID predecessor) {
        findings.add(new Finding(Kind.FORK, 0, "it and " + other + " both continue " + predecessor));
    }

    SegmentReport report() {
        return new SegmentReport(id, seq, checkpointed, List.copyOf(findings));
    }

    private boolean follows(long number, byte[] entry, String hash) {
        Chain running = chain;
        if (number == 0) {
            try {
                header = SegmentHeader.parse(entry);
            } catch (IOException e) {
                return false;
            }
            if (!header.segment().equals(id)) {
                return false;
            }
            running = new Chain(header.previousHash());
            chain = running;
        }
        if (running == null) {
            return false;
        }
        byte[] before = running.hash().clone();
        running.add(entry, 0, entry.length);
        boolean same = hash().equals(hash);
        if (!same) {
            running.reset(before);
        }
        return same;
    }

    private String hash() {
        return chain == null ? "" : HexFormat.of().formatHex(chain.hash());
    }
}
