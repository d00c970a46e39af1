package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
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

/**
 * {@code POST /v1/policy/evaluate} (seeds 000 and 003): {@code {action, resource?, params?, context?, reason?, subject?}},
 * evaluating only. Without a resource the action is a tool and {@code params} are its arguments; without a subject the
 * caller asks for itself.
 */
final class PolicyEvaluateHandler {
    /** Where it is asked. */
    static final String PATH = "/v1/policy/evaluate";

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
            judging.resolve(ctx, policy, caller, call(caller, body.json()), call -> {
                try {
                    Decided decided = decisions.decide(policy, caller, call, null, Dialect.POLICY_EVALUATE);
                    answering.send(ctx, PolicyAnswer.of(decided), began);
                } catch (LogUnavailableException e) {
                    Answering.unavailable(ctx);
                }
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static Call call(Caller caller, JsonNode body) throws BadCall {
        JsonNode subject = body.path("subject");
        JsonNode action = Calls.action(body.get("action"));
        return Calls.of(
                Calls.absent(subject) ? Calls.itself(caller) : subject,
                action,
                Calls.resource(body.path("resource"), action),
                body.get("params"),
                body.get("context"));
    }
}
