package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;

/** Seeded decision entries of all sizes, with what is awkward in JSON: NUL, emoji, quotes, half surrogates. */
final class Entries {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String[] PIECES = {
        "a", "flight", " ", "\0", "\uD83D\uDE80", "\"", "\\", "\\u0000", "ö", "漢", "\n", "\u2028", "{}", "'"
    };

    /** An entry and the id in it. */
    record Entry(UUID id, byte[] bytes) {}

    private final Random random;
    private final InstantSource clock;
    private final Supplier<UUID> ids;

    Entries(long seed, InstantSource clock) {
        this.random = new Random(seed);
        this.clock = clock;
        this.ids = ids(seed + 1, clock);
    }

    /** UUIDv7 from a seed. */
    static Supplier<UUID> ids(long seed, InstantSource clock) {
        var random = new Random(seed);
        return () -> uuid7(clock.millis(), random);
    }

    private static synchronized UUID uuid7(long millis, Random random) {
        return new UUID(
                millis << 16 | 0x7000 | random.nextInt(1 << 12), random.nextLong() >>> 2 | 0x8000_0000_0000_0000L);
    }

    Entry next() {
        UUID id = ids.get();
        Instant at = Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
        return new Entry(id, entry(id, at, text(40), text(random.nextInt(20) == 0 ? 20_000 : 400)));
    }

    byte[] entry(UUID id, Instant at, String subject, String payload) {
        var out = new ByteArrayOutputStream();
        try (var json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("type", "decision");
            json.writeStringField("id", id.toString());
            json.writeStringField("at", at.truncatedTo(ChronoUnit.MILLIS).toString());
            json.writeStringField("tenant", "tenant-" + random.nextInt(3));
            json.writeStringField("caller", "key-1");
            json.writeStringField("decision", random.nextBoolean() ? "allow" : "deny");
            json.writeStringField("reason", "limit_exceeded");
            json.writeStringField("policy", "airline/refunds");
            json.writeObjectFieldStart("subject");
            json.writeStringField("type", "user");
            json.writeStringField("id", subject);
            json.writeEndObject();
            json.writeStringField("action", "call");
            json.writeObjectFieldStart("resource");
            json.writeStringField("type", "tool");
            json.writeStringField("id", "book_flight");
            json.writeEndObject();
            json.writeStringField("payload", payload);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private String text(int most) {
        var text = new StringBuilder();
        for (int i = random.nextInt(most); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}
