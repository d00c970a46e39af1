package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * JSON from the network as I-JSON (RFC 7493) demands it: what {@link StrictJson} reads, in well-formed UTF-8, with numbers
 * that a double can hold. Two programs then never read one body in two ways.
 */
final class IJson {
    /** What the parser says of itself, which is no help to a client. */
    private static final Pattern INSIDE = Pattern.compile(
            ", from `[^`]*`| \\(bound as .*|: enable `.*| \\(not recognized .*| \\(start marker at .*", Pattern.DOTALL);

    private IJson() {}

    /**
     * The value that {@code json} holds.
     *
     * @throws BadCall if it is not one I-JSON value; the message says where and why, in words for the client
     */
    static JsonNode read(byte[] json) throws BadCall {
        boolean ascii = true;
        boolean exponent = false;
        byte before = 0;
        for (byte b : json) {
            if (b == 0) {
                // The parser would take this for UTF-16 or UTF-32.
                throw new BadCall("not valid JSON: the text is not UTF-8");
            }
            ascii &= b > 0;
            exponent |= (b | 0x20) == 'e' && before >= '0' && before <= '9';
            before = b;
        }
        if (!ascii) {
            refuseMalformed(json);
        }
        JsonNode node = strict(json);
        if (exponent) {
            // All other numbers are too short to be too large.
            refuseInfinite(node);
        }
        return node;
    }

    private static JsonNode strict(byte[] json) throws BadCall {
        try {
            return StrictJson.read(json);
        } catch (BadCall e) {
            throw new BadCall(INSIDE.matcher(String.valueOf(e.getMessage()))
                    .replaceAll("")
                    .strip());
        }
    }

    /** The parser takes overlong forms and surrogates for characters, so that one id has several spellings. */
    private static void refuseMalformed(byte[] json) throws BadCall {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json));
        } catch (CharacterCodingException e) {
            throw new BadCall("not valid JSON: the text is not UTF-8");
        }
    }

    private static void refuseInfinite(JsonNode node) throws BadCall {
        if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
            throw new BadCall("not valid JSON: a number is larger than a double can hold");
        }
        for (JsonNode child : node) {
            refuseInfinite(child);
        }
    }
}
