package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The answer of {@code POST /v1/policy/evaluate} (seeds 000 and 003): {@code {decision, reason, risk, policyId,
 * traceId}} and nothing else, with the decision {@code allow}, {@code deny}, {@code require_approval} or {@code modify}. An
 * allow that obliges to anything else is a {@code deny} here, as this shape cannot say to what.
 */
public final class PolicyAnswer {
    private PolicyAnswer() {}

    /** The answer to a decision; {@code policyId} is null where no rule settled it. */
    public static byte[] of(Decided decided) {
        var out = new ByteArrayOutputStream(256);
        try (JsonGenerator json = Json.generator(out)) {
            json.writeStartObject();
            members(json, decided);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** The members of the answer. */
    static void members(JsonGenerator json, Decided decided) throws IOException {
        json.writeStringField("decision", word(decided));
        json.writeStringField("reason", reason(decided));
        json.writeStringField("risk", decided.risk());
        json.writeStringField("policyId", decided.policy());
        json.writeStringField("traceId", decided.id());
    }

    /** The word for a decision: an allow that comes with what the caller must heed is a {@code modify}. */
    private static String word(Decided decided) {
        return switch (decided.verdict().outcome()) {
            case ALLOW ->
                !decided.permitted() ? "deny" : decided.verdict().obligations().isEmpty() ? "allow" : "modify";
            case REQUIRE_APPROVAL -> "require_approval";
            case DENY -> "deny";
        };
    }

    private static String reason(Decided decided) {
        Verdict verdict = decided.verdict();
        if (verdict.outcome() == Outcome.ALLOW && !decided.permitted()) {
            return decided.reason();
        }
        if (!decided.unfit().isEmpty()) {
            return decided.reason() + ": " + String.join(", ", decided.unfit());
        }
        Rule rule = verdict.settledBy();
        String code = verdict.reasons().get(0);
        return rule == null || rule.reason() == null || code.equals(Verdict.MISSING_ATTRIBUTE)
                ? code
                : code + ": " + rule.reason();
    }
}
