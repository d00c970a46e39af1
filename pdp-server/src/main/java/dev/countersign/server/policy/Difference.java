package dev.countersign.server.policy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.boundary.BoundaryDiff;
import dev.countersign.rules.boundary.Change;
import dev.countersign.rules.boundary.DiffResult;
import dev.countersign.rules.boundary.DiffResult.Widening;
import dev.countersign.rules.boundary.Frame;
import dev.countersign.rules.boundary.Judge;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decision.TenantPolicy;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a change does to the decisions that are made.
 *
 * @param revision the number of the last change in what it was compared with
 * @param widens whether something is or could be let through that was not, or with less approval or fewer obligations
 * @param json the changes of decisions that were found, with an example of each
 */
public record Difference(long revision, boolean widens, String json) {
    /** When the requests are made that are compared: the same change always shows the same. */
    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    private static final int MOST_SHOWN = 20;
    private static final int LONGEST_EXAMPLE = 4_000;
    private static final Map<Outcome, Function<Evaluation, Verdict>> COMBINING = Arrays.stream(Outcome.values())
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Difference::combining));

    private static Function<Evaluation, Verdict> combining(Outcome otherwise) {
        Fallback fallback = Fallback.of(otherwise);
        return evaluation -> DenyOverrides.combine(evaluation, fallback);
    }

    /** What is different where {@code after} judges instead of {@code before}. */
    static Difference of(TenantState before, TenantPolicy after) {
        TenantPolicy now = before.policy();
        var frame = new Frame(before.tenant(), NOW);
        DiffResult found = compare(
                frame, now, after, now.byDefault().outcome(), after.byDefault().outcome());
        if (before.tenant().isEmpty() && found.widening() == Widening.NO) {
            // What the operator forbids matters where a tenant allows.
            found = compare(frame, now, after, Outcome.ALLOW, Outcome.ALLOW);
        }
        return new Difference(
                before.revision(), found.widening() != Widening.NO, json(found).toString());
    }

    private static DiffResult compare(
            Frame frame, TenantPolicy before, TenantPolicy after, Outcome otherwise, Outcome otherwiseAfter) {
        return new BoundaryDiff(frame).compare(judge(before, otherwise), judge(after, otherwiseAfter));
    }

    private static Judge judge(TenantPolicy policy, Outcome otherwise) {
        Judge rules = Judge.of(policy.base(), policy.values());
        Judge all = rules.plus(policy.tables().stream()
                .map(RowTable::rules)
                .flatMap(List::stream)
                .toList());
        Function<Evaluation, Verdict> combining = COMBINING.getOrDefault(otherwise, DenyOverrides::combine);
        return new Judge(all.rules(), all.values(), all.templates(), combining);
    }

    private static ObjectNode json(DiffResult found) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("widening", found.widening().name().toLowerCase(Locale.ROOT));
        out.put("exact", found.exact());
        if (found.whyNotExact() != null) {
            out.put("why_not_exact", found.whyNotExact());
        }
        out.put("tried", found.tried());
        out.put("found", found.changes().size());
        ArrayNode changes = out.putArray("changes");
        found.changes().stream().limit(MOST_SHOWN).forEach(change -> changes.add(json(change)));
        return out;
    }

    private static ObjectNode json(Change change) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("kind", change.kind().name().toLowerCase(Locale.ROOT));
        out.put("widens", change.widens());
        verdict(out.putObject("before"), change.before());
        verdict(out.putObject("after"), change.after());
        out.put("requests", change.requests());
        out.put("now", change.now().toString());
        // A literal of a rule can be long, and stands in the example.
        if (change.example().toString().length() <= LONGEST_EXAMPLE) {
            out.set("example", change.example());
        }
        return out;
    }

    private static void verdict(ObjectNode out, Verdict verdict) {
        out.put("decision", verdict.outcome().word());
        ArrayNode reasons = out.putArray("reasons");
        verdict.reasons().forEach(reasons::add);
        if (verdict.settledBy() != null) {
            out.put("policy", verdict.settledBy().id());
        }
    }
}
