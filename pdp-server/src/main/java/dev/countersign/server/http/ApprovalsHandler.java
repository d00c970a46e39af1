package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.AccessRequestStore;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Corrections;
import dev.countersign.server.approvals.Emergency;
import dev.countersign.server.approvals.Reassignment;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Reviewer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/approvals}: what reviewers see and do (seed 002). */
final class ApprovalsHandler {
    /** Where access requests are. */
    static final String PATH = "/api/v1/approvals";

    private static final int MOST_ITEMS = 100;

    private final Callers callers;
    private final Approvals approvals;
    private final Reviewing reviewing;
    private final Applying applying;
    private final ApprovalView view;
    private final LongPoll polls;

    ApprovalsHandler(
            Callers callers,
            Approvals approvals,
            Reviewing reviewing,
            Applying applying,
            ApprovalView view,
            LongPoll polls) {
        this.callers = callers;
        this.approvals = approvals;
        this.reviewing = reviewing;
        this.applying = applying;
        this.view = view;
        this.polls = polls;
    }

    /**
     * Oldest first, or with {@code sort=risk} the most dangerous first: those that wait, or those of {@code status};
     * {@code risk}, {@code session_id}, {@code run_id}, {@code limit}, {@code after} (an id). Who only decides sees its own.
     */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ, Role.DECIDE);
        if (caller == null) {
            return;
        }
        try {
            var query = new AccessRequestStore.Query(
                    ApprovalView.standing(Parameters.text(ctx, "status")),
                    ApprovalView.risk(Parameters.text(ctx, "risk")),
                    ApprovalView.byRisk(Parameters.text(ctx, "sort")),
                    Parameters.text(ctx, "session_id"),
                    Parameters.text(ctx, "run_id"),
                    caller.mayAny(Role.APPROVALS_READ) ? null : caller.principal(),
                    Parameters.uuid(Parameters.text(ctx, "after")),
                    Parameters.limit(ctx));
            Waiting.read(ctx, page(caller, query), page -> Bodies.send(ctx, 200, page));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private Future<ObjectNode> page(Caller caller, AccessRequestStore.Query query) {
        return approvals
                .requests()
                .list(caller.inTenant(), query, view.now())
                .compose(requests -> shown(caller, requests).map(all -> {
                    ObjectNode out = JsonNodeFactory.instance.objectNode().set("approvals", all);
                    if (requests.size() == query.limit()) {
                        out.put("next", requests.get(requests.size() - 1).id().toString());
                    }
                    return out;
                }));
    }

    /** Requests with their approvals. */
    Future<ArrayNode> shown(Caller caller, List<AccessRequest> requests) {
        return approvals
                .approvals()
                .of(caller.inTenant(), requests.stream().map(AccessRequest::id).toList())
                .map(granted -> {
                    ArrayNode all = JsonNodeFactory.instance.arrayNode();
                    requests.forEach(each -> all.add(seen(caller, view.of(each, granted))));
                    return all;
                });
    }

    /**
     * The request; for readers with its reviews and who could approve it now. With {@code ?wait}, once it is pending no more.
     */
    void get(RoutingContext ctx) {
        try {
            long seconds = LongPoll.seconds(ctx);
            String authorization = ctx.request().getHeader(HttpHeaders.AUTHORIZATION);
            reviewing.visible(
                    ctx,
                    (caller, request) -> polls.until(
                            ctx,
                            request.tenant(),
                            request.task().toString(),
                            view.pending(request) ? seconds : 0,
                            () -> callers.still(authorization, Role.APPROVALS_READ, Role.DECIDE),
                            () -> approvals
                                    .requests()
                                    .find(request.tenant(), request.id())
                                    .map(Objects::requireNonNull),
                            now -> !view.pending(now),
                            now -> Waiting.read(
                                    ctx,
                                    caller.mayAny(Role.APPROVALS_READ) ? whole(now) : one(caller, now),
                                    out -> Bodies.send(ctx, 200, out))));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private Future<ObjectNode> one(Caller caller, AccessRequest request) {
        return reviewing.granted(request).map(granted -> seen(caller, view.of(request, list(granted))));
    }

    /** Who decided is for those to know who read or review requests. */
    static ObjectNode seen(Caller caller, ObjectNode shown) {
        return caller.mayAny(Role.APPROVALS_READ, Role.APPROVALS_APPROVE)
                ? shown
                : shown.remove(List.of("decided_by_id", "decided_by_person"));
    }

    private Future<ObjectNode> whole(AccessRequest request) {
        Future<@Nullable Approval> granted = reviewing.granted(request);
        Future<List<Review>> reviews = approvals.requests().reviews(request.tenant(), request.id());
        Future<List<Reassignment>> reassigned = approvals.reassignments().of(request.tenant(), request.id());
        Future<@Nullable Emergency> emergency = approvals.emergencies().of(request);
        Future<List<Reviewer>> eligible = approvals.reviews().eligible(request);
        return Future.all(granted, reviews, reassigned, emergency, eligible)
                .map(all -> view.whole(
                        request,
                        list(granted.result()),
                        reviews.result(),
                        reassigned.result(),
                        emergency.result(),
                        eligible.result()));
    }

    private static List<Approval> list(@Nullable Approval approval) {
        return approval == null ? List.of() : List.of(approval);
    }

    /** {@code {note?, approve_and_apply?}}. */
    void approve(RoutingContext ctx) {
        Caller caller = reviewing.reviewer(ctx);
        JsonNode body = caller == null ? null : Reviewing.optional(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body, "note", "approve_and_apply");
            boolean apply = body.has("approve_and_apply") && members.bool("approve_and_apply");
            reviewing.vote(
                    ctx,
                    caller,
                    Review.Vote.APPROVE,
                    Reviewing.note(body, "note"),
                    done -> Waiting.change(
                            ctx, approved(ctx.vertx(), caller, done, apply), out -> Bodies.send(ctx, 200, out)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /**
     * What an approval comes to: once it is complete, the call was run here if that was asked for and can be done; else the
     * client runs it, and gets it as it was bound.
     */
    private Future<ObjectNode> approved(Vertx vertx, Caller caller, Reviews.Outcome.Done done, boolean apply) {
        Approval approval = done.approval();
        AccessRequest request = done.request();
        if (approval == null) {
            return Future.succeededFuture(view.of(request, List.of()));
        }
        Future<Applying.Applied> applied = apply
                ? applying.apply(vertx, caller, request, approval)
                : Future.succeededFuture(Applying.Applied.NOT_HERE);
        return applied.compose(made -> reviewing.granted(request).map(now -> {
            ObjectNode out = view.of(request, list(now));
            if (made.run() != null) {
                return view.run(out, made.run());
            }
            if (made.decided() != null) {
                return view.refused(out, made.decided());
            }
            return out.put("apply_client_side", true);
        }));
    }

    /** {@code {note?, reason?}}. */
    void reject(RoutingContext ctx) {
        Caller caller = reviewing.reviewer(ctx);
        JsonNode body = caller == null ? null : Reviewing.optional(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            new Members(body, "note", "reason");
            reviewing.vote(
                    ctx,
                    caller,
                    Review.Vote.DENY,
                    Reviewing.note(body, "reason", "note"),
                    done -> Bodies.send(ctx, 200, view.of(done.request(), List.of())));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /** One vote of a batch. */
    private record Item(
            String id, Review.Vote vote, @Nullable String note, boolean apply) {}

    /** {@code {items: [{id, decision, note?, approve_and_apply?}]}}: each by itself, whatever becomes of the others. */
    void batch(RoutingContext ctx) {
        Caller caller = reviewing.reviewer(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            new Members(body.json(), "items");
            JsonNode given = body.json().path("items");
            if (!given.isArray() || given.isEmpty() || given.size() > MOST_ITEMS) {
                throw new Members.Unfit("`items` is an array of 1 to " + MOST_ITEMS + " items");
            }
            var items = new ArrayList<Item>();
            for (JsonNode each : given) {
                items.add(item(each));
            }
            ArrayNode results = JsonNodeFactory.instance.arrayNode();
            Future<?> all = Future.succeededFuture();
            for (Item item : items) {
                all = all.compose(before -> vote(ctx.vertx(), caller, item).map(results::add));
            }
            Waiting.change(
                    ctx,
                    all,
                    done -> Bodies.send(
                            ctx, 200, JsonNodeFactory.instance.objectNode().set("results", results)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static Item item(JsonNode given) throws Members.Unfit {
        if (!given.isObject()) {
            throw new Members.Unfit("an item is an object");
        }
        var members = new Members(given, "id", "decision", "note", "reason", "approve_and_apply");
        String decision = given.path("decision").asText();
        boolean approve = decision.equals("approve");
        if (!approve && !decision.equals("reject")) {
            throw new Members.Unfit("`decision` is approve or reject");
        }
        if (!given.path("id").isTextual()) {
            throw new Members.Unfit("`id` is a text");
        }
        return new Item(
                given.path("id").textValue(),
                approve ? Review.Vote.APPROVE : Review.Vote.DENY,
                Reviewing.note(given, "note", "reason"),
                approve && given.has("approve_and_apply") && members.bool("approve_and_apply"));
    }

    private Future<ObjectNode> vote(Vertx vertx, Caller caller, Item item) {
        return reviewing
                .named(caller, item.id())
                .compose(found -> found.size() != 1
                        ? Future.succeededFuture(new Reviews.Outcome.Unknown())
                        : approvals.reviews().vote(caller, found.get(0).id(), item.vote(), item.note()))
                .compose(outcome -> outcome instanceof Reviews.Outcome.Done done
                        ? approved(vertx, caller, done, item.apply())
                                .map(shown -> result(item, 200).<ObjectNode>set("approval", shown))
                        : Future.succeededFuture(refused(item, outcome)));
    }

    private ObjectNode refused(Item item, Reviews.Outcome outcome) {
        Reviewing.Refused refused = reviewing.refused(outcome);
        ObjectNode out = result(item, refused.status());
        out.set("error", Problems.body(refused.status(), refused.kind(), refused.detail()));
        return out;
    }

    private static ObjectNode result(Item item, int status) {
        return JsonNodeFactory.instance.objectNode().put("id", item.id()).put("status", status);
    }

    /** {@code {note?}}: takes an approval back that was not used. */
    void revoke(RoutingContext ctx) {
        correct(ctx, false);
    }

    /** {@code {ran, note?}}: says what became of a run that is in doubt. */
    void resolve(RoutingContext ctx) {
        correct(ctx, true);
    }

    private void correct(RoutingContext ctx, boolean resolving) {
        Caller caller = resolving
                ? reviewing.reviewer(ctx)
                : callers.require(ctx, Role.APPROVALS_APPROVE, Role.DECIDE, Role.ADMIN);
        JsonNode body = caller == null ? null : Reviewing.optional(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = resolving ? new Members(body, "ran", "note") : new Members(body, "note", "reason");
            boolean ran = resolving && members.bool("ran");
            String note = Reviewing.note(body, "note", "reason");
            Predicate<AccessRequest> own =
                    request -> request.requester().principal().equals(caller.principal());
            reviewing.found(
                    ctx,
                    caller,
                    request -> Waiting.change(
                            ctx,
                            resolving
                                    ? approvals.corrections().resolve(caller, request.id(), ran, note)
                                    : approvals
                                            .corrections()
                                            .revoke(
                                                    caller,
                                                    request.id(),
                                                    note,
                                                    own.or(any -> caller.mayAny(Role.ADMIN, Role.APPROVALS_APPROVE))),
                            outcome -> corrected(ctx, caller, outcome)));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private void corrected(RoutingContext ctx, Caller caller, Corrections.Outcome outcome) {
        if (outcome instanceof Corrections.Outcome.Done done) {
            Bodies.send(ctx, 200, seen(caller, view.of(done.request(), List.of(done.approval()))));
        } else if (outcome instanceof Corrections.Outcome.Wrong wrong) {
            Problems.send(
                    ctx,
                    409,
                    "approval_" + wrong.state().word(),
                    "the approval is `" + wrong.state().word() + "`");
        } else if (outcome instanceof Corrections.Outcome.NotYours) {
            Problems.send(ctx, 403, "forbidden", "that is for a person who is not on the requester's side");
        } else {
            Reviewing.unknown(ctx);
        }
    }
}
