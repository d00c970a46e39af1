package dev.countersign.rules.facts;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;

/**
 * JSON as requests must be written (I-JSON, RFC 7493): UTF-8, no duplicate members, nothing after the value, nesting
 * and lengths bounded.
 */
public final class StrictJson {
    /** The deepest nesting of arrays and objects that is read. */
    public static final int MAX_DEPTH = 32;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(100)
                            .maxNameLength(1_000)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final ObjectReader READER = MAPPER.readerFor(JsonNode.class);

    private StrictJson() {}

    /**
     * The value that {@code json} holds.
     *
     * @throws BadCall if it is not one JSON value as this class demands it; the message says where and why
     */
    public static JsonNode read(byte[] json) throws BadCall {
        try {
            JsonNode node = READER.readValue(json);
            if (node == null || node.isMissingNode()) {
                throw new BadCall("the body is empty");
            }
            if (mayHoldSurrogates(json)) {
                refuseLoneSurrogates(node);
            }
            return node;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new BadCall("not valid JSON"
                    + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()) + ": "
                    + e.getOriginalMessage());
        } catch (IOException e) {
            throw new BadCall("not valid JSON: the text is not UTF-8");
        }
    }

    /** Only an escape can bring a surrogate that is not one of a pair; UTF-8 cannot. */
    private static boolean mayHoldSurrogates(byte[] json) {
        for (int i = 0; i + 2 < json.length; i++) {
            if (json[i] == '\\' && json[i + 1] == 'u' && (json[i + 2] == 'd' || json[i + 2] == 'D')) {
                return true;
            }
        }
        return false;
    }

    private static void refuseLoneSurrogates(JsonNode node) throws BadCall {
        if (node.isTextual()) {
            refuseLoneSurrogates(node.textValue());
        }
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            refuseLoneSurrogates(names.next());
        }
        for (JsonNode child : node) {
            refuseLoneSurrogates(child);
        }
    }

    private static void refuseLoneSurrogates(String text) throws BadCall {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new BadCall("not valid JSON: a text holds half of a surrogate pair");
        }
    }
}
