package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;

/**
 * The chain of the approval events, in the format of a segment: a header, then an entry for each event, each hash over the
 * one before. An entry holds the SHA-256 of its event, not the event. Not safe for several threads.
 */
public final class SealedChain {
    /** What the header says instead of a server. */
    static final String WRITER = "approval events";

    private static final JsonFactory JSON = new JsonFactory();

    private final Chain chain;
    private long seq;

    /**
     * An event as the table holds it.
     *
     * @param number its place among all events
     * @param tenant whose it is
     * @param type the CloudEvents type
     * @param time when it happened
     * @param body the CloudEvent
     */
    public record Event(long number, String tenant, String type, Instant time, String body) {
        /** The text that is hashed: all of it, in one order. */
        String canonical() {
            return json(json -> {
                json.writeNumberField("number", number);
                members(json);
                json.writeFieldName("event");
                json.writeRawValue(body);
            });
        }

        private void members(JsonGenerator json) throws IOException {
            json.writeStringField("tenant", tenant);
            json.writeStringField("type", type);
            json.writeStringField("time", time.toString());
        }
    }

    /**
     * A link of the chain.
     *
     * @param seq its number, 0 for the header
     * @param entry the text that is hashed with the hash before
     * @param hash the hash
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
    public record Link(long seq, String entry, byte[] hash) {}

    private interface Members {
        void write(JsonGenerator json) throws IOException;
    }

    private SealedChain(byte[] hash, long seq) {
        this.chain = new Chain(hash);
        this.seq = seq;
    }

    /** A chain of nothing, of which {@link #header} comes first. */
    public static SealedChain begin() {
        return new SealedChain(Chain.root(), -1);
    }

    /** The chain that ends with this link. */
    public static SealedChain after(long seq, byte[] hash) {
        return new SealedChain(hash, seq);
    }

    /** The header of a chain that begins. */
    public Link header(UUID segment, Instant started) {
        byte[] header = new SegmentHeader(segment, WRITER, 0, started, null, 0).toJson();
        return link(new String(header, StandardCharsets.UTF_8));
    }

    /** The next link. */
    public Link add(Event event) {
        return link(json(json -> {
            json.writeNumberField("number", event.number());
            event.members(json);
            json.writeStringField("sha256", digest(event.canonical()));
        }));
    }

    private Link link(String entry) {
        byte[] bytes = entry.getBytes(StandardCharsets.UTF_8);
        chain.add(bytes, 0, bytes.length);
        seq++;
        return new Link(seq, entry, chain.hash().clone());
    }

    /** The SHA-256 of a text in UTF-8, in hexadecimal. */
    static String digest(String text) {
        return HexFormat.of().formatHex(Chain.sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String json(Members members) {
        var out = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            members.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }
}
