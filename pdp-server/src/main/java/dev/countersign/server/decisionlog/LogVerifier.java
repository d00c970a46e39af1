package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verifier of the decision log, for a directory of segments and for an export. It needs neither the server nor the
 * database. Per segment it tells up to which entry the log is proven complete, and tells apart what was changed, what was
 * cut off and what is missing. What was cut off at the very end of the last segment of a loop is only seen in an export.
 */
public final class LogVerifier {
    private static final Logger LOG = LoggerFactory.getLogger(LogVerifier.class);
    private static final JsonFactory JSON = new JsonFactory();
    /** How long a new file is waited for to get its header. */
    private static final long HEADER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Map<UUID, SegmentCheck> checks = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private final boolean shippedIsFine;

    private LogVerifier(boolean shippedIsFine) {
        this.shippedIsFine = shippedIsFine;
    }

    /** Verifies the segments of a directory; a server may be writing to it meanwhile. */
    public static VerifyReport directory(Path directory) throws IOException {
        var verifier = new LogVerifier(true);
        for (Path file : Recovery.files(directory)) {
            verifier.segment(file);
        }
        return verifier.report();
    }

    /** Verifies an export as {@link LogExport} writes it: JSON lines, ordered by number within each segment. */
    public static VerifyReport export(Reader lines) throws IOException {
        var verifier = new LogVerifier(false);
        var positions = new HashMap<UUID, Line>();
        var in = new BufferedReader(lines);
        long number = 0;
        for (String text = in.readLine(); text != null; text = in.readLine()) {
            number++;
            try {
                Line line = Line.parse(text);
                if (line.shippedHash != null) {
                    positions.put(line.segment, line);
                }
                verifier.check(line.segment).entry(line.seq, line.entry.getBytes(StandardCharsets.UTF_8), line.hash);
            } catch (JacksonException | IllegalArgumentException e) {
                verifier.problems.add("line " + number + " of the export cannot be read");
            }
        }
        positions.forEach((id, line) -> {
            if (line.shippedHash != null) {
                verifier.check(id).endsAsShipped(line.shippedSeq, line.shippedHash);
            }
        });
        return verifier.report();
    }

    private SegmentCheck check(UUID segment) {
        return checks.computeIfAbsent(segment, SegmentCheck::new);
    }

    /**
     * Verifies a file. A server may be writing to it: then what seems wrong is not when looked at again, and a file may have
     * to be looked at twice again that had no header yet at first. It may also take the file away and use it for another
     * segment; what was read of it then says nothing, and neither does a spare that has just got the name of a segment.
     */
    private void segment(Path file) throws IOException {
        String name = file.getFileName().toString();
        UUID id;
        try {
            id = UUID.fromString(name.substring(0, name.length() - Recovery.SUFFIX.length()));
        } catch (IllegalArgumentException e) {
            problems.add(name + " is no segment: its name is no id");
            return;
        }
        try {
            SegmentCheck check = file(id, file);
            for (int again = 0; again < 2 && !check.report().findings().isEmpty(); again++) {
                if (Files.size(file) == 0) {
                    LockSupport.parkNanos(HEADER_NANOS);
                }
                if (Spares.isBlank(file)) {
                    return;
                }
                check = file(id, file);
            }
            if (Files.exists(file)) {
                checks.put(id, check);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} was taken away meanwhile, as it is in the table", file);
        }
    }

    private static SegmentCheck file(UUID id, Path file) throws IOException {
        var check = new SegmentCheck(id);
        long size = Files.size(file);
        try (var reader = SegmentReader.open(file, size)) {
            var header = SegmentHeader.parse(reader.entry());
            if (!header.segment().equals(id)) {
                check.broken(VerifyReport.Kind.CHANGED, 0, "changed at 0: the file is the segment " + header.segment());
                return check;
            }
            while (reader.next()) {}
            check.file(header, reader, size);
        } catch (DamagedSegmentException e) {
            check.broken(VerifyReport.Kind.CHANGED, 0, "changed at 0: " + e.getMessage());
        }
        return check;
    }

    private VerifyReport report() {
        Map<UUID, UUID> continuedBy = new HashMap<>();
        for (SegmentCheck check : checks.values()) {
            SegmentHeader header = check.header();
            SegmentHeader.ChainEnd end = header == null ? null : header.predecessor();
            if (end == null) {
                continue;
            }
            UUID other = continuedBy.putIfAbsent(end.segment(), check.id());
            if (other != null) {
                check.forks(other, end.segment());
            }
            SegmentCheck predecessor = checks.get(end.segment());
            if (predecessor == null) {
                check.continuesMissing(end.segment(), shippedIsFine);
            } else {
                predecessor.endsAsNamed(end, check.id());
            }
        }
        return new VerifyReport(
                checks.values().stream().map(SegmentCheck::report).toList(), List.copyOf(problems));
    }

    /** One line of an export. */
    private record Line(
            UUID segment,
            long seq,
            String hash,
            String entry,
            long shippedSeq,
            @Nullable String shippedHash) {
        static Line parse(String text) throws IOException {
            String segment = "";
            String hash = "";
            String entry = "";
            long seq = -1;
            long shippedSeq = -1;
            String shippedHash = null;
            try (JsonParser json = JSON.createParser(text)) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    throw new IllegalArgumentException("not an object");
                }
                for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                    json.nextToken();
                    switch (name) {
                        case "segment" -> segment = json.getText();
                        case "seq" -> seq = json.getLongValue();
                        case "hash" -> hash = json.getText();
                        case "entry" -> entry = json.getText();
                        case "shipped_seq" -> shippedSeq = json.getLongValue();
                        case "shipped_hash" -> shippedHash = json.getText();
                        default -> json.skipChildren();
                    }
                }
            }
            return new Line(UUID.fromString(segment), seq, hash, entry, shippedSeq, shippedHash);
        }
    }
}
