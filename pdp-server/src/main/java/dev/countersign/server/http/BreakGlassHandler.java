package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Emergencies.Outcome;
import dev.countersign.server.approvals.Emergency;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.ext.web.RoutingContext;
import java.util.List;

/** {@code /api/v1/approvals/{id}/break-glass}: one person approves alone in an emergency, and another looks at it later. */
final class BreakGlassHandler {
    private final Callers callers;
    private final Approvals approvals;
    private final Reviewing reviewing;
    private final ApprovalView view;

    BreakGlassHandler(Callers callers, Approvals approvals, Reviewing reviewing, ApprovalView view) {
        this.callers = callers;
        this.approvals = approvals;
        this.reviewing = reviewing;
        this.view = view;
    }

    /** {@code GET /api/v1/approvals/break-glass}: those that nobody has looked at, the oldest first. {@code limit}. */
    void open(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ, Role.AUDIT_READ);
        if (caller == null) {
            return;
        }
        try {
            Waiting.read(ctx, approvals.emergencies().open(caller.inTenant(), Parameters.limit(ctx)), open -> {
                ArrayNode all = JsonNodeFactory.instance.arrayNode();
                open.forEach(each -> all.add(ApprovalView.emergency(each)));
                Bodies.send(ctx, 200, JsonNodeFactory.instance.objectNode().set("open", all));
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** {@code {reason}}. */
    void approve(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_BREAK_GLASS);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            new Members(body.json(), "reason");
            String reason = Reviewing.note(body.json(), "reason");
            if (reason == null || reason.isBlank()) {
                throw new Members.Unfit("`reason` is missing: why nobody else can be waited for");
            }
            reviewing.found(
                    ctx,
                    caller,
                    request -> Waiting.change(
                            ctx,
                            approvals.emergencies().approve(caller, request.id(), reason),
                            outcome -> answer(ctx, outcome)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /** {@code {verdict, note?}}. */
    void review(RoutingContext ctx) {
        Caller caller = reviewing.reviewer(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "verdict", "note");
            Emergency.Word word = Worded.of(Emergency.Word.class, members.required("verdict"));
            String note = Reviewing.note(body.json(), "note");
            if (word == null) {
                throw new Members.Unfit("`verdict` is justified or unjustified");
            }
            reviewing.found(
                    ctx,
                    caller,
                    request -> Waiting.change(
                            ctx,
                            approvals.emergencies().review(caller, request.id(), word, note),
                            outcome -> answer(ctx, outcome)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private void answer(RoutingContext ctx, Outcome outcome) {
        if (outcome instanceof Outcome.Done done) {
            var granted = done.approval() == null
                    ? List.<dev.countersign.server.approvals.Approval>of()
                    : List.of(done.approval());
            Bodies.send(
                    ctx,
                    200,
                    view.of(done.request(), granted).set("emergency", ApprovalView.emergency(done.emergency())));
        } else if (outcome instanceof Outcome.Ended ended) {
            reviewing.refused(new Reviews.Outcome.Ended(ended.request())).send(ctx);
        } else if (outcome instanceof Outcome.MayNot may) {
            reviewing.refused(may.why()).send(ctx);
        } else if (outcome instanceof Outcome.NotAllowed) {
            Problems.send(ctx, 403, "no_break_glass", "the template of this request lets nobody approve alone");
        } else if (outcome instanceof Outcome.Own) {
            Problems.send(ctx, 403, "forbidden", "whoever approved alone does not say whether that was right");
        } else if (outcome instanceof Outcome.Reviewed) {
            Problems.send(ctx, 409, "reviewed_before", "somebody has said so of this request before");
        } else {
            Problems.send(ctx, 404, "not_found", "there is no such request here, or nobody approved it alone");
        }
    }
}
