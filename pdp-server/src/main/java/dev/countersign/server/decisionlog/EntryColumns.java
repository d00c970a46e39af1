package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * What a row takes from the front of an entry, one entry after the other. Only the front is read; the member called
 * resource ends it. An entry needs {@code id}, {@code at} and {@code tenant}; the others may be absent. Confined to one
 * thread.
 *
 * <p>The front of nearly every entry has the members that {@code decision/LogEntry} writes, in its order and with nothing
 * escaped. Then the columns are slices of the entry itself; any other front is left to a JSON parser.
 */
final class EntryColumns {
    /** The text of one column in UTF-8: a slice of the entry, or bytes of its own. */
    static final class Text {
        private byte[] source = new byte[0];
        private int from;
        private int length = -1;

        /** Appends its length and its bytes, or the length -1 when it is absent: at most 4 bytes and the entry's length. */
        void putTo(ByteBuffer out) {
            out.putInt(length);
            if (length > 0) {
                out.put(source, from, length);
            }
        }

        private void set(byte[] bytes, int offset, int size) {
            source = bytes;
            from = offset;
            length = size;
        }

        private void clear() {
            length = -1;
        }

        private boolean absent() {
            return length < 0;
        }

        private boolean is(byte[] bytes) {
            return length >= 0 && Arrays.equals(source, from, from + length, bytes, 0, bytes.length);
        }

        private byte[] bytes() {
            return Arrays.copyOfRange(source, from, from + length);
        }

        @Override
        public String toString() {
            return absent() ? "" : new String(source, from, length, StandardCharsets.UTF_8);
        }
    }

    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] BEFORE_ID = ascii("{\"type\":\"decision\",\"id\":\"");
    private static final byte[] BEFORE_AT = ascii(",\"at\":\"");
    private static final byte[] BEFORE_TENANT = ascii(",\"tenant\":\"");
    private static final byte[] BEFORE_CALLER = ascii(",\"caller\":\"");
    private static final byte[] BEFORE_DECISION = ascii(",\"decision\":\"");
    private static final byte[] BEFORE_REASON = ascii(",\"reason\":\"");
    private static final byte[] BEFORE_POLICY = ascii(",\"policy\":\"");
    private static final byte[] BEFORE_SUBJECT_TYPE = ascii(",\"subject\":{\"type\":\"");
    private static final byte[] BEFORE_SUBJECT_ID = ascii(",\"id\":\"");
    private static final byte[] BEFORE_ACTION = ascii("},\"action\":\"");
    private static final byte[] BEFORE_RESOURCE_TYPE = ascii(",\"resource\":{\"type\":\"");
    private static final byte[] BEFORE_RESOURCE_ID = ascii(",\"id\":\"");
    private static final byte[] AFTER_RESOURCE_ID = ascii("}");
    private static final byte[] DENY = ascii("deny");
    private static final byte[] REQUIRE_APPROVAL = ascii("require_approval");
    private static final byte[] UNSUPPORTED = ascii("obligations_not_supported");

    final Text tenant = new Text();
    final Text decision = new Text();
    final Text subjectType = new Text();
    final Text subjectId = new Text();
    final Text action = new Text();
    final Text resourceType = new Text();
    final Text resourceId = new Text();
    final Text caller = new Text();
    private final Text idText = new Text();
    private final Text atText = new Text();
    private final Text reason = new Text();
    private final Text other = new Text();
    private final List<Text> all = List.of(
            tenant, decision, reason, subjectType, subjectId, action, resourceType, resourceId, caller, idText, atText);
    private byte[] entry = new byte[0];
    private int position;
    private int end;
    private UUID id = new UUID(0, 0);
    private Instant at = Instant.EPOCH;
    private byte[] lastAt = new byte[0];

    /** Reads the front of an entry; throws IOException when it lacks what a row needs. */
    void read(byte[] buffer, int offset, int size) throws IOException {
        entry = buffer;
        position = offset;
        end = offset + size;
        try {
            if (!usual()) {
                parse(offset, size);
            }
            if (tenant.absent() || atText.absent() || idText.absent()) {
                throw new IOException("the entry lacks id, at or tenant");
            }
            id = UUID.fromString(idText.toString());
            readTime();
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new IOException("the entry has no usable id or time: " + e.getMessage(), e);
        }
    }

    UUID id() {
        return id;
    }

    /** When it was decided; the same object while the text is the same. */
    Instant at() {
        return at;
    }

    /**
     * Whether this may be a decision that did not let its call run; of what is none, nothing more has to be read. Beside the
     * denied there is the allow that the wire had to deny.
     */
    boolean maybeNegative() {
        return decision.is(DENY) || decision.is(REQUIRE_APPROVAL) || reason.is(UNSUPPORTED);
    }

    /** Many entries share an instant, and reading one is dear. */
    private void readTime() {
        if (!atText.is(lastAt)) {
            at = Instant.parse(atText.toString());
            lastAt = atText.bytes();
        }
    }

    private boolean usual() {
        return literal(BEFORE_ID)
                && value(idText)
                && literal(BEFORE_AT)
                && value(atText)
                && literal(BEFORE_TENANT)
                && value(tenant)
                && literal(BEFORE_CALLER)
                && value(caller)
                && literal(BEFORE_DECISION)
                && value(decision)
                && literal(BEFORE_REASON)
                && value(reason)
                && (!literal(BEFORE_POLICY) || value(other))
                && literal(BEFORE_SUBJECT_TYPE)
                && value(subjectType)
                && literal(BEFORE_SUBJECT_ID)
                && value(subjectId)
                && literal(BEFORE_ACTION)
                && value(action)
                && literal(BEFORE_RESOURCE_TYPE)
                && value(resourceType)
                && literal(BEFORE_RESOURCE_ID)
                && value(resourceId)
                && literal(AFTER_RESOURCE_ID);
    }

    private boolean literal(byte[] text) {
        int after = position + text.length;
        if (after > end || !Arrays.equals(entry, position, after, text, 0, text.length)) {
            return false;
        }
        position = after;
        return true;
    }

    /** Takes the rest of a string and its closing quote, if it stands for itself: no escape, no control character. */
    private boolean value(Text column) {
        for (int i = position; i < end; i++) {
            byte b = entry[i];
            if (b == '"') {
                column.set(entry, position, i - position);
                position = i + 1;
                return true;
            }
            if (b == '\\' || (b >= 0 && b < ' ')) {
                return false;
            }
        }
        return false;
    }

    private void parse(int offset, int size) throws IOException {
        all.forEach(Text::clear);
        try (JsonParser json = JSON.createParser(entry, offset, size)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("the entry is not a JSON object");
            }
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                json.nextToken();
                switch (name) {
                    case "id" -> set(idText, json);
                    case "at" -> set(atText, json);
                    case "tenant" -> set(tenant, json);
                    case "caller" -> set(caller, json);
                    case "decision" -> set(decision, json);
                    case "reason" -> set(reason, json);
                    case "action" -> set(action, json);
                    case "subject" -> reference(subjectType, subjectId, json);
                    case "resource" -> {
                        reference(resourceType, resourceId, json);
                        return;
                    }
                    default -> json.skipChildren();
                }
            }
        }
    }

    private void reference(Text type, Text named, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            json.skipChildren();
            return;
        }
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            json.nextToken();
            switch (name) {
                case "type" -> set(type, json);
                case "id" -> set(named, json);
                default -> json.skipChildren();
            }
        }
    }

    /** Takes the value of a scalar; the database's text cannot hold NUL. */
    private void set(Text column, JsonParser json) throws IOException {
        if (!json.currentToken().isScalarValue() || json.currentToken() == JsonToken.VALUE_NULL) {
            json.skipChildren();
            column.clear();
        } else {
            byte[] utf8 = json.getText().replace('\0', '\uFFFD').getBytes(StandardCharsets.UTF_8);
            column.set(utf8, 0, utf8.length);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
