package dev.countersign.server.decisionlog;

import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a verification found.
 *
 * @param segments the segments in the order of their ids
 * @param problems what is wrong and concerns no single segment: checkpoints, events, lines that cannot be read
 * @param notes what is worth knowing besides
 */
public record VerifyReport(List<SegmentReport> segments, List<Finding> problems, List<String> notes) {
    /** Kinds of findings. */
    public enum Kind {
        /** An entry or a hash is not what was written. */
        CHANGED(false),
        /** The end is missing: a successor or the table's own position names more. */
        TRUNCATED(false),
        /** Entries between two others, or before the first, are missing. */
        GAP(false),
        /** The same number occurs twice. */
        DUPLICATE(false),
        /** The segment that this one continues is missing. */
        MISSING_PREDECESSOR(false),
        /** Two segments continue the same one. */
        FORK(false),
        /** There is more than the successor or the chain says. */
        SURPLUS(false),
        /** A checkpoint is none, or its signature is not by the key that it names. */
        FORGED(false),
        /** A checkpoint names a key that is not known. */
        UNKNOWN_KEY(false),
        /** A line cannot be read, or stands in a wrong place. */
        UNREADABLE(false),
        /** The last frame is not whole, as a crash leaves it; it was never answered. */
        TORN(true),
        /** The segment that this one continues is not in this directory, as it is deleted once it is in the table. */
        SHIPPED_PREDECESSOR(true);

        private final boolean harmless;

        Kind(boolean harmless) {
            this.harmless = harmless;
        }

        /** Whether the log is sound all the same. */
        public boolean harmless() {
            return harmless;
        }
    }

    /**
     * One finding.
     *
     * @param kind its kind
     * @param seq the number of the entry that it concerns
     * @param text a sentence for the person who verifies
     */
    public record Finding(Kind kind, long seq, String text) {}

    /**
     * What was found in one segment.
     *
     * @param segment the segment
     * @param completeUpTo the number of the last entry that is proven, counted from 1; 0 for the header alone, -1 for nothing
     * @param checkpointed the number of the last of these that a checkpoint names, -1 for none
     * @param findings everything that is wrong or noteworthy
     */
    public record SegmentReport(UUID segment, long completeUpTo, long checkpointed, List<Finding> findings) {
        /** Whether nothing is wrong. */
        public boolean ok() {
            return findings.stream().allMatch(f -> f.kind().harmless());
        }

        Stream<String> lines() {
            return Stream.concat(
                    Stream.of("segment " + segment
                            + (completeUpTo < 0 ? ": nothing is proven" : ": complete up to " + completeUpTo)
                            + (checkpointed < 0 ? "" : ", under a checkpoint up to " + checkpointed)),
                    findings.stream().map(f -> (f.kind().harmless() ? "  note: " : "  NOT OK: ") + f.text()));
        }
    }

    /** Whether everything is what was written. */
    public boolean ok() {
        return problems.isEmpty() && segments.stream().allMatch(SegmentReport::ok);
    }

    /** The kinds of everything that is wrong, in words such as {@code changed, truncated}; {@code complete} if nothing is. */
    public String verdict() {
        String kinds = Stream.concat(segments.stream().flatMap(s -> s.findings().stream()), problems.stream())
                .map(Finding::kind)
                .filter(kind -> !kind.harmless())
                .distinct()
                .sorted()
                .map(kind -> kind.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .collect(Collectors.joining(", "));
        return kinds.isEmpty() ? "complete" : kinds;
    }

    /** The report for people, one line each, the result last. */
    public List<String> lines() {
        long entries =
                segments.stream().mapToLong(s -> Math.max(0, s.completeUpTo())).sum();
        String result = (ok() ? "OK: " : "NOT OK: " + verdict() + ": ") + entries + " entries in " + segments.size()
                + " segments are proven";
        return Stream.of(
                        segments.stream().flatMap(SegmentReport::lines),
                        notes.stream().map(n -> "note: " + n),
                        problems.stream().map(p -> "NOT OK: " + p.text()),
                        Stream.of(result))
                .flatMap(s -> s)
                .toList();
    }
}
