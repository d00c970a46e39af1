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
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NumericNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.regex.Pattern;

/**
 * JSON as requests must be written (I-JSON, RFC 7493): well-formed UTF-8 without a byte order mark, no duplicate members, numbers that a double can
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
            .nodeFactory(new FiniteNumbers())
            .build();
    /** The tree finds duplicate members for nothing, but then speaks of its own settings. */
    private static final ObjectReader READER = MAPPER.readerFor(JsonNode.class);
    /** The parser says it well, at the cost of a set for each object: for what is refused anyway. */
    private static final ObjectReader EXPLAINING = READER.with(StreamReadFeature.STRICT_DUPLICATE_DETECTION);

    /** What the parser says of itself, which is no help to a client. */
    private static final Pattern INSIDE = Pattern.compile(
            ", from `[^`]*`| \\(bound as .*|: enable `.*| \\(not recognized .*| \\(start marker at .*", Pattern.DOTALL);

    /** As it looks byte by byte. */
    private static final String BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

    /** A number that a double cannot hold; integers are too short for that. */
    private static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final class FiniteNumbers extends JsonNodeFactory {
        private static final long serialVersionUID = 1L;

        @Override
        public NumericNode numberNode(double value) {
            if (!Double.isFinite(value)) {
                throw new TooLarge();
            }
            return super.numberNode(value);
        }
    }

    private StrictJson() {}

    /**
     * The value that {@code json} holds.
     *
     * @throws BadCall if it is not one JSON value as this class demands it; the message says where and why
     */
    public static JsonNode read(byte[] json) throws BadCall {
        var bytes = new String(json, StandardCharsets.ISO_8859_1);
        if (bytes.indexOf(0) >= 0) {
            // The parser would take this for UTF-16 or UTF-32.
            throw new BadCall("not valid JSON: the text is not UTF-8");
        }
        if (bytes.startsWith(BYTE_ORDER_MARK)) {
            // The parser would skip it, and whoever copies the text would not.
            throw new BadCall("not valid JSON: the text begins with a byte order mark");
        }
        int all = 0;
        for (byte b : json) {
            all |= b;
        }
        if (all < 0) {
            refuseMalformed(json);
        }
        JsonNode node = parse(json);
        if (bytes.contains("\\u")) {
            // UTF-8 itself cannot hold half a pair.
            refuseLoneSurrogates(node);
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
        } catch (TooLarge e) {
            throw new BadCall("not valid JSON: a number is larger than a double can hold");
        } catch (IOException e) {
            throw refusal(json, e);
        }
    }

    private static BadCall refusal(byte[] json, IOException first) {
        IOException cause = first;
        try {
            EXPLAINING.readValue(json);
        } catch (TooLarge e) {
            // further on than what was found first
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
