package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The AuthZEN answer to a decision (Authorization API 1.0, sections 6.2 and 7.2; obligations profile, draft 1). */
public final class AuthzenAnswer {
    private AuthzenAnswer() {}

    /** The answer to a single evaluation. */
    public static byte[] single(Decided decided) {
        return single(decided, null);
    }

    /** The same with the token that binds a denial to an access request. */
    public static byte[] single(Decided decided, @Nullable String bindingToken) {
        var out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = Json.generator(out)) {
            write(json, decided, true, bindingToken);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /**
     * The answer to a batch, in the order of the request.
     *
     * @param full whether plain allows and denials carry a context too
     */
    public static byte[] batch(List<Decided> decided, boolean full) {
        var out = new ByteArrayOutputStream(64 + 96 * decided.size());
        try (JsonGenerator json = Json.generator(out)) {
            json.writeStartObject();
            json.writeArrayFieldStart("evaluations");
            for (Decided item : decided) {
                write(json, item, full || !plain(item), null);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Whether the boolean says it all. */
    private static boolean plain(Decided decided) {
        Verdict verdict = decided.verdict();
        return decided.invalid() == null
                && decided.unfit().isEmpty()
                && decided.presented() == null
                && verdict.outcome() != Outcome.REQUIRE_APPROVAL
                && verdict.obligations().isEmpty();
    }

    private static void write(JsonGenerator json, Decided decided, boolean context, @Nullable String bindingToken)
            throws IOException {
        json.writeStartObject();
        json.writeBooleanField("decision", decided.permitted());
        if (context) {
            json.writeObjectFieldStart("context");
            context(json, decided);
            approval(json, decided, bindingToken);
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    /** The members of the access request and approval profile. */
    private static void approval(JsonGenerator json, Decided decided, @Nullable String bindingToken)
            throws IOException {
        Presented.Good used = decided.uses();
        if (used != null) {
            json.writeObjectFieldStart("approval");
            json.writeStringField("id", used.id());
            json.writeStringField("approved_until", used.until().toString());
            json.writeEndObject();
        }
        Refusal refused = decided.refusal();
        if (refused != null) {
            // Without a way to ask anew there is nothing to request.
            boolean none = refused.requestable() && decided.requestable() == null;
            json.writeStringField("next_action", none ? "none" : refused.next());
        }
        Requestable requestable = decided.requestable();
        if (requestable != null) {
            accessRequest(json, requestable, bindingToken);
        }
    }

    /** By what humans can be asked. */
    static void accessRequest(JsonGenerator json, Requestable requestable, @Nullable String bindingToken)
            throws IOException {
        json.writeObjectFieldStart("access_request");
        json.writeStringField("template", requestable.template());
        json.writeStringField("expires_at", requestable.until().text());
        if (bindingToken != null) {
            json.writeStringField("binding_token", bindingToken);
        }
        json.writeEndObject();
    }

    private static void context(JsonGenerator json, Decided decided) throws IOException {
        Verdict verdict = decided.verdict();
        json.writeStringField("evaluation_id", decided.id());
        json.writeStringField("evaluated_at", decided.at().text());
        json.writeStringField("outcome", verdict.outcome().word());
        json.writeStringField("reason", decided.reason());
        Json.strings(json, "reasons", verdict.reasons());
        Rule settledBy = verdict.settledBy();
        if (settledBy != null) {
            json.writeStringField("policy", settledBy.id());
            if (settledBy.reason() != null) {
                json.writeStringField("message", settledBy.reason());
            }
        }
        json.writeStringField("risk", decided.risk());
        if (verdict.missing() != null) {
            json.writeStringField("missing_attribute", verdict.missing());
        }
        if (decided.invalid() != null) {
            json.writeObjectFieldStart("error");
            json.writeNumberField("status", 400);
            json.writeStringField("message", decided.invalid());
            json.writeEndObject();
        }
        if (!decided.unfit().isEmpty()) {
            Json.strings(json, "invalid_arguments", decided.unfit());
        }
        Json.rules(json, "rules", verdict.matched());
        if (!verdict.obligations().isEmpty()) {
            Json.obligations(json, verdict.obligations());
        }
    }
}
