package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.verdict.Finding;
import dev.countersign.rules.verdict.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The answer of {@code POST /v1/authorize/...} (seed 003): the members of {@link PolicyAnswer}, then whatever whoever makes
 * the call has to know. An allow that comes with obligations of any kind is a {@code modify} and carries them all, so that
 * a gate that runs nothing but {@code allow} never runs a call without what it owes.
 */
public final class AuthorizeAnswer {
    private AuthorizeAnswer() {}

    /** The answer to a decision. */
    public static byte[] of(Decided decided) {
        Verdict verdict = decided.verdict();
        var out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = Json.generator(out)) {
            json.writeStartObject();
            PolicyAnswer.members(json, decided);
            Json.strings(json, "reasons", verdict.reasons());
            Json.rules(json, "rules", verdict.matched());
            if (verdict.missing() != null) {
                json.writeStringField("missing_attribute", verdict.missing());
            }
            if (!decided.unfit().isEmpty()) {
                Json.strings(json, "invalid_arguments", decided.unfit());
            }
            if (!verdict.obligations().isEmpty()) {
                Json.obligations(json, verdict.obligations());
            }
            if (!verdict.approvals().isEmpty()) {
                approvals(json, verdict);
            }
            if (decided.requestable() != null) {
                AuthzenAnswer.accessRequest(json, decided.requestable(), null);
            }
            if (decided.enforcement() != null) {
                json.writeStringField("enforcement_mode", decided.enforcement().word());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static void approvals(JsonGenerator json, Verdict verdict) throws IOException {
        json.writeArrayFieldStart("approvals");
        for (Finding finding : verdict.approvals()) {
            if (finding.effect() instanceof Effect.RequireApproval asked) {
                json.writeStartObject();
                json.writeStringField("rule", finding.rule().id());
                json.writeStringField("code", asked.code());
                json.writeStringField("template", asked.template());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }
}
