package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.approvals.Submissions;
import dev.countersign.server.approvals.Uses;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The approval workflow of seed 000: {@code /actions/{id}/request}, {@code /actions/{id}/execute}, {@code /approvals}. */
final class GuardrailsHandler {
    /** Where actions are requested and executed. */
    static final String ACTIONS = "/actions/:id";

    /** Where requests are. */
    static final String APPROVALS = "/approvals";

    private static final int INBOX = 200;

    private final Callers callers;
    private final Judging judging;
    private final Requesting asking;
    private final Applying applying;
    private final Approvals approvals;
    private final Reviewing reviewing;
    private final ApprovalsHandler lists;
    private final ApprovalView view;

    GuardrailsHandler(
            Callers callers,
            Judging judging,
            Requesting asking,
            Applying applying,
            Approvals approvals,
            Reviewing reviewing,
            ApprovalsHandler lists,
            ApprovalView view) {
        this.callers = callers;
        this.judging = judging;
        this.asking = asking;
        this.applying = applying;
        this.approvals = approvals;
        this.reviewing = reviewing;
        this.lists = lists;
        this.view = view;
    }

    /**
     * {@code {action, resource?, params?, reason?}}: an allowed call is run at once if the server can; one that needs approval
     * is asked for; a denial is 403.
     */
    void request(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            JsonNode given = body.json();
            new Members(given, "action", "resource", "params", "reason", "context");
            Call call = call(caller, given);
            Submission.small(call);
            String id = name(ctx);
            var about = new AccessRequest.About(
                    id,
                    null,
                    Requesting.hash(given),
                    Texts.of(given.path("reason"), Texts.NOTE),
                    null,
                    Texts.of(given.path("context").path("run_id"), Texts.NAME),
                    Texts.of(given.path("context").path("session_id"), Texts.NAME),
                    null,
                    null,
                    null,
                    null);
            judging.by(
                    ctx,
                    caller,
                    state -> Waiting.change(
                            ctx,
                            asking.ask(
                                    ctx.vertx(), state.policy(), caller, call, Dialect.ACTIONS, about, List.of(), null),
                            asked -> requested(ctx, caller, call, asked)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static String name(RoutingContext ctx) throws BadCall {
        String id = Parameters.id(ctx, "id");
        if (id.isEmpty() || id.length() > Texts.NAME) {
            throw new BadCall("the id of an action has 1 to " + Texts.NAME + " characters");
        }
        return id;
    }

    private static Call call(Caller caller, JsonNode given) throws BadCall {
        JsonNode action = Calls.action(given.get("action"));
        for (String own : List.of(Uses.APPROVAL, Uses.EXECUTION)) {
            if (!Calls.absent(given.path("context").path(own))) {
                throw new BadCall("`context." + own + "` is not taken here: give `approvalRequestId` to execute");
            }
        }
        return Calls.of(
                Calls.itself(caller),
                action,
                Calls.resource(given.path("resource"), action),
                given.get("params"),
                given.get("context"));
    }

    private void requested(RoutingContext ctx, Caller caller, Call call, Requesting.Asked asked) {
        Decided decided = asked.decided();
        if (asked.submitted() instanceof Submissions.Submitted.Made made) {
            AccessRequest request = made.task().get(0);
            Bodies.send(
                    ctx,
                    made.before() ? 200 : 202,
                    JsonNodeFactory.instance
                            .objectNode()
                            .put("executed", false)
                            .put("approvalRequestId", request.id().toString())
                            .put("status", view.outcome(request))
                            .put("traceId", decided.id()));
        } else if (asked.submitted() != null) {
            Requesting.refuse(ctx, asked.submitted());
        } else if (!decided.permitted()) {
            denied(ctx, decided);
        } else {
            Waiting.change(ctx, applying.run(ctx.vertx(), caller, call, decided), applied -> executed(ctx, applied));
        }
    }

    private static void denied(RoutingContext ctx, Decided decided) {
        boolean asks = decided.verdict().outcome() == Outcome.REQUIRE_APPROVAL;
        Problems.send(
                ctx,
                403,
                asks ? "approval_required" : "denied",
                asks
                        ? "this needs an approved `approvalRequestId` of this very call: " + decided.reason()
                        : "rules deny this: " + decided.reason(),
                problem -> problem.put("decision", decided.verdict().outcome().word())
                        .put("decision_id", decided.id()));
    }

    private static void executed(RoutingContext ctx, Applying.Applied applied) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        var run = applied.run();
        Decided decided = applied.decided();
        out.put("executed", run != null && run.result() != null);
        if (run == null) {
            out.put("status", "allowed");
        } else {
            out.put("status", run.result() == null ? run.execution().status().word() : "executed");
            result(out, applied);
        }
        if (decided != null) {
            out.put("traceId", decided.id());
        }
        Bodies.send(ctx, 200, out);
    }

    private static void result(ObjectNode out, Applying.Applied applied) {
        var run = applied.run();
        if (run == null) {
            return;
        }
        if (run.result() != null) {
            out.set("result", run.result());
        }
        if (run.execution().errorClass() != null) {
            out.put("errorClass", run.execution().errorClass().word());
        }
    }

    /** {@code {action, resource?, params?, approvalRequestId?}}: runs an allowed call, or one whose request was approved. */
    void execute(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            JsonNode given = body.json();
            var members = new Members(given, "action", "resource", "params", "context", "approvalRequestId");
            name(ctx);
            Call call = call(caller, given);
            if (Calls.absent(given.path("approvalRequestId"))) {
                judging.by(ctx, caller, state -> execute(ctx, state.policy(), caller, call));
                return;
            }
            String request = members.required("approvalRequestId");
            Waiting.read(ctx, approvalOf(caller, request), approval -> {
                if (approval == null) {
                    Problems.send(ctx, 403, "not_approved", "there is no approved request of this id for this caller");
                    return;
                }
                judging.by(ctx, caller, state -> presenting(ctx, state.policy(), caller, call, approval));
            });
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private Future<@Nullable Approval> approvalOf(Caller caller, String request) {
        return reviewing.named(caller, request).compose(found -> {
            boolean own =
                    found.size() == 1 && found.get(0).requester().principal().equals(caller.principal());
            return own ? reviewing.granted(found.get(0)) : Future.succeededFuture(null);
        });
    }

    private void presenting(RoutingContext ctx, TenantPolicy policy, Caller caller, Call call, Approval approval) {
        try {
            execute(ctx, policy, caller, applying.presenting(call, approval.id()));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private void execute(RoutingContext ctx, TenantPolicy policy, Caller caller, Call call) {
        Waiting.change(ctx, applying.run(ctx.vertx(), policy, caller, call, Dialect.ACTIONS), applied -> {
            Decided decided = applied.decided();
            if (decided != null && !decided.permitted()) {
                denied(ctx, decided);
                return;
            }
            var run = applied.run();
            ObjectNode out = JsonNodeFactory.instance
                    .objectNode()
                    .put("success", run != null && run.result() != null)
                    .put("executed", run != null);
            result(out, applied);
            if (decided != null) {
                out.put("traceId", decided.id());
            }
            Bodies.send(ctx, 200, out);
        });
    }

    /** {@code {mine, inbox}}: what the caller asked for, and what waits for it. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE, Role.APPROVALS_READ, Role.APPROVALS_APPROVE);
        if (caller == null) {
            return;
        }
        String tenant = caller.inTenant();
        UUID person = caller.mayAny(Role.APPROVALS_APPROVE) ? caller.person() : null;
        Future<List<AccessRequest>> mine = approvals.requests().mine(tenant, caller.principal(), INBOX);
        Future<List<AccessRequest>> inbox = person == null
                ? Future.succeededFuture(List.of())
                : approvals.requests().waitingFor(tenant, person, view.now(), INBOX);
        Waiting.read(
                ctx,
                mine.compose(own -> lists.shown(caller, own))
                        .compose(own -> inbox.compose(waiting -> lists.shown(caller, waiting))
                                .map(waiting -> both(own, waiting))),
                out -> Bodies.send(ctx, 200, out));
    }

    private static ObjectNode both(ArrayNode mine, ArrayNode inbox) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.set("mine", mine);
        out.set("inbox", inbox);
        return out;
    }

    /** {@code {}}. */
    void approve(RoutingContext ctx) {
        vote(ctx, Review.Vote.APPROVE, "note");
    }

    /** {@code {reason}}. */
    void deny(RoutingContext ctx) {
        vote(ctx, Review.Vote.DENY, "reason");
    }

    private void vote(RoutingContext ctx, Review.Vote vote, String member) {
        Caller caller = reviewing.reviewer(ctx);
        JsonNode body = caller == null ? null : Reviewing.optional(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            new Members(body, member);
            reviewing.vote(ctx, caller, vote, Reviewing.note(body, member), done -> {
                Approval approval = done.approval();
                ObjectNode out = JsonNodeFactory.instance.objectNode().put("success", true);
                out.set("approval", view.of(done.request(), approval == null ? List.of() : List.of(approval)));
                Bodies.send(ctx, 200, out);
            });
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }
}
