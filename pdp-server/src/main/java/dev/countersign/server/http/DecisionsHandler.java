package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.explain.Explanation;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/v1/decisions}, {@code /{id}} and {@code /{id}/explain}: the decision log of the caller's tenant. */
final class DecisionsHandler {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Callers callers;
    private final DecisionRecords records;
    private final Judging judging;
    private @Nullable RuleBase explained;
    private @Nullable Explainer explainer;

    DecisionsHandler(Callers callers, DecisionRecords records, Judging judging) {
        this.callers = callers;
        this.records = records;
        this.judging = judging;
    }

    /** Newest first; {@code limit}, {@code before} (an id), {@code decision}, {@code subject}, {@code action}. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.AUDIT_READ, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            var query = new DecisionRecords.Query(
                    Parameters.text(ctx, "decision"),
                    Parameters.text(ctx, "subject"),
                    Parameters.text(ctx, "action"),
                    Parameters.uuid(Parameters.text(ctx, "before")),
                    Parameters.limit(ctx));
            Waiting.read(ctx, records.list(caller.inTenant(), query), entries -> page(ctx, entries, query.limit()));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** The entries leave as they were logged, without being read. */
    private static void page(RoutingContext ctx, List<DecisionRecords.Entry> entries, int limit) {
        var out = new StringBuilder("{\"decisions\":[");
        for (DecisionRecords.Entry entry : entries) {
            out.append(out.charAt(out.length() - 1) == '[' ? "" : ",").append(entry.json());
        }
        out.append(']');
        if (entries.size() == limit) {
            out.append(",\"next\":\"").append(entries.get(limit - 1).id()).append('"');
        }
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(out.append('}').toString());
    }

    void get(RoutingContext ctx) {
        find(ctx, (caller, entry) -> Bodies.send(ctx, 200, entry));
    }

    /**
     * Why, and why not: the recorded call against the rules in force now, whether rules and values are the same as then,
     * and whether they come to the same. They may not where a rule reads a credential, of which the record has a digest.
     */
    void explain(RoutingContext ctx) {
        find(ctx, (caller, entry) -> {
            JsonNode request = entry.get("request");
            if (request == null) {
                Problems.send(
                        ctx,
                        409,
                        "nothing_to_explain",
                        "this was no complete call: " + entry.path("invalid").asText());
                return;
            }
            if (entry.has("invalid_arguments")) {
                Problems.send(
                        ctx,
                        409,
                        "nothing_to_explain",
                        "no rule was asked: the arguments broke the schema of the registered action, at "
                                + entry.get("invalid_arguments"));
                return;
            }
            judging.by(ctx, caller, state -> Bodies.send(ctx, 200, explained(state.policy(), caller, entry)));
        });
    }

    private ObjectNode explained(TenantPolicy policy, Caller caller, JsonNode entry) {
        try {
            Instant at = Instant.parse(entry.path("at").asText());
            var made = new Request(caller.inTenant(), policy.recorded(entry), at, policy.values());
            ObjectNode out = JSON.createObjectNode();
            out.put("id", entry.path("id").asText());
            Explanation explanation = explainer(policy.base()).explain(made, policy.tables(), policy.byDefault());
            String decision = entry.path("decision").asText();
            out.put("same_rules", policy.made(entry));
            Outcome outcome = explanation.verdict().outcome();
            // What humans approved, rules ask approval for again.
            boolean approved = entry.at("/approval/used").asBoolean() && outcome == Outcome.REQUIRE_APPROVAL;
            out.put("same_decision", approved || outcome.word().equals(decision));
            out.put("decision", decision);
            return out.set("explanation", explanation.toJson());
        } catch (BadCall e) {
            throw new IllegalStateException("the log holds a call that is none", e);
        }
    }

    private Explainer explainer(RuleBase current) {
        if (explainer == null || !current.equals(explained)) {
            explainer = new Explainer(current);
            explained = current;
        }
        return explainer;
    }

    private void find(RoutingContext ctx, BiConsumer<Caller, JsonNode> found) {
        Caller caller = callers.require(ctx, Role.AUDIT_READ, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            UUID id = Objects.requireNonNull(Parameters.uuid(ctx.pathParam("id")));
            Waiting.read(ctx, records.find(caller.inTenant(), id), entry -> {
                if (entry == null) {
                    Problems.send(ctx, 404, "not_found", "this tenant has no decision " + id);
                } else {
                    found.accept(caller, read(entry));
                }
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static JsonNode read(String entry) {
        try {
            return JSON.readTree(entry);
        } catch (IOException e) {
            throw new UncheckedIOException("the log holds an entry that is no JSON", e);
        }
    }
}
