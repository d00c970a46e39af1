package dev.countersign.server.events;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The event of a decision that did not let a call run: a CloudEvent (1.0, JSON format) made of the decision's log entry
 * alone, in which credentials are digests already.
 *
 * @param type {@link #DENIED} or {@link #REQUIRES_APPROVAL}
 * @param body the CloudEvent in UTF-8, on one line, of about {@value #MOST_BYTES} bytes at most: where it would be longer,
 *     its longer texts are cut and end in an ellipsis
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
public record DecisionEvent(String type, byte[] body) {
    /** The type where the answer was no. */
    public static final String DENIED = "policy.denied";

    /** The type where the answer was that humans have to approve. */
    public static final String REQUIRES_APPROVAL = "policy.requires_approval";

    private static final int MOST_BYTES = 2_048;
    private static final int CUT_BYTES = 100;
    private static final String DENY = "deny";
    private static final String REQUIRE_APPROVAL = "require_approval";
    private static final JsonFactory JSON = new JsonFactory();

    /** The members of {@code data}, in their order, by where they stand in the entry. */
    private static final Map<String, String> DATA = data();

    private static Map<String, String> data() {
        var data = new LinkedHashMap<String, String>();
        data.put("id", "decision_id");
        data.put("decision", "decision");
        data.put("reason", "reason");
        data.put("policy", "policy_id");
        data.put("risk", "risk");
        data.put("subject.type", "subject_type");
        data.put("subject.id", "subject_id");
        data.put("action", "action");
        data.put("resource.type", "resource_type");
        data.put("resource.id", "resource_id");
        data.put("request.context.zone", "zone");
        data.put("dialect", "dialect");
        data.put("enforcement_mode", "enforcement_mode");
        return data;
    }

    /**
     * The event of an entry of the decision log, or {@code null} if the call was let run. An allow that the wire had to deny,
     * as its caller knows nothing of the obligations, is denied.
     *
     * @throws IOException if the entry is not JSON
     */
    public static @Nullable DecisionEvent of(byte[] entry, int offset, int length) throws IOException {
        Map<String, String> found = read(entry, offset, length);
        String decision = found.getOrDefault("decision", "");
        if (decision.equals("allow") && found.getOrDefault("permitted", "").equals("false")) {
            decision = DENY;
            found.put("decision", DENY);
        }
        if (!decision.equals(DENY) && !decision.equals(REQUIRE_APPROVAL)) {
            return null;
        }
        String type = decision.equals(DENY) ? DENIED : REQUIRES_APPROVAL;
        byte[] body = write(found, type, Integer.MAX_VALUE);
        return new DecisionEvent(type, body.length <= MOST_BYTES ? body : write(found, type, CUT_BYTES));
    }

    private static Map<String, String> read(byte[] entry, int offset, int length) throws IOException {
        var found = new LinkedHashMap<String, String>();
        try (JsonParser json = JSON.createParser(entry, offset, length)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("the entry is not a JSON object");
            }
            members(json, "", found);
        }
        return found;
    }

    private static void members(JsonParser json, String prefix, Map<String, String> found) throws IOException {
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            String path = prefix + name;
            JsonToken value = json.nextToken();
            if (value == JsonToken.START_OBJECT && opened(path)) {
                members(json, path + ".", found);
            } else if (value == JsonToken.VALUE_STRING && wanted(path)) {
                found.put(path, json.getText());
            } else if (value == JsonToken.VALUE_FALSE && path.equals("permitted")) {
                found.put(path, "false");
            } else {
                json.skipChildren();
            }
        }
    }

    private static boolean opened(String path) {
        return switch (path) {
            case "subject", "resource", "request", "request.context" -> true;
            default -> false;
        };
    }

    private static boolean wanted(String path) {
        return DATA.containsKey(path) || path.equals("at") || path.equals("tenant");
    }

    private static byte[] write(Map<String, String> found, String type, int most) throws IOException {
        var out = new ByteArrayOutputStream(1_024);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("specversion", "1.0");
            json.writeStringField("id", found.get("id"));
            json.writeStringField("source", source(found.getOrDefault("tenant", "")));
            json.writeStringField("type", type);
            json.writeStringField("time", found.get("at"));
            String subject = found.get("subject.id");
            if (subject != null) {
                json.writeStringField("subject", cut(found.get("subject.type") + ":" + subject, most));
            }
            json.writeStringField("datacontenttype", "application/json");
            json.writeObjectFieldStart("data");
            for (Map.Entry<String, String> member : DATA.entrySet()) {
                String value = found.get(member.getKey());
                if (value != null) {
                    json.writeStringField(member.getValue(), cut(value, most));
                }
            }
            json.writeEndObject();
            json.writeEndObject();
        }
        return out.toByteArray();
    }

    private static String source(String tenant) {
        return "/tenants/" + URLEncoder.encode(tenant, StandardCharsets.UTF_8).replace("+", "%20") + "/decisions";
    }

    /** The front of a text that takes at most so many bytes in JSON. Half a surrogate pair, which UTF-8 cannot hold, is replaced. */
    private static String cut(String text, int most) {
        var kept = new StringBuilder();
        int bytes = 0;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int point = text.codePointAt(i);
            bytes += bytes(point);
            if (bytes > most) {
                return kept.append('\u2026').toString();
            }
            kept.appendCodePoint(point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? 0xfffd : point);
        }
        return kept.toString();
    }

    private static int bytes(int point) {
        if (point < ' ') {
            return 6;
        }
        if (point == '"' || point == '\\') {
            return 2;
        }
        return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    }
}
