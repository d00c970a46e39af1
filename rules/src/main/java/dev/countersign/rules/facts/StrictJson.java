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
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.regex.Pattern;

/**
 * JSON as requests must be written (I-JSON, RFC 7493): well-formed UTF-8, no duplicate members, numbers that a double can
 * hold, nothing after the value, nesting and lengths bounded. Two programs then never read one body in two ways.
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
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();
    /** The tree finds duplicate members for nothing, but then speaks of its own settings. */
    private static final ObjectReader READER = MAPPER.readerFor(JsonNode.class);
    /** The parser says it well, at the cost of a set for each object: for what is refused anyway. */
    private static final ObjectReader EXPLAINING = READER.with(StreamReadFeature.STRICT_DUPLICATE_DETECTION);

    /** What the parser says of itself, which is no help to a client. */
    private static final Pattern INSIDE = Pattern.compile(
            ", from `[^`]*`| \\(bound as .*|: enable `.*| \\(not recognized .*| \\(start marker at .*", Pattern.DOTALL);

    private StrictJson() {}

    /**
     * The value that {@code json} holds.
     *
     * @throws BadCall if it is not one JSON value as this class demands it; the message says where and why
     */
    public static JsonNode read(byte[] json) throws BadCall {
        boolean ascii = true;
        boolean exponents = false;
        boolean surrogates = false;
        byte before = 0;
        byte beforeThat = 0;
        for (byte b : json) {
            if (b == 0) {
                // The parser would take this for UTF-16 or UTF-32.
                throw new BadCall("not valid JSON: the text is not UTF-8");
            }
            ascii &= b > 0;
            exponents |= (b | 0x20) == 'e' && before >= '0' && before <= '9';
            surrogates |= (b | 0x20) == 'd' && before == 'u' && beforeThat == '\\';
            beforeThat = before;
            before = b;
        }
        if (!ascii) {
            refuseMalformed(json);
        }
        JsonNode node = parse(json);
        if (exponents || surrogates) {
            // Without an exponent no number is long enough to be too large, and UTF-8 cannot hold half a pair.
            refuseInexpressible(node);
        }
        return node;
    }

    private static JsonNode parse(byte[] json) throws BadCall {
        try {
            JsonNode node = READER.readValue(json);
            if (node == null || node.isMissingNode()) {
                throw new BadCall("the body is empty");
            }
            return node;
        } catch (IOException e) {
            throw refusal(json, e);
        }
    }

    private static BadCall refusal(byte[] json, IOException first) {
        IOException cause = first;
        try {
            EXPLAINING.readValue(json);
        } catch (IOException better) {
            cause = better;
        }
        if (!(cause instanceof JsonProcessingException e)) {
            return new BadCall("not valid JSON: the text is not UTF-8");
        }
        JsonLocation at = e.getLocation();
        return new BadCall("not valid JSON"
                + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()) + ": "
                + INSIDE.matcher(e.getOriginalMessage()).replaceAll("").strip());
    }

    /** The parser takes overlong forms and surrogates for characters, so that one id would have several spellings. */
    private static void refuseMalformed(byte[] json) throws BadCall {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json));
        } catch (CharacterCodingException e) {
            throw new BadCall("not valid JSON: the text is not UTF-8");
        }
    }

    private static void refuseInexpressible(JsonNode node) throws BadCall {
        if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
            throw new BadCall("not valid JSON: a number is larger than a double can hold");
        }
        if (node.isTextual()) {
            refuseLoneSurrogates(node.textValue());
        }
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            refuseLoneSurrogates(names.next());
        }
        for (JsonNode child : node) {
            refuseInexpressible(child);
        }
    }

    private static void refuseLoneSurrogates(String text) throws BadCall {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new BadCall("not valid JSON: a text holds half of a surrogate pair");
        }
    }
}
