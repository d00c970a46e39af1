package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Reassignments.Outcome;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Ruling;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code POST /api/v1/approvals/{id}/reassign}: a reviewer's place on one request goes to another person. */
final class ReassignHandler {
    private final Callers callers;
    private final Approvals approvals;
    private final Reviewing reviewing;
    private final ApprovalView view;

    ReassignHandler(Callers callers, Approvals approvals, Reviewing reviewing, ApprovalView view) {
        this.callers = callers;
        this.approvals = approvals;
        this.reviewing = reviewing;
        this.view = view;
    }

    /** {@code {to, from?, note?}}: the caller's own place, or of administrators anybody's. */
    void reassign(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE, Role.ADMIN);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        JsonNode json = body.json();
        try {
            var members = new Members(json, "to", "from", "note");
            PersonName to = members.person("to");
            PersonName from = members.person("from");
            String note = Reviewing.note(json, "note");
            if (to == null) {
                throw new Members.Unfit("`to` is missing: the name of the person who is to review");
            }
            if (from == null && caller.person() == null) {
                throw new Members.Unfit("`from` is missing: this key is no person's");
            }
            if (from != null && !caller.mayAny(Role.ADMIN)) {
                Problems.send(ctx, 403, "forbidden", "only an administrator hands on another's place");
                return;
            }
            reviewing.found(
                    ctx,
                    caller,
                    request -> Waiting.change(
                            ctx,
                            approvals.reassignments().reassign(caller, request.id(), from, to, note),
                            outcome -> answer(ctx, outcome)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private void answer(RoutingContext ctx, Outcome outcome) {
        if (outcome instanceof Outcome.Done done) {
            Bodies.send(ctx, 200, view.reassigned(view.of(done.request(), List.of()), done.all()));
        } else if (outcome instanceof Outcome.Ended ended) {
            reviewing.refused(new Reviews.Outcome.Ended(ended.request())).send(ctx);
        } else if (outcome instanceof Outcome.Nobody nobody) {
            refuse(
                    ctx,
                    422,
                    "unknown_person",
                    "there is no person `" + nobody.name().shown() + "` here",
                    null);
        } else if (outcome instanceof Outcome.Same) {
            refuse(ctx, 422, "cannot_take", "`to` is whose place it is: name somebody else", null);
        } else if (outcome instanceof Outcome.MayNot may) {
            refuse(ctx, 403, "not_eligible", "there is no place to hand on: " + Reviewing.why(may.why()), may.why());
        } else if (outcome instanceof Outcome.CannotTake cannot) {
            String why = cannot.why().reason() == Ruling.Reason.NEEDED_LATER
                    ? "then one person would have to fill two places, and not all could be filled"
                    : Reviewing.why(cannot.why());
            refuse(ctx, 422, "cannot_take", "`to` cannot take the place: " + why, cannot.why());
        } else {
            Reviewing.unknown(ctx);
        }
    }

    private static void refuse(
            RoutingContext ctx, int status, String kind, String detail, Ruling.@Nullable MayNot why) {
        Problems.send(ctx, status, kind, detail, problem -> {
            if (why != null) {
                problem.put("reason", why.reason().name().toLowerCase(Locale.ROOT));
            }
        });
    }
}
