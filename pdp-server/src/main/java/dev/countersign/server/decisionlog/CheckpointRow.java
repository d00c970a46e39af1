package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import java.io.IOException;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The examination of the checkpoints of an export: whether all are there, each names the one before, and who signed them. One
 * whose key is not known any more is as good as the next that is good, since that names its hash.
 */
final class CheckpointRow {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a checkpoint says of one entry. */
    record Named(String hash, long by) {}

    private enum Signature {
        GOOD,
        BAD,
        UNKNOWN
    }

    private record Signed(String jws, String kid, Checkpoint said, Signature signature) {}

    private final Trust trust;
    private final Map<String, ECKey> keys = new HashMap<>();
    private final List<String> lines = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<UUID, NavigableMap<Long, Named>> ends = new HashMap<>();

    CheckpointRow(Trust trust) {
        this.trust = trust;
        if (trust.keys() != null) {
            trust.keys().forEach(key -> keys.put(key.getKeyID(), key));
        }
    }

    /** Takes a line of an export with a key or a checkpoint. */
    void line(String text) throws IOException {
        JsonNode line = JSON.readTree(text);
        if (line.path("jws").isTextual()) {
            lines.add(line.path("jws").textValue());
        } else if (trust.keys() == null) {
            try {
                ECKey key = ECKey.parse(line.path("jwk").toString());
                keys.put(key.getKeyID(), key);
            } catch (ParseException e) {
                throw new IllegalArgumentException("not a key", e);
            }
        }
    }

    /** Judges those that there are; none follows. */
    void close() {
        var row = new ArrayList<Signed>();
        lines.forEach(jws -> read(jws, "a checkpoint of the export", row));
        Collections.reverse(row);
        Signed next = null;
        boolean good = false;
        var backwards = new ArrayList<Finding>();
        for (Signed each : row) {
            boolean named = next != null && Checkpoint.digest(each.jws).equals(next.said.previous());
            good = each.signature == Signature.GOOD || each.signature == Signature.UNKNOWN && good && named;
            if (next != null) {
                link(each.said.number(), next.said.number(), named, backwards);
            }
            judge(each, good, "checkpoint ", backwards);
            next = each;
        }
        if (next != null && next.said.number() != 1) {
            backwards.add(missing(1, next.said.number() - 1));
        }
        Collections.reverse(backwards);
        findings.addAll(backwards);
        if (row.isEmpty()) {
            notes.add("there is no checkpoint: nobody can tell whether entries at the end are missing");
        } else {
            Signed newest = row.get(0);
            notes.add(row.size() + " checkpoints, the newest is " + newest.said.number() + " of "
                    + newest.said.issuedAt() + " by " + newest.said.issuer());
            if (trust.keys() == null) {
                notes.add("the keys are those that the export brings: give --jwks to know who signed");
            }
        }
        kept(row);
    }

    private void kept(List<Signed> row) {
        var here = new HashMap<Long, String>();
        row.forEach(each -> here.put(each.said.number(), each.jws));
        var kept = new ArrayList<Signed>();
        trust.kept().forEach(jws -> read(jws, "a checkpoint that was kept", kept));
        long last = row.isEmpty() ? 0 : row.get(0).said.number();
        int same = 0;
        for (Signed each : kept) {
            long number = each.said.number();
            String other = here.get(number);
            if (each.jws.equals(other)) {
                same++;
                continue;
            }
            judge(each, each.signature == Signature.GOOD, "the kept checkpoint ", findings);
            if (number > last) {
                findings.add(new Finding(
                        Kind.TRUNCATED,
                        last + 1,
                        "truncated: checkpoint " + number + " was kept, and the export ends with " + last));
            } else if (other != null) {
                findings.add(new Finding(
                        Kind.CHANGED, number, "changed: checkpoint " + number + " is not the one that was kept"));
            }
        }
        if (same > 0) {
            notes.add(same + " kept checkpoints are the same here");
        }
    }

    private static void link(long number, long next, boolean named, List<Finding> to) {
        if (next <= number) {
            to.add(new Finding(Kind.DUPLICATE, next, "checkpoint " + next + " occurs twice or out of order"));
        } else if (next > number + 1) {
            to.add(missing(number + 1, next - 1));
        } else if (!named) {
            to.add(new Finding(
                    Kind.CHANGED,
                    number,
                    "changed: checkpoint " + next + " names another checkpoint " + number + " than this one"));
        }
    }

    private static Finding missing(long first, long last) {
        return new Finding(
                Kind.GAP,
                first,
                first == last
                        ? "checkpoint " + first + " is missing"
                        : "checkpoints " + first + " to " + last + " are missing");
    }

    private void judge(Signed each, boolean good, String what, List<Finding> to) {
        long number = each.said.number();
        if (good) {
            each.said.segments().forEach(end -> end(end, number, to));
            if (each.said.approvals() != null) {
                end(each.said.approvals(), number, to);
            }
        } else if (each.signature == Signature.BAD) {
            to.add(new Finding(
                    Kind.FORGED, number, "forged: " + what + number + " was not signed with the key " + each.kid));
        } else {
            to.add(new Finding(
                    Kind.UNKNOWN_KEY,
                    number,
                    "unknown key: " + what + number + " names the key " + each.kid + ", which is none of those given"));
        }
    }

    private void end(Checkpoint.End end, long by, List<Finding> to) {
        Named other = ends.computeIfAbsent(end.segment(), first -> new TreeMap<>())
                .putIfAbsent(end.seq(), new Named(end.hash(), by));
        if (other != null && !other.hash.equals(end.hash())) {
            to.add(new Finding(
                    Kind.CHANGED,
                    by,
                    "changed: checkpoints " + by + " and " + other.by + " name two hashes of entry " + end.seq()
                            + " of the segment " + end.segment()));
        }
    }

    private void read(String jws, String what, List<Signed> to) {
        try {
            JWSObject parsed = JWSObject.parse(jws);
            var header = parsed.getHeader();
            if (!JWSAlgorithm.ES256.equals(header.getAlgorithm())
                    || header.getType() == null
                    || !Checkpoint.TYPE.equals(header.getType().getType())
                    || header.getKeyID() == null) {
                throw new IllegalArgumentException("its header is not that of a checkpoint");
            }
            ECKey key = keys.get(header.getKeyID());
            Checkpoint said = Checkpoint.of(StrictJson.read(parsed.getPayload().toBytes()));
            to.add(new Signed(jws, header.getKeyID(), said, signature(parsed, key)));
        } catch (ParseException | BadCall | JOSEException | IllegalArgumentException e) {
            findings.add(new Finding(Kind.FORGED, 0, "forged: " + what + " is none: " + e.getMessage()));
        }
    }

    private static Signature signature(JWSObject parsed, @Nullable ECKey key) throws JOSEException {
        if (key == null) {
            return Signature.UNKNOWN;
        }
        return parsed.verify(new ECDSAVerifier(key)) ? Signature.GOOD : Signature.BAD;
    }

    List<Finding> findings() {
        return findings;
    }

    List<String> notes() {
        return notes;
    }

    /** What good checkpoints say of entries, by segment and number. */
    Map<UUID, NavigableMap<Long, Named>> ends() {
        return ends;
    }
}
