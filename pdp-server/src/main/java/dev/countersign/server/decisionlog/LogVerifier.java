package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
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
 * An export is also held to its checkpoints, and approval events to the chain that they are sealed into.
 */
public final class LogVerifier {
    private static final Logger LOG = LoggerFactory.getLogger(LogVerifier.class);
    private static final JsonFactory JSON = new JsonFactory();
    /** How long a new file is waited for to get its header. */
    private static final long HEADER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Map<UUID, SegmentCheck> checks = new TreeMap<>();
    private final List<Finding> problems = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final boolean shippedIsFine;
    private final CheckpointRow checkpoints;
    private final SealedCheck events;
    private boolean entries;

    private LogVerifier(boolean shippedIsFine, Trust trust) {
        this.shippedIsFine = shippedIsFine;
        this.checkpoints = new CheckpointRow(trust);
        this.events = new SealedCheck(trust.eventsSince());
    }

    /** Verifies the segments of a directory; a server may be writing to it meanwhile. */
    public static VerifyReport directory(Path directory) throws IOException {
        var verifier = new LogVerifier(true, Trust.NONE);
        for (Path file : Recovery.files(directory)) {
            verifier.segment(file);
        }
        return verifier.report();
    }

    /** Verifies an export as {@link LogExport} writes it, by what it brings itself. */
    public static VerifyReport export(Reader lines) throws IOException {
        return export(lines, Trust.NONE);
    }

    /** Verifies an export as {@link LogExport} writes it: JSON lines, ordered by number within each segment. */
    public static VerifyReport export(Reader lines, Trust trust) throws IOException {
        var verifier = new LogVerifier(false, trust);
        var positions = new HashMap<UUID, Line>();
        var in = new BufferedReader(lines);
        long number = 0;
        for (String text = in.readLine(); text != null; text = in.readLine()) {
            number++;
            try {
                verifier.line(text, positions);
            } catch (JacksonException | IllegalArgumentException | DateTimeException e) {
                verifier.problem("line " + number + " of the export cannot be read, or is out of place");
            }
        }
        verifier.begun();
        positions.forEach((id, line) -> {
            if (line.shippedHash != null) {
                verifier.check(id).endsAsShipped(line.shippedSeq, line.shippedHash);
            }
        });
        verifier.checkpoints
                .ends()
                .keySet()
                .forEach(named -> verifier.check(named).endsAsCheckpointed());
        verifier.problems.addAll(verifier.checkpoints.findings());
        verifier.problems.addAll(verifier.events.findings());
        verifier.notes.addAll(verifier.events.notes());
        verifier.notes.addAll(verifier.checkpoints.notes());
        return verifier.report();
    }

    private void line(String text, Map<UUID, Line> positions) throws IOException {
        if (text.startsWith("{\"jwk\":") || text.startsWith("{\"checkpoint\":")) {
            if (entries) {
                throw new IllegalArgumentException("what it proves came before");
            }
            checkpoints.line(text);
            return;
        }
        begun();
        Line line = Line.parse(text);
        if (line.unsealed != null) {
            events.unsealed(line.unsealed);
            return;
        }
        if (line.shippedHash != null) {
            positions.put(line.segment(), line);
        }
        SegmentCheck check = check(line.segment());
        check.entry(line.seq, line.entry.getBytes(StandardCharsets.UTF_8), line.hash);
        SegmentHeader header = check.header();
        if (header != null && header.server().equals(SealedChain.WRITER) && line.seq > 0 && check.reached(line.seq)) {
            events.sealed(line.seq, line.entry, line.event);
        }
    }

    /** Entries follow, and no checkpoint any more. */
    private void begun() {
        if (!entries) {
            entries = true;
            checkpoints.close();
        }
    }

    private void problem(String text) {
        problems.add(new Finding(Kind.UNREADABLE, 0, text));
    }

    private SegmentCheck check(UUID segment) {
        return checks.computeIfAbsent(
                segment, id -> new SegmentCheck(id, checkpoints.ends().getOrDefault(id, new TreeMap<>())));
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
            problem(name + " is no segment: its name is no id");
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
                checks.values().stream().map(SegmentCheck::report).toList(), List.copyOf(problems), List.copyOf(notes));
    }

    /** One line of an export. */
    private record Line(
            String id,
            long seq,
            String hash,
            String entry,
            long shippedSeq,
            @Nullable String shippedHash,
            @Nullable String event,
            @Nullable String unsealed) {
        UUID segment() {
            return UUID.fromString(id);
        }

        static Line parse(String text) throws IOException {
            String segment = "";
            String hash = "";
            String entry = "";
            long seq = -1;
            long shippedSeq = -1;
            String shippedHash = null;
            String event = null;
            String unsealed = null;
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
                        case "event" -> event = json.getText();
                        case "unsealed" -> unsealed = json.getText();
                        default -> json.skipChildren();
                    }
                }
            }
            return new Line(segment, seq, hash, entry, shippedSeq, shippedHash, event, unsealed);
        }
    }
}
