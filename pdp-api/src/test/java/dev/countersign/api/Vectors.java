package dev.countersign.api;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The published vectors, read with every digit of their numbers. */
final class Vectors {
    private static final JsonMapper EVERY_DIGIT = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final JsonMapper DOUBLES = new JsonMapper();

    private Vectors() {}

    static List<JsonNode> of(String file) {
        try (var stream = CanonicalJson.class.getResourceAsStream("vectors/" + file)) {
            var vectors = new ArrayList<JsonNode>();
            EVERY_DIGIT.readTree(stream).forEach(vectors::add);
            return vectors;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The value of a JSON text, fractions as decimals. */
    static JsonNode json(String text) {
        return read(EVERY_DIGIT, text);
    }

    /** The value of a JSON text, fractions as doubles: rounded before anyone could refuse them. */
    static JsonNode doubles(String text) {
        return read(DOUBLES, text);
    }

    private static JsonNode read(JsonMapper mapper, String text) {
        try {
            return mapper.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
