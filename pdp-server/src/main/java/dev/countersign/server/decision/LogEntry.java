package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Registered;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.identity.Caller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes the record of a decision: one JSON object that holds all that replaying it needs. The members that the table has
 * columns for come first, in this order: type, id, at, tenant, caller, decision, reason, policy, subject, action,
 * resource. Confined to one thread.
 */
final class LogEntry {
    private static final byte[] NOTHING = {};

    private Redaction redaction = Redaction.USUAL;
    private final Json.Bytes bytes = new Json.Bytes();
    private final Part subject = new Part("subject");
    private final Part action = new Part("action");
    private final Part resource = new Part("resource");
    private final Part context = new Part("context");

    /** The bytes of the last entry, from 0 to {@link #length}. */
    byte[] array() {
        return bytes.array();
    }

    int length() {
        return bytes.size();
    }

    void encode(Decided decided, @Nullable Body body, Caller caller, TenantPolicy policy) {
        bytes.reset();
        redaction = policy.redaction();
        Verdict verdict = decided.verdict();
        try (JsonGenerator json = Json.generator(bytes)) {
            json.writeStartObject();
            json.writeStringField("type", "decision");
            json.writeStringField("id", decided.id());
            json.writeStringField("at", decided.at().text());
            json.writeStringField("tenant", caller.tenant());
            json.writeStringField("caller", caller.keyId());
            json.writeStringField("decision", verdict.outcome().word());
            json.writeStringField("reason", decided.reason());
            String settledBy = decided.policy();
            if (settledBy != null) {
                json.writeStringField("policy", settledBy);
            }
            Call call = decided.call();
            if (call != null) {
                entity(json, "subject", call.subjectType(), call.subjectId());
                json.writeStringField("action", call.actionName());
                entity(json, "resource", call.resourceType(), call.resourceId());
            }
            json.writeStringField("dialect", decided.dialect().word());
            json.writeBooleanField("permitted", decided.permitted());
            json.writeStringField("risk", decided.risk());
            if (decided.enforcement() != null) {
                json.writeStringField("enforcement_mode", decided.enforcement().word());
            }
            Json.strings(json, "reasons", verdict.reasons());
            optional(json, "missing", verdict.missing());
            optional(json, "invalid", decided.invalid());
            if (call != null && call.registered() != null) {
                registered(json, call, call.registered());
            }
            Json.rules(json, "rules", verdict.matched());
            Json.rules(json, "unknown", verdict.unknown());
            if (!verdict.obligations().isEmpty()) {
                Json.obligations(json, verdict.obligations());
            }
            if (decided.presented() != null) {
                presented(json, decided, decided.presented());
            }
            if (decided.requestable() != null) {
                requestable(json, decided.requestable(), caller);
            }
            json.writeRaw(policy.members());
            if (call != null) {
                StoredRecord.write(json, redaction, policy.needs(), call);
            }
            if (body != null && redaction.clean(body.json())) {
                written(json, body);
            } else if (call != null) {
                request(json, call);
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail", e);
        }
    }

    private static void entity(JsonGenerator json, String name, String type, String id) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeStringField("type", type);
        json.writeStringField("id", id);
        json.writeEndObject();
    }

    /** What rules read instead of what the caller claims, and which of its claims that overrules. */
    private static void registered(JsonGenerator json, Call call, Registered registered) throws IOException {
        json.writeObjectFieldStart("registry");
        json.writeNumberField("version", registered.version());
        json.writeStringField("class", registered.actionClass());
        json.writeBooleanField("reversible", registered.reversible());
        json.writeStringField("risk", registered.risk());
        JsonNode claims = call.action().path("properties");
        var overruled = new ArrayList<String>(0);
        if (overruled(claims.path("class"), TextNode.valueOf(registered.actionClass()))) {
            overruled.add("class");
        }
        if (overruled(claims.path("reversible"), BooleanNode.valueOf(registered.reversible()))) {
            overruled.add("reversible");
        }
        if (!overruled.isEmpty()) {
            Json.strings(json, "overruled", overruled);
        }
        json.writeEndObject();
        if (!registered.unfit().isEmpty()) {
            Json.strings(json, "invalid_arguments", registered.unfit());
        }
    }

    private static boolean overruled(JsonNode claim, JsonNode fact) {
        return !claim.isMissingNode() && !claim.isNull() && !claim.equals(fact);
    }

    private static void presented(JsonGenerator json, Decided decided, Presented presented) throws IOException {
        json.writeObjectFieldStart("approval");
        optional(json, "id", presented.id());
        json.writeBooleanField("used", decided.uses() != null);
        json.writeEndObject();
    }

    /** What a submission that names this decision is held to. */
    private static void requestable(JsonGenerator json, Requestable requestable, Caller caller) throws IOException {
        json.writeObjectFieldStart("requestable");
        json.writeStringField("expires_at", requestable.until().text());
        json.writeStringField("requester", caller.principal());
        json.writeStringField("binding_hash", requestable.hash());
        Json.strings(json, "binding_context_members", requestable.members());
        Json.strings(json, "actors", requestable.actors());
        json.writeEndObject();
    }

    private static void optional(JsonGenerator json, String name, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeStringField(name, value);
        }
    }

    /** Most requests hold nothing that must not be kept: their own bytes are the best record, and the cheapest. */
    private void written(JsonGenerator json, Body body) throws IOException {
        json.writeFieldName("request");
        copy(json, body.text());
    }

    /** Writes a value that is JSON in UTF-8 already. */
    private void copy(JsonGenerator json, byte[] value) throws IOException {
        json.writeRawValue("");
        json.flush();
        bytes.writeBytes(value);
    }

    private void request(JsonGenerator json, Call call) throws IOException {
        json.writeObjectFieldStart("request");
        subject.write(json, call.subject());
        action.write(json, call.action());
        resource.write(json, call.resource());
        context.write(json, call.context());
        json.writeEndObject();
    }

    /** Lets go of the requests that were encoded. */
    void forget() {
        subject.forget();
        action.forget();
        resource.forget();
        context.forget();
    }

    /** A part of a call. The items of a batch share those that they take from its defaults: one is written once, then copied. */
    private final class Part {
        private final String name;
        private @Nullable JsonNode last;
        private byte[] text = NOTHING;

        Part(String name) {
            this.name = name;
        }

        @SuppressWarnings("ReferenceEquality") // comparing the members would take longer than writing them
        void write(JsonGenerator json, @Nullable JsonNode value) throws IOException {
            if (value == null) {
                return;
            }
            json.writeFieldName(name);
            if (value == last) {
                copy(json, text);
                return;
            }
            json.flush();
            int colon = bytes.size();
            redaction.write(json, value);
            json.flush();
            text = Arrays.copyOfRange(bytes.array(), colon + 1, bytes.size());
            last = value;
        }

        void forget() {
            last = null;
            text = NOTHING;
        }
    }
}
