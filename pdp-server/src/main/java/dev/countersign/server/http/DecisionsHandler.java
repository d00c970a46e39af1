package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.explain.Explanation;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decision.PolicySnapshot;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code GET /api/v1/decisions}, {@code /{id}} and {@code /{id}/explain}: the decision log of the caller's tenant. */
final class DecisionsHandler {
    private static final Logger LOG = LoggerFactory.getLogger(DecisionsHandler.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_PAGE = 200;

    private final Callers callers;
    private final DecisionRecords records;
    private final Supplier<PolicySnapshot> policies;
    private @Nullable RuleBase explained;
    private @Nullable Explainer explainer;

    DecisionsHandler(Callers callers, DecisionRecords records, Supplier<PolicySnapshot> policies) {
        this.callers = callers;
        this.records = records;
        this.policies = policies;
    }

    /** Newest first; {@code limit}, {@code before} (an id), {@code decision}, {@code subject}, {@code action}. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.AUDIT_READ, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            var query = new DecisionRecords.Query(
                    parameter(ctx, "decision"),
                    parameter(ctx, "subject"),
                    parameter(ctx, "action"),
                    id(parameter(ctx, "before")),
                    limit(parameter(ctx, "limit")));
            records.list(tenant(caller), query)
                    .onSuccess(entries -> page(ctx, entries, query.limit()))
                    .onFailure(cause -> away(ctx, cause));
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
        find(ctx, (caller, entry) -> json(ctx, entry));
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
            try {
                PolicySnapshot current = policies.get();
                Instant at = Instant.parse(entry.path("at").asText());
                TenantPolicy policy = current.tenant(tenant(caller));
                var made = new Request(tenant(caller), Call.of(request), at, policy.values());
                ObjectNode out = JSON.createObjectNode();
                out.put("id", entry.path("id").asText());
                Explanation explanation = explainer(current.base()).explain(made);
                String decision = entry.path("decision").asText();
                out.put("same_rules", policy.made(entry));
                out.put("same_decision", explanation.verdict().outcome().word().equals(decision));
                out.put("decision", decision);
                out.set("explanation", explanation.toJson());
                json(ctx, out);
            } catch (BadCall e) {
                throw new IllegalStateException("the log holds a call that is none", e);
            }
        });
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
            UUID id = Objects.requireNonNull(id(ctx.pathParam("id")));
            records.find(tenant(caller), id)
                    .onSuccess(entry -> {
                        if (entry == null) {
                            Problems.send(ctx, 404, "not_found", "this tenant has no decision " + id);
                            return;
                        }
                        try {
                            found.accept(caller, JSON.readTree(entry));
                        } catch (IOException | RuntimeException e) {
                            ctx.fail(e);
                        }
                    })
                    .onFailure(cause -> away(ctx, cause));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static String tenant(Caller caller) {
        return Objects.requireNonNull(caller.tenant(), "these roles belong to a tenant");
    }

    private static void away(RoutingContext ctx, Throwable cause) {
        LOG.warn("the decision table cannot be read: {}", cause.toString());
        Problems.send(
                ctx, 503, "database_away", "the database does not answer; decisions are made and kept all the same");
    }

    private static @Nullable String parameter(RoutingContext ctx, String name) throws BadCall {
        String value;
        try {
            value = ctx.request().getParam(name);
        } catch (IllegalArgumentException e) {
            throw new BadCall("the query is not percent-encoded UTF-8");
        }
        if (value == null || value.isEmpty()) {
            return null;
        }
        if (value.indexOf('\0') >= 0) {
            // PostgreSQL refuses it in a text.
            throw new BadCall("`" + name + "` holds a NUL");
        }
        return value;
    }

    private static @Nullable UUID id(@Nullable String text) throws BadCall {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new BadCall("`" + text.substring(0, Math.min(40, text.length())) + "` is not the id of a decision");
        }
    }

    private static int limit(@Nullable String text) throws BadCall {
        if (text == null) {
            return 50;
        }
        if (!text.matches("[1-9][0-9]{0,2}") || Integer.parseInt(text) > MAX_PAGE) {
            throw new BadCall("`limit` is a number from 1 to " + MAX_PAGE);
        }
        return Integer.parseInt(text);
    }

    private static void json(RoutingContext ctx, JsonNode body) {
        ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json").end(body.toString());
    }
}
