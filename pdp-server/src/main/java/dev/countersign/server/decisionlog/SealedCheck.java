package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.server.decisionlog.VerifyReport.Finding;
import dev.countersign.server.decisionlog.VerifyReport.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The examination of the approval events against the chain that they are sealed into. */
final class SealedCheck {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Instant since;
    private final List<Finding> findings = new ArrayList<>();
    private long last;
    private long sealed;
    private long unsealed;
    private long deleted;
    private long missing;

    SealedCheck(Instant since) {
        this.since = since;
    }

    /** Takes an entry that the chain has proven, and its event if that is there. */
    void sealed(long seq, String entry, @Nullable String event) throws JsonProcessingException {
        JsonNode said = JSON.readTree(entry);
        last = said.path("number").asLong();
        sealed++;
        if (event == null) {
            if (Instant.parse(said.path("time").asText()).isBefore(since)) {
                deleted++;
            } else if (missing++ == 0) {
                findings.add(new Finding(
                        Kind.GAP,
                        seq,
                        "event " + last + " (entry " + seq + ") was sealed and is missing; if events are deleted after"
                                + " a while, give --events-since"));
            }
        } else if (!SealedChain.digest(event).equals(said.path("sha256").asText())) {
            findings.add(new Finding(
                    Kind.CHANGED, seq, "changed: event " + last + " (entry " + seq + ") is not what was sealed"));
        }
    }

    /** Takes an event that no entry is of; those come last. */
    void unsealed(String event) throws JsonProcessingException {
        long number = JSON.readTree(event).path("number").asLong();
        if (number > last) {
            unsealed++;
        } else {
            findings.add(new Finding(
                    Kind.SURPLUS,
                    number,
                    "event " + number + " was never sealed, and later ones were: it was put there afterwards, or its"
                            + " entry is missing"));
        }
    }

    List<Finding> findings() {
        if (missing > 1) {
            findings.add(new Finding(Kind.GAP, 0, missing + " events that were sealed are missing"));
        }
        return findings;
    }

    List<String> notes() {
        var notes = new ArrayList<String>();
        if (sealed > 0 || unsealed > 0) {
            notes.add("approval events: complete up to event " + last + " (" + sealed + " sealed), " + unsealed
                    + " after it not sealed yet");
        }
        if (deleted > 0) {
            notes.add(deleted + " approval events before " + since + " are deleted; their digests are here");
        }
        return notes;
    }
}
