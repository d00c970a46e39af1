package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an earlier start left behind: its segments, and for each loop the end that the next segment continues.
 *
 * <p>A crash can leave a last frame that is not whole. No answer was given for it, so it is cut off; the bytes are kept
 * beside the segment with the suffix {@code .torn}, if there is room, as a frame whose length was tampered with looks the
 * same. What a file
 * held before its segment is cut off without more ado: it is in the table.
 */
final class Recovery {
    static final String SUFFIX = ".seg";
    /** How much is kept of a torn end that goes over into what the file held before: more than any usual write. */
    private static final long KEPT_BYTES = 4 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    /** The latest segment of a loop and where it ends. */
    record Head(Segment segment, SegmentHeader.ChainEnd end) {}

    private final Path directory;
    private final SegmentFiles files;
    private final LogObserver observer;
    private final Map<UUID, Segment> segments = new HashMap<>();
    private final Map<Integer, Head> heads = new HashMap<>();

    private Recovery(Path directory, SegmentFiles files, LogObserver observer) {
        this.directory = directory;
        this.files = files;
        this.observer = observer;
    }

    static Recovery of(Path directory, SegmentFiles files, LogObserver observer) throws IOException {
        var recovery = new Recovery(directory, files, observer);
        recovery.run();
        return recovery;
    }

    Map<UUID, Segment> segments() {
        return segments;
    }

    @Nullable
    Head head(int loop) {
        return heads.get(loop);
    }

    /** The segment files of a directory, in the order of their names. */
    static List<Path> files(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
        }
    }

    private void run() throws IOException {
        List<SegmentHeader> headers = new ArrayList<>();
        for (Path file : files(directory)) {
            SegmentHeader header = header(file);
            if (header != null) {
                headers.add(header);
            }
        }
        headers.sort(Comparator.comparing(SegmentHeader::started).thenComparing(SegmentHeader::segment));
        Map<UUID, SegmentHeader> successors = new HashMap<>();
        for (SegmentHeader header : headers) {
            if (header.predecessor() != null) {
                successors.put(header.predecessor().segment(), header);
            }
        }
        for (SegmentHeader header : headers) {
            SegmentHeader successor = successors.get(header.segment());
            if (successor == null || successor.predecessor() == null) {
                Head head = recoverHead(header);
                heads.put(header.loop(), head);
                segments.put(header.segment(), head.segment());
            } else {
                Path file = file(header);
                long length = successor.predecessor().length();
                cutLeftovers(file, header, length);
                segments.put(header.segment(), Segment.recovered(file, header, Math.min(Files.size(file), length)));
            }
        }
        successors.forEach((id, successor) -> {
            Segment segment = segments.get(id);
            Segment next = segments.get(successor.segment());
            if (segment != null && next != null) {
                segment.successor(next);
            }
        });
        files.forceNames(directory);
    }

    private @Nullable SegmentHeader header(Path file) throws IOException {
        if (Spares.isBlank(file)) {
            Spares.delete(file);
            return null;
        }
        long size = Files.size(file);
        try (var probe = new SegmentReader(file, 0, 0, Chain.root(), size)) {
            probe.next();
            if (probe.state() == SegmentReader.State.TORN || size == 0) {
                Path aside = file.resolveSibling(file.getFileName() + ".torn");
                Files.move(file, aside);
                LOG.warn("{} has no whole header, so nothing in it was answered; moved to {}", file, aside);
                return null;
            }
        }
        try (var reader = SegmentReader.open(file, size)) {
            var header = SegmentHeader.parse(reader.entry());
            if (!file.equals(file(header))) {
                throw new DamagedSegmentException("it is the segment " + header.segment());
            }
            return header;
        } catch (DamagedSegmentException e) {
            observer.failed(LogObserver.Failure.CORRUPT);
            LOG.error("{} has been changed at its header and is left as it is: {}", file, e.getMessage());
            return null;
        }
    }

    private Head recoverHead(SegmentHeader header) throws IOException {
        Path file = file(header);
        long size = Files.size(file);
        try (var reader = SegmentReader.open(file, size)) {
            while (reader.next()) {}
            long length = reader.position();
            if (reader.state() == SegmentReader.State.TORN) {
                cut(file, length, reader.leftovers() ? KEPT_BYTES : Long.MAX_VALUE);
                size = length;
            } else if (reader.state() == SegmentReader.State.END && length < size) {
                truncate(file, length);
                size = length;
            } else if (reader.state() == SegmentReader.State.CHANGED) {
                observer.failed(LogObserver.Failure.CORRUPT);
                LOG.error("{} has been changed: it is complete up to {} only, see audit verify", file, reader.seq());
            }
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            var end =
                    new SegmentHeader.ChainEnd(header.segment(), HexFormat.of().formatHex(reader.hash()), length);
            return new Head(Segment.recovered(file, header, size), end);
        }
    }

    /** A crash between the end of a segment and the cut of its file leaves the end mark there. */
    private static void cutLeftovers(Path file, SegmentHeader header, long length) throws IOException {
        long size = Files.size(file);
        if (size == header.recycled() && length < size) {
            try (var reader = SegmentReader.open(file, size)) {
                if (reader.endsAt(length)) {
                    truncate(file, length);
                }
            }
        }
    }

    private static void truncate(Path file, long length) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(length);
        }
    }

    private void cut(Path file, long length, long most) throws IOException {
        Path aside = file.resolveSibling(file.getFileName() + "." + length + ".torn");
        String kept = "what followed is in " + aside;
        try {
            keep(file, length, most, aside);
        } catch (IOException e) {
            LOG.warn("what followed byte {} of {} could not be kept", length, file, e);
            Spares.delete(aside);
            kept = "what followed is lost";
        }
        truncate(file, length);
        LOG.warn("{} ended inside an entry that was never answered; cut to {} bytes, {}", file, length, kept);
    }

    private void keep(Path file, long from, long most, Path aside) throws IOException {
        Files.deleteIfExists(aside);
        try (var channel = FileChannel.open(file, StandardOpenOption.READ);
                var torn = files.create(aside)) {
            long tail = Math.min(most, channel.size() - from);
            for (long copied = 0; copied < tail; ) {
                copied += channel.transferTo(from + copied, tail - copied, torn);
            }
            torn.force(true);
        }
    }

    private Path file(SegmentHeader header) {
        return directory.resolve(header.segment() + SUFFIX);
    }
}
