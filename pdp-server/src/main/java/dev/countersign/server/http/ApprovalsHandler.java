package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.AccessRequestStore;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Reviewer;
import dev.countersign.server.separation.Ruling;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/approvals}: what reviewers see and do (seed 002). */
final class ApprovalsHandler {
    /** Where access requests are. */
    static final String PATH = "/api/v1/approvals";

    private final Callers callers;
    private final Approvals approvals;
    private final ApprovalView view;

    ApprovalsHandler(Callers callers, Approvals approvals, TaskView tasks) {
        this.callers = callers;
        this.approvals = approvals;
        this.view = new ApprovalView(tasks);
    }

    /** Oldest first; {@code status}, {@code session_id}, {@code run_id}, {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ);
        if (caller == null) {
            return;
        }
        try {
            var query = new AccessRequestStore.Query(
                    ApprovalView.status(Parameters.text(ctx, "status")),
                    Parameters.text(ctx, "session_id"),
                    Parameters.text(ctx, "run_id"),
                    null,
                    Parameters.uuid(Parameters.text(ctx, "after")),
                    Parameters.limit(ctx));
            Waiting.read(ctx, page(caller, query), page -> Bodies.send(ctx, 200, page));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private Future<ObjectNode> page(Caller caller, AccessRequestStore.Query query) {
        String tenant = caller.inTenant();
        return approvals
                .requests()
                .list(tenant, query)
                .compose(requests -> approvals
                        .approvals()
                        .of(tenant, requests.stream().map(AccessRequest::id).toList())
                        .map(granted -> {
                            ObjectNode out = JsonNodeFactory.instance.objectNode();
                            ArrayNode all = out.putArray("approvals");
                            requests.forEach(each -> all.add(view.of(each, granted)));
                            if (requests.size() == query.limit()) {
                                out.put(
                                        "next",
                                        requests.get(requests.size() - 1).id().toString());
                            }
                            return out;
                        }));
    }

    /** The request with its reviews and who could approve it now. */
    void get(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            found(ctx, caller, id, request -> Waiting.read(ctx, whole(request), out -> Bodies.send(ctx, 200, out)));
        }
    }

    private void found(RoutingContext ctx, Caller caller, UUID id, Consumer<AccessRequest> then) {
        Waiting.read(ctx, approvals.requests().find(caller.inTenant(), id), request -> {
            if (request == null) {
                unknown(ctx);
            } else {
                then.accept(request);
            }
        });
    }

    private Future<ObjectNode> whole(AccessRequest request) {
        Future<List<Approval>> granted = approvals.approvals().of(request.tenant(), List.of(request.id()));
        Future<List<Review>> reviews = approvals.requests().reviews(request.tenant(), request.id());
        Future<List<Reviewer>> eligible = approvals.reviews().eligible(request);
        return Future.all(granted, reviews, eligible)
                .map(all -> view.whole(request, granted.result(), reviews.result(), eligible.result()));
    }

    /** {@code {note?}}. */
    void approve(RoutingContext ctx) {
        vote(ctx, Review.Vote.APPROVE, "note");
    }

    /** {@code {note?, reason?}}. */
    void reject(RoutingContext ctx) {
        vote(ctx, Review.Vote.DENY, "note", "reason");
    }

    private void vote(RoutingContext ctx, Review.Vote vote, String... members) {
        Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE);
        UUID id = caller == null ? null : id(ctx);
        if (caller == null || id == null) {
            return;
        }
        try {
            String note = note(ctx, members);
            Waiting.change(ctx, approvals.reviews().vote(caller, id, vote, note), outcome -> voted(ctx, outcome));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        } catch (BadCall e) {
            // It was refused as it was read.
            return;
        }
    }

    private static @Nullable String note(RoutingContext ctx, String... members) throws Members.Unfit, BadCall {
        if (ctx.body().length() <= 0) {
            return null;
        }
        Body body = Bodies.object(ctx);
        if (body == null) {
            throw new BadCall("refused");
        }
        new Members(body.json(), members);
        for (String member : members) {
            var given = body.json().path(member);
            if (!Calls.absent(given)) {
                if (!given.isTextual()) {
                    throw new Members.Unfit("`" + member + "` is a text");
                }
                return Texts.of(given, Texts.NOTE);
            }
        }
        return null;
    }

    private void voted(RoutingContext ctx, Reviews.Outcome outcome) {
        if (outcome instanceof Reviews.Outcome.Done done) {
            Approval approval = done.approval();
            Bodies.send(ctx, 200, view.of(done.request(), approval == null ? List.of() : List.of(approval)));
        } else if (outcome instanceof Reviews.Outcome.Ended ended) {
            Problems.send(
                    ctx,
                    409,
                    "request_ended",
                    "this request is `" + view.word(ended.request(), List.of()) + "`: it is decided no more");
        } else if (outcome instanceof Reviews.Outcome.MayNot may) {
            Problems.send(
                    ctx,
                    403,
                    "not_eligible",
                    why(may.why()),
                    problem -> problem.put("reason", may.why().reason().name().toLowerCase(java.util.Locale.ROOT)));
        } else {
            unknown(ctx);
        }
    }

    private static String why(Ruling.MayNot may) {
        return switch (may.reason()) {
            case REQUESTERS_SIDE ->
                "who asked, owns the agent, acts for them or is acted for by them does not review the request";
            case NOT_A_REVIEWER -> "only persons with the role approvals.approve review";
            case LACKS_ROLE -> "this stage takes the role `" + may.missingRole() + "`";
            case VOTED_ALREADY -> "this person has reviewed the request already, or somebody did in its place";
            case NEEDED_LATER ->
                "without this person a later stage could not be filled: somebody else has to approve this one";
        };
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such access request here");
    }
}
