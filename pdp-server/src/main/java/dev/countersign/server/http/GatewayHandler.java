package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.approvals.Submissions;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The approval gateway of seed 004: {@code POST /api/v1/approvals}, {@code /{id}/decide}, {@code /{id}/cancel}, {@code /cleanup}. */
final class GatewayHandler {
    private static final long LONGEST_WAIT = Duration.ofDays(30).toSeconds();

    private final Callers callers;
    private final Judging judging;
    private final Requesting asking;
    private final Approvals approvals;
    private final Reviewing reviewing;
    private final ApprovalView view;
    private final InstantSource clock;

    GatewayHandler(
            Callers callers,
            Judging judging,
            Requesting asking,
            Approvals approvals,
            Reviewing reviewing,
            ApprovalView view,
            InstantSource clock) {
        this.callers = callers;
        this.judging = judging;
        this.asking = asking;
        this.approvals = approvals;
        this.reviewing = reviewing;
        this.view = view;
        this.clock = clock;
    }

    /**
     * {@code {action_id, action_type, description?, context?, run_id?, requested_by?, timeout_seconds?}}: the caller's own call
     * of the tool {@code action_type} with {@code context} as its arguments.
     */
    void create(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(
                    body.json(),
                    "action_id",
                    "action_type",
                    "description",
                    "context",
                    "run_id",
                    "session_id",
                    "requested_by",
                    "timeout_seconds");
            String id = members.required("action_id");
            String type = members.required("action_type");
            long timeout = members.number("timeout_seconds", 0, 1, LONGEST_WAIT);
            JsonNode given = body.json();
            Call call = call(caller, type, given);
            Submission.small(call);
            AccessRequest.About about = about(given, id);
            judging.by(
                    ctx,
                    caller,
                    state -> create(ctx, state.policy(), caller, call, about, given.path("requested_by"), timeout));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static Call call(Caller caller, String type, JsonNode given) throws BadCall {
        ObjectNode context = JsonNodeFactory.instance.objectNode();
        for (String member : List.of("run_id", "session_id")) {
            if (given.path(member).isTextual()) {
                context.set(member, given.path(member));
            }
        }
        JsonNode action = Calls.action(JsonNodeFactory.instance.textNode(type));
        return Calls.of(Calls.itself(caller), action, Calls.entity("tool", type), given.get("context"), context);
    }

    private static AccessRequest.About about(JsonNode given, String id) {
        return new AccessRequest.About(
                id,
                null,
                Requesting.hash(given),
                Texts.of(given.path("description"), Texts.NOTE),
                Texts.of(given.path("requested_by"), Texts.NAME),
                Texts.of(given.path("run_id"), Texts.NAME),
                Texts.of(given.path("session_id"), Texts.NAME),
                null,
                null,
                null,
                null);
    }

    private void create(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            Call call,
            AccessRequest.About about,
            JsonNode claimed,
            long timeout) {
        var wait = timeout == 0 ? null : clock.instant().plusSeconds(timeout);
        List<String> claims = claimed.isTextual() ? List.of(claimed.textValue()) : List.of();
        Waiting.change(
                ctx,
                asking.ask(ctx.vertx(), policy, caller, call, Dialect.APPROVALS, about, claims, wait),
                asked -> created(ctx, caller, asked));
    }

    private void created(RoutingContext ctx, Caller caller, Requesting.Asked asked) {
        Submissions.Submitted submitted = asked.submitted();
        if (submitted == null) {
            Decided decided = asked.decided();
            if (decided.verdict().outcome() == Outcome.REQUIRE_APPROVAL) {
                Problems.send(
                        ctx,
                        409,
                        "not_requestable",
                        "this needs approval, and cannot be asked for: a number in it is beyond what JSON can carry"
                                + " everywhere, or the approval template is not known");
                return;
            }
            Problems.send(
                    ctx,
                    409,
                    "no_approval_needed",
                    "rules ask nobody to approve this: it is answered `"
                            + decided.verdict().outcome().word() + "`",
                    problem -> problem.put(
                                    "decision", decided.verdict().outcome().word())
                            .put("decision_id", decided.id()));
        } else if (submitted instanceof Submissions.Submitted.Made made) {
            AccessRequest request = made.task().get(0);
            ctx.response().putHeader("Location", ApprovalsHandler.PATH + "/" + request.id());
            Waiting.read(
                    ctx,
                    reviewing.granted(request),
                    granted -> Bodies.send(
                            ctx,
                            made.before() ? 200 : 201,
                            ApprovalsHandler.seen(
                                    caller, view.of(request, granted == null ? List.of() : List.of(granted)))));
        } else {
            Requesting.refuse(ctx, submitted);
        }
    }

    /** {@code {approved, reason?, decided_by?}}: who decides is who calls, whatever the body claims. */
    void decide(RoutingContext ctx) {
        Caller caller = reviewing.reviewer(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "approved", "reason", "decided_by");
            Review.Vote vote = members.bool("approved") ? Review.Vote.APPROVE : Review.Vote.DENY;
            String note = Reviewing.note(body.json(), "reason");
            reviewing.vote(ctx, caller, vote, note, done -> {
                var approval = done.approval();
                Bodies.send(ctx, 200, view.of(done.request(), approval == null ? List.of() : List.of(approval)));
            });
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /** {@code ?reason}: for whoever asked, and for administrators. */
    void cancel(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            String reason = Texts.cut(Parameters.text(ctx, "reason"), Texts.NOTE);
            reviewing.found(
                    ctx,
                    caller,
                    request -> Waiting.change(
                            ctx,
                            approvals
                                    .reviews()
                                    .cancel(
                                            caller,
                                            request.task(),
                                            request.id(),
                                            reason,
                                            each -> AccessRequestsHandler.mayStop(caller, each)),
                            outcome -> cancelled(ctx, outcome)));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private void cancelled(RoutingContext ctx, Reviews.Outcome outcome) {
        if (outcome instanceof Reviews.Outcome.Done done) {
            Bodies.send(ctx, 200, view.of(done.request(), List.of()));
        } else {
            reviewing.refused(outcome).send(ctx);
        }
    }

    /** Notes at once what has run out of time; nobody depends on it. */
    void cleanup(RoutingContext ctx) {
        @Nullable Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE, Role.ADMIN);
        if (caller != null) {
            Waiting.change(
                    ctx,
                    approvals.sweeper().sweep(),
                    noted -> Bodies.send(
                            ctx, 200, JsonNodeFactory.instance.objectNode().put("cleaned", true)));
        }
    }
}
