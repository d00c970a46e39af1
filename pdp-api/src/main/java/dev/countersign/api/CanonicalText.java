package dev.countersign.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NumericNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.erdtman.jcs.NumberToJSON;

/** The writer of one canonical text; numbers are the library's, the rest is little. Not for reuse. */
final class CanonicalText {
    /** Up to here every integer is a double, and its digits are its canonical form. */
    private static final long EXACT = 1L << 53;

    private static final HexFormat HEX = HexFormat.of();

    private final StringBuilder text = new StringBuilder(512);
    private final List<String> path = new ArrayList<>();

    String of(JsonNode value) throws NotCanonicalException {
        write(value);
        return text.toString();
    }

    private void write(JsonNode value) throws NotCanonicalException {
        switch (value.getNodeType()) {
            case NULL -> text.append("null");
            case BOOLEAN -> text.append(value.booleanValue());
            case NUMBER -> number((NumericNode) value);
            case STRING -> string(value.textValue(), "a text");
            case ARRAY -> array(value);
            case OBJECT -> object(value);
            default -> throw refusal("not a JSON value");
        }
    }

    private void array(JsonNode value) throws NotCanonicalException {
        refuseTooDeep();
        text.append('[');
        for (int i = 0; i < value.size(); i++) {
            if (i > 0) {
                text.append(',');
            }
            member(Integer.toString(i), value.get(i));
        }
        text.append(']');
    }

    private void object(JsonNode value) throws NotCanonicalException {
        refuseTooDeep();
        var names = new String[value.size()];
        int n = 0;
        for (var member : value.properties()) {
            names[n++] = member.getKey();
        }
        // The natural order of Java's strings is that of their UTF-16 code units, which is the order of RFC 8785.
        Arrays.sort(names);
        text.append('{');
        for (int i = 0; i < n; i++) {
            if (i > 0) {
                text.append(',');
            }
            string(names[i], "the name of a member");
            text.append(':');
            member(names[i], value.get(names[i]));
        }
        text.append('}');
    }

    private void member(String step, JsonNode value) throws NotCanonicalException {
        path.add(step);
        write(value);
        path.remove(path.size() - 1);
    }

    private void refuseTooDeep() throws NotCanonicalException {
        if (path.size() >= CanonicalJson.MAX_DEPTH) {
            throw refusal("nested deeper than " + CanonicalJson.MAX_DEPTH);
        }
    }

    private void number(NumericNode value) throws NotCanonicalException {
        if (value.isNaN()) {
            throw refusal("a number that a double cannot hold");
        }
        if (value.isIntegralNumber()
                && value.canConvertToLong()
                && -EXACT <= value.longValue()
                && value.longValue() <= EXACT) {
            text.append(value.longValue());
        } else if (value.isDouble()) {
            // A double is what was read: Double.toString is no witness, before Java 19 it is not always the shortest.
            text.append(shortest(value.doubleValue()));
        } else {
            String decimal = value.asText();
            String shortest = shortest(Double.parseDouble(decimal));
            if (new BigDecimal(shortest).compareTo(new BigDecimal(decimal)) != 0) {
                throw refusal("a number that a double cannot carry exactly");
            }
            text.append(shortest);
        }
    }

    private String shortest(double value) throws NotCanonicalException {
        try {
            return NumberToJSON.serializeNumber(value);
        } catch (IOException e) {
            throw refusal("a number that a double cannot hold");
        }
    }

    private void string(String value, String what) throws NotCanonicalException {
        text.append('"');
        int written = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == '"' || c == '\\') {
                text.append(value, written, i);
                escape(c);
                written = i + 1;
            } else if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c)
                        || i + 1 == value.length()
                        || !Character.isLowSurrogate(value.charAt(i + 1))) {
                    throw refusal(what + " holds half of a surrogate pair");
                }
                i++;
            }
        }
        text.append(value, written, value.length()).append('"');
    }

    private void escape(char c) {
        switch (c) {
            case '"', '\\' -> text.append('\\').append(c);
            case '\b' -> text.append("\\b");
            case '\t' -> text.append("\\t");
            case '\n' -> text.append("\\n");
            case '\f' -> text.append("\\f");
            case '\r' -> text.append("\\r");
            default -> text.append("\\u").append(HEX.toHexDigits(c));
        }
    }

    private NotCanonicalException refusal(String reason) {
        return new NotCanonicalException(path, reason);
    }
}
