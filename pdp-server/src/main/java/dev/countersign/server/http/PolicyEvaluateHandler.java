package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.PolicyAnswer;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.metrics.Metrics;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/policy/evaluate} (seeds 000 and 003): {@code {action, resource?, params?, context?, reason?, subject?}},
 * evaluating only. Without a resource the action is a tool and {@code params} are its arguments; without a subject the
 * caller asks for itself.
 */
final class PolicyEvaluateHandler {
    /** Where it is asked. */
    static final String PATH = "/v1/policy/evaluate";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Callers callers;
    private final Judging judging;
    private final DecisionLoop decisions;
    private final Answering answering;

    PolicyEvaluateHandler(Callers callers, Judging judging, DecisionLoop decisions, Metrics metrics) {
        this.callers = callers;
        this.judging = judging;
        this.decisions = decisions;
        this.answering = new Answering(decisions, metrics, PATH);
    }

    void evaluate(RoutingContext ctx) {
        long began = System.nanoTime();
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller != null && body != null) {
            judging.by(ctx, caller, state -> evaluate(ctx, state.policy(), caller, body, began));
        }
    }

    private void evaluate(RoutingContext ctx, TenantPolicy policy, Caller caller, Body body, long began) {
        try {
            Decided decided =
                    decisions.decide(policy, caller, call(caller, body.json()), null, Dialect.POLICY_EVALUATE);
            answering.send(ctx, PolicyAnswer.of(decided), began);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        } catch (LogUnavailableException e) {
            Answering.unavailable(ctx);
        }
    }

    /** The call that a body asks about: here, and nowhere else, {@code params} become the arguments of a call. */
    static Call call(Caller caller, JsonNode body) throws BadCall {
        JsonNode subject = body.get("subject");
        if (subject == null || subject.isNull()) {
            subject = NODES.objectNode().put("type", caller.subjectType()).put("id", caller.name());
        }
        JsonNode action = body.get("action");
        if (action != null && action.isTextual()) {
            action = NODES.objectNode().put("name", action.textValue());
        }
        JsonNode resource = body.get("resource");
        if (resource == null || resource.isNull()) {
            String name = action == null ? "" : action.path("name").asText();
            resource = NODES.objectNode().put("type", "tool").put("id", name);
        } else if (resource.isTextual()) {
            resource = NODES.objectNode().put("type", "resource").put("id", resource.textValue());
        }
        JsonNode params = body.get("params");
        if (params != null && !params.isNull()) {
            if (!params.isObject()) {
                throw new BadCall("`params` must be an object");
            }
            boolean tool = resource.path("type").asText().equals("tool");
            if (tool) {
                resource = with(resource, "resource", params);
            } else {
                action = with(action, "action", params);
            }
        }
        return Call.of(subject, action, resource, body.get("context"));
    }

    private static @Nullable JsonNode with(@Nullable JsonNode entity, String name, JsonNode params) throws BadCall {
        if (entity == null || !entity.isObject()) {
            return entity;
        }
        if (entity.has("properties")) {
            throw new BadCall("give the arguments as `params` or as `" + name + ".properties`, not both");
        }
        ObjectNode copy = NODES.objectNode();
        copy.setAll((ObjectNode) entity);
        return copy.set("properties", params);
    }
}
