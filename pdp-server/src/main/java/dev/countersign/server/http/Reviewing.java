package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Ruling;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the dialects of the seeds have in common: an access request by any of its names, and a person's vote on it. */
final class Reviewing {
    private final Callers callers;
    private final Approvals approvals;
    private final TaskView tasks;

    Reviewing(Callers callers, Approvals approvals, TaskView tasks) {
        this.callers = callers;
        this.approvals = approvals;
        this.tasks = tasks;
    }

    /** Goes on with the request in the path, if the caller reads requests, or asked for this one. */
    void visible(RoutingContext ctx, BiConsumer<Caller, AccessRequest> then) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ, Role.DECIDE);
        if (caller != null) {
            found(ctx, caller, request -> {
                boolean own = request.requester().principal().equals(caller.principal());
                if (own || caller.mayAny(Role.APPROVALS_READ)) {
                    then.accept(caller, request);
                } else {
                    unknown(ctx);
                }
            });
        }
    }

    /** Goes on with the request in the path: by its id, or by what its requester calls it. */
    void found(RoutingContext ctx, Caller caller, Consumer<AccessRequest> then) {
        String name = Parameters.id(ctx, "id");
        Waiting.read(ctx, named(caller, name), found -> {
            if (found.isEmpty()) {
                unknown(ctx);
            } else if (found.size() > 1 && !found.get(0).requester().principal().equals(caller.principal())) {
                Problems.send(
                        ctx, 409, "ambiguous_id", "several requesters call a request so: name it by the server's `id`");
            } else {
                then.accept(found.get(0));
            }
        });
    }

    /** What goes by a name; more than one only if none of them is the caller's. */
    Future<List<AccessRequest>> named(Caller caller, String name) {
        UUID id = uuid(name);
        Future<@Nullable AccessRequest> byId =
                id == null ? Future.succeededFuture(null) : approvals.requests().find(caller.inTenant(), id);
        return byId.compose(found -> found != null
                ? Future.succeededFuture(List.of(found))
                : approvals.requests().named(caller.inTenant(), name, caller.principal()));
    }

    private static @Nullable UUID uuid(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Has the caller vote on the request in the path, and goes on with what became of it. */
    void vote(
            RoutingContext ctx,
            Caller caller,
            Review.Vote vote,
            @Nullable String note,
            Consumer<Reviews.Outcome.Done> then) {
        found(
                ctx,
                caller,
                request -> Waiting.change(ctx, approvals.reviews().vote(caller, request.id(), vote, note), outcome -> {
                    if (outcome instanceof Reviews.Outcome.Done done) {
                        then.accept(done);
                    } else {
                        Refused refused = refused(outcome);
                        refused.send(ctx);
                    }
                }));
    }

    /** The person who votes; else the refusal is sent. */
    @Nullable
    Caller reviewer(RoutingContext ctx) {
        return callers.require(ctx, Role.APPROVALS_APPROVE);
    }

    /** Why something was not done. */
    record Refused(
            int status,
            String kind,
            String detail,
            @Nullable String reason) {
        void send(RoutingContext ctx) {
            Problems.send(ctx, status, kind, detail, problem -> {
                if (reason != null) {
                    problem.put("reason", reason);
                }
            });
        }
    }

    /** Why a person may not. */
    Refused refused(Ruling.MayNot may) {
        return new Refused(403, "not_eligible", why(may), may.reason().name().toLowerCase(Locale.ROOT));
    }

    /** Why a vote does not count, or a request could not be stopped. */
    Refused refused(Reviews.Outcome outcome) {
        if (outcome instanceof Reviews.Outcome.Ended ended) {
            return new Refused(
                    409,
                    "request_ended",
                    "this request is `" + tasks.now(ended.request()).word() + "`: it is decided no more",
                    null);
        }
        if (outcome instanceof Reviews.Outcome.MayNot may) {
            return refused(may.why());
        }
        if (outcome instanceof Reviews.Outcome.NotYours) {
            return new Refused(
                    403, "forbidden", "a request is stopped by whoever made it, or by an administrator", null);
        }
        return new Refused(404, "not_found", "there is no such access request here", null);
    }

    static String why(Ruling.MayNot may) {
        return switch (may.reason()) {
            case REQUESTERS_SIDE ->
                "who asked, owns the agent, acts for them or is acted for by them does not review the request";
            case NOT_A_REVIEWER -> "only persons with the role approvals.approve review";
            case LACKS_ROLE -> "this stage takes the role `" + may.missingRole() + "`";
            case VOTED_ALREADY -> "this person has reviewed the request already, or somebody did in its place";
            case HANDED_ON -> "this person has handed the place on this request on to another";
            case NEEDED_LATER ->
                "without this person a later stage could not be filled: somebody else has to approve this one";
        };
    }

    /** The approval of a request, if it has one. */
    Future<@Nullable Approval> granted(AccessRequest request) {
        return approvals
                .approvals()
                .of(request.tenant(), List.of(request.id()))
                .map(found -> found.isEmpty() ? null : found.get(0));
    }

    static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such access request here");
    }

    /** The object in a body that may be left out; {@code null} if the refusal was sent. */
    static @Nullable JsonNode optional(RoutingContext ctx) {
        if (ctx.body().length() <= 0) {
            return com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
        }
        Body body = Bodies.object(ctx);
        return body == null ? null : body.json();
    }

    /** The first text of these members that is given. */
    static @Nullable String note(JsonNode body, String... members) throws Members.Unfit {
        for (String member : members) {
            JsonNode given = body.path(member);
            if (!Calls.absent(given)) {
                if (!given.isTextual()) {
                    throw new Members.Unfit("`" + member + "` is a text");
                }
                return Objects.requireNonNull(Texts.of(given, Texts.NOTE));
            }
        }
        return null;
    }
}
