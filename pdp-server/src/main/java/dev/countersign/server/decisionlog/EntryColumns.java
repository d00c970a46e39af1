package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a row takes from the front of an entry. Only the front is read; the member called resource ends it. An entry needs {@code id}, {@code at} and {@code tenant}; the others may be absent.
 */
record EntryColumns(
        String tenant,
        Instant at,
        UUID id,
        @Nullable String decision,
        @Nullable String subjectType,
        @Nullable String subjectId,
        @Nullable String action,
        @Nullable String resourceType,
        @Nullable String resourceId,
        @Nullable String caller) {
    private static final JsonFactory JSON = new JsonFactory();

    /** Reads the front of an entry; throws IOException when it lacks what a row needs. */
    static EntryColumns parse(byte[] entry, int offset, int length, Times times) throws IOException {
        try (JsonParser json = JSON.createParser(entry, offset, length)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("the entry is not a JSON object");
            }
            return new Front().read(json).columns(times);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new IOException("the entry has no usable id or time: " + e.getMessage(), e);
        }
    }

    /** Reads instants, of which many entries share one. Confined to one thread. */
    static final class Times {
        private String lastText = "";
        private Instant last = Instant.EPOCH;

        Instant parse(String text) {
            if (!text.equals(lastText)) {
                last = Instant.parse(text);
                lastText = text;
            }
            return last;
        }
    }

    private static final class Front {
        private @Nullable String tenant;
        private @Nullable String at;
        private @Nullable String id;
        private @Nullable String decision;
        private @Nullable String subjectType;
        private @Nullable String subjectId;
        private @Nullable String action;
        private @Nullable String resourceType;
        private @Nullable String resourceId;
        private @Nullable String caller;

        Front read(JsonParser json) throws IOException {
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                json.nextToken();
                switch (name) {
                    case "id" -> id = text(json);
                    case "at" -> at = text(json);
                    case "tenant" -> tenant = text(json);
                    case "caller" -> caller = text(json);
                    case "decision" -> decision = text(json);
                    case "action" -> action = text(json);
                    case "subject" -> {
                        var subject = Reference.of(json);
                        subjectType = subject.type;
                        subjectId = subject.id;
                    }
                    case "resource" -> {
                        var resource = Reference.of(json);
                        resourceType = resource.type;
                        resourceId = resource.id;
                        return this;
                    }
                    default -> json.skipChildren();
                }
            }
            return this;
        }

        EntryColumns columns(Times times) throws IOException {
            if (tenant == null || at == null || id == null) {
                throw new IOException("the entry lacks id, at or tenant");
            }
            return new EntryColumns(
                    tenant,
                    times.parse(at),
                    UUID.fromString(id),
                    decision,
                    subjectType,
                    subjectId,
                    action,
                    resourceType,
                    resourceId,
                    caller);
        }

        /** The value of a scalar; the database's text cannot hold NUL. */
        static @Nullable String text(JsonParser json) throws IOException {
            if (!json.currentToken().isScalarValue() || json.currentToken() == JsonToken.VALUE_NULL) {
                json.skipChildren();
                return null;
            }
            return json.getText().replace('\0', '\uFFFD');
        }
    }

    private record Reference(
            @Nullable String type, @Nullable String id) {
        static Reference of(JsonParser json) throws IOException {
            String type = null;
            String id = null;
            if (json.currentToken() != JsonToken.START_OBJECT) {
                json.skipChildren();
            } else {
                for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                    json.nextToken();
                    switch (name) {
                        case "type" -> type = Front.text(json);
                        case "id" -> id = Front.text(json);
                        default -> json.skipChildren();
                    }
                }
            }
            return new Reference(type, id);
        }
    }
}
