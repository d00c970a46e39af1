package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The first entry of a segment.
 *
 * @param segment the segment's id, a UUIDv7 that is also the name of its file
 * @param server the server that wrote it
 * @param loop the event loop that wrote it, from 0
 * @param started when it was opened
 * @param predecessor the end of the segment that it continues, null at the beginning of a chain
 * @param recycled how long the file was that the segment began in, 0 for a new file. As long as the file has that very
 *     length, the segment ends at an {@linkplain EndMark end mark}, with bytes of its earlier use behind it
 */
record SegmentHeader(
        UUID segment,
        String server,
        int loop,
        Instant started,
        @Nullable ChainEnd predecessor,
        long recycled) {
    private static final JsonFactory JSON = new JsonFactory();

    /**
     * Where a segment ends.
     *
     * @param segment the segment
     * @param hash its last hash, in hexadecimal
     * @param length its length in bytes
     */
    record ChainEnd(UUID segment, String hash, long length) {
        byte[] hashBytes() {
            return HexFormat.of().parseHex(hash);
        }
    }

    /** The hash that the header's own hash is computed from. */
    byte[] previousHash() {
        return predecessor == null ? Chain.root() : predecessor.hashBytes();
    }

    byte[] toJson() {
        var out = new ByteArrayOutputStream(320);
        try (var json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("type", "segment");
            json.writeStringField("segment", segment.toString());
            json.writeStringField("server", server);
            json.writeNumberField("loop", loop);
            json.writeStringField("started", started.toString());
            if (predecessor != null) {
                json.writeObjectFieldStart("predecessor");
                json.writeStringField("segment", predecessor.segment().toString());
                json.writeStringField("hash", predecessor.hash());
                json.writeNumberField("length", predecessor.length());
                json.writeEndObject();
            }
            if (recycled > 0) {
                json.writeNumberField("recycled", recycled);
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Reads a header; throws DamagedSegmentException or JacksonException when the bytes are not one. */
    static SegmentHeader parse(byte[] entry) throws IOException {
        try (JsonParser json = JSON.createParser(entry)) {
            json.nextToken();
            var members = Members.of(json);
            if (!"segment".equals(members.type)) {
                throw new DamagedSegmentException("not a segment header");
            }
            return members.header();
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new DamagedSegmentException("not a segment header: " + e.getMessage(), e);
        }
    }

    /** The members of a header object, in any order; a predecessor has the shape of a header without its own fields. */
    private static final class Members {
        private @Nullable String type;
        private @Nullable String segment;
        private @Nullable String server;
        private @Nullable String started;
        private @Nullable String hash;
        private long length = -1;
        private long recycled;
        private int loop = -1;
        private @Nullable Members predecessor;

        static Members of(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw new DamagedSegmentException("not a segment header");
            }
            var members = new Members();
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                json.nextToken();
                switch (name) {
                    case "type" -> members.type = json.getText();
                    case "segment" -> members.segment = json.getText();
                    case "server" -> members.server = json.getText();
                    case "started" -> members.started = json.getText();
                    case "hash" -> members.hash = json.getText();
                    case "length" -> members.length = json.getLongValue();
                    case "recycled" -> members.recycled = json.getLongValue();
                    case "loop" -> members.loop = json.getIntValue();
                    case "predecessor" -> members.predecessor = of(json);
                    default -> json.skipChildren();
                }
            }
            return members;
        }

        SegmentHeader header() throws IOException {
            if (segment == null || server == null || started == null || loop < 0) {
                throw new DamagedSegmentException("a segment header lacks segment, server, loop or started");
            }
            return new SegmentHeader(
                    UUID.fromString(segment),
                    server,
                    loop,
                    Instant.parse(started),
                    predecessor == null ? null : predecessor.end(),
                    recycled);
        }

        private ChainEnd end() throws IOException {
            if (segment == null || hash == null || hash.length() != 2 * Chain.HASH_BYTES || length < 0) {
                throw new DamagedSegmentException("a segment header's predecessor lacks segment, hash or length");
            }
            var end = new ChainEnd(UUID.fromString(segment), hash, length);
            end.hashBytes();
            return end;
        }
    }
}
