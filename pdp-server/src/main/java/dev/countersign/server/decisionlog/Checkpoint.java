package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What was there at one time: the ends of all segments that have grown since the checkpoint before, and the hash of that
 * one. So the newest one stands for all before it. It is signed as a JWS of the type {@value #TYPE}.
 *
 * @param number its place in the row, from 1 without gaps
 * @param issuer who says so
 * @param issuedAt when, to the second
 * @param previous the SHA-256 of the one before as it is serialized, in hexadecimal; {@code null} for the first
 * @param segments the ends of segments of the decision log
 * @param approvals the end of the chain of approval events, {@code null} before the first of them
 */
public record Checkpoint(
        long number,
        String issuer,
        Instant issuedAt,
        @Nullable String previous,
        List<End> segments,
        @Nullable End approvals) {
    /** The {@code typ} of its header. */
    public static final String TYPE = "checkpoint+jwt";

    /**
     * How far a segment goes.
     *
     * @param segment the segment
     * @param seq the number of its last entry
     * @param hash the hash at that entry, in hexadecimal
     */
    public record End(UUID segment, long seq, String hash) {
        ObjectNode json() {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("segment", segment.toString())
                    .put("seq", seq)
                    .put("hash", hash);
        }

        static End of(JsonNode json) {
            if (!json.path("seq").isIntegralNumber() || !json.path("hash").isTextual()) {
                throw new IllegalArgumentException("an end lacks seq or hash");
            }
            return new End(
                    UUID.fromString(json.path("segment").asText()),
                    json.path("seq").longValue(),
                    json.path("hash").textValue());
        }
    }

    /** What is signed. */
    public ObjectNode claims() {
        ObjectNode claims = JsonNodeFactory.instance
                .objectNode()
                .put("iss", issuer)
                .put("iat", issuedAt.getEpochSecond())
                .put("number", number);
        if (previous != null) {
            claims.put("previous", previous);
        }
        ArrayNode ends = claims.putArray("segments");
        segments.forEach(end -> ends.add(end.json()));
        if (approvals != null) {
            claims.set("approvals", approvals.json());
        }
        return claims;
    }

    /** Reads claims; throws IllegalArgumentException when they are none. */
    static Checkpoint of(JsonNode claims) {
        if (!claims.path("number").isIntegralNumber() || !claims.path("iat").isIntegralNumber()) {
            throw new IllegalArgumentException("a checkpoint lacks number or iat");
        }
        var ends = new ArrayList<End>();
        claims.path("segments").forEach(end -> ends.add(End.of(end)));
        return new Checkpoint(
                claims.path("number").longValue(),
                claims.path("iss").asText(),
                Instant.ofEpochSecond(claims.path("iat").longValue()),
                claims.path("previous").textValue(),
                List.copyOf(ends),
                claims.has("approvals") ? End.of(claims.path("approvals")) : null);
    }

    /** The SHA-256 by which the next checkpoint names this serialized one. */
    public static String digest(String jws) {
        return SealedChain.digest(jws);
    }
}
