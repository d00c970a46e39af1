package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.approvals.Submissions;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.RefusedDestinationException;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.webhooks.Callback;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The AuthZEN Access Request and Approval Profile, draft 1 as of commit e287920 of openid/authzen: submission, task, cancel
 * and keys. Its names stand here, in {@link Submission}, {@link TaskView} and {@link Problems#profile}, and nowhere else.
 */
final class AccessRequestsHandler {
    /** Where access requests are submitted. */
    static final String PATH = "/access/v1/requests";

    /** Where the keys are that verify what the server signs. */
    static final String JWKS = "/access/v1/jwks";

    private final Callers callers;
    private final Judging judging;
    private final DecisionLoop decisions;
    private final Approvals approvals;
    private final Bindings bindings;
    private final Supplier<String> jwks;
    private final Egress egress;
    private final TaskView view;
    private final LongPoll polls;
    private final TaskStream streams;

    /**
     * @param jwks the public keys as a JWK Set
     * @param egress says where callbacks may go
     * @param view how tasks are shown
     */
    AccessRequestsHandler(
            Callers callers,
            Judging judging,
            DecisionLoop decisions,
            Approvals approvals,
            Bindings bindings,
            Supplier<String> jwks,
            Egress egress,
            TaskView view,
            LongPoll polls,
            TaskStream streams) {
        this.callers = callers;
        this.judging = judging;
        this.decisions = decisions;
        this.approvals = approvals;
        this.bindings = bindings;
        this.jwks = jwks;
        this.egress = egress;
        this.view = view;
        this.polls = polls;
        this.streams = streams;
    }

    /** {@code GET /access/v1/jwks}: open to all, as whoever verifies may hold no key of ours. */
    void jwks(RoutingContext ctx) {
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/jwk-set+json")
                .putHeader(HttpHeaders.CACHE_CONTROL, "public, max-age=3600")
                .end(jwks.get());
    }

    /** {@code POST /access/v1/requests}: 202 with the task, 200 if the same was submitted before. */
    void submit(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            String key = ctx.request().getHeader("Idempotency-Key");
            Submission submission = Submission.of(body.json(), key, view.now());
            if (key == null) {
                judging.by(ctx, caller, state -> bound(ctx, state.policy(), caller, body.json(), submission));
                return;
            }
            // The denial may have ended since, and rules have changed: the task is there all the same.
            Waiting.read(ctx, approvals.requests().submitted(caller.inTenant(), caller.principal(), key), before -> {
                if (before.isEmpty()) {
                    judging.by(ctx, caller, state -> bound(ctx, state.policy(), caller, body.json(), submission));
                } else if (before.get(0).about().submission().equals(Requesting.hash(body.json()))) {
                    answer(ctx, submission, new Submissions.Submitted.Made(before, true));
                } else {
                    answer(ctx, submission, new Submissions.Submitted.Other(Submissions.Submitted.Reused.KEY));
                }
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        } catch (Submission.Unbound e) {
            Problems.profile(ctx, 400, "invalid_denial_binding", String.valueOf(e.getMessage()));
        }
    }

    private void bound(RoutingContext ctx, TenantPolicy policy, Caller caller, JsonNode body, Submission submission) {
        List<Future<Bindings.Bound>> checks = submission.items().stream()
                .map(item -> bindings.check(caller, item.call(), item.denial()))
                .toList();
        Waiting.approval(ctx, Future.all(checks).map(all -> all.<Bindings.Bound>list()), bounds -> {
            var evaluations = new ArrayList<Bindings.Bound.To>();
            for (int i = 0; i < bounds.size(); i++) {
                if (bounds.get(i) instanceof Bindings.Bound.Refused refused) {
                    unbound(ctx, refused, submission.at(i));
                    return;
                }
                evaluations.add((Bindings.Bound.To) bounds.get(i));
            }
            List<@Nullable Call> calls = new ArrayList<>();
            submission.items().forEach(item -> calls.add(item.call()));
            judging.resolve(
                    ctx,
                    policy,
                    caller,
                    calls,
                    resolved -> submit(ctx, policy, caller, body, submission, resolved, evaluations));
        });
    }

    private static void unbound(RoutingContext ctx, Bindings.Bound.Refused refused, String at) {
        switch (refused) {
            case NOT_REQUESTABLE ->
                Problems.profile(
                        ctx, 400, refused.word(), at + "the decision that it names was not one that can be asked for");
            case EXPIRED_DENIAL ->
                Problems.profile(ctx, 410, refused.word(), at + "the denial can be asked for no more: evaluate again");
            case INVALID_DENIAL_BINDING ->
                Problems.profile(
                        ctx,
                        400,
                        refused.word(),
                        at
                                + "the denial is not one of this call: subject, action, resource and the members of the context"
                                + " that rules read must be as they were denied");
        }
    }

    private void submit(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            JsonNode body,
            Submission submission,
            List<@Nullable Call> calls,
            List<Bindings.Bound.To> evaluations) {
        var items = new ArrayList<Submissions.Item>();
        String hash = Requesting.hash(body);
        for (int i = 0; i < calls.size(); i++) {
            Call call = java.util.Objects.requireNonNull(calls.get(i));
            Decided judged = decisions.judge(policy, caller, call, Dialect.AUTHZEN, null, null);
            if (judged.verdict().outcome() != Outcome.REQUIRE_APPROVAL || judged.requestable() == null) {
                Problems.profile(
                        ctx,
                        400,
                        "not_requestable",
                        submission.at(i) + "rules have changed since: the call is now answered `"
                                + judged.verdict().outcome().word() + "`, evaluate it again");
                return;
            }
            items.add(submission.item(i, call, judged, evaluations.get(i), hash));
        }
        callable(
                ctx,
                submission.callback(),
                callback -> Waiting.change(
                        ctx,
                        approvals.submissions().submit(policy, caller, items, callback),
                        submitted -> answer(ctx, submission, submitted)));
    }

    /** Goes on if the operator lets the endpoint be called; what cannot be resolved now may be later. */
    private void callable(RoutingContext ctx, @Nullable Callback callback, Consumer<@Nullable Callback> then) {
        if (callback == null) {
            then.accept(null);
            return;
        }
        URI endpoint;
        try {
            endpoint = URI.create(callback.endpoint());
        } catch (IllegalArgumentException e) {
            unregistered(ctx);
            return;
        }
        Future<Boolean> allowed = egress.check(endpoint)
                .map(true)
                .recover(failure -> Future.succeededFuture(!(failure instanceof RefusedDestinationException)));
        Waiting.read(ctx, allowed, may -> {
            if (may) {
                then.accept(callback);
            } else {
                unregistered(ctx);
            }
        });
    }

    private static void unregistered(RoutingContext ctx) {
        Problems.send(
                ctx,
                400,
                "callback_not_registered",
                "`callback.endpoint` is not the URL of an enabled webhook of this tenant, of the format `standard`, that"
                        + " the operator lets this server call: have it registered at " + WebhooksHandler.PATH
                        + ", or leave `callback` out and poll the task");
    }

    private void answer(RoutingContext ctx, Submission submission, Submissions.Submitted submitted) {
        if (submitted instanceof Submissions.Submitted.Made made) {
            ctx.response().putHeader("Location", view.status(made.task().get(0)));
            if (made.before()) {
                show(ctx, made.task());
            } else {
                Bodies.send(ctx, 202, view.of(made.task(), List.of(), submission.bundle()));
            }
        } else if (submitted instanceof Submissions.Submitted.NoWebhook) {
            unregistered(ctx);
        } else if (submitted instanceof Submissions.Submitted.Hopeless hopeless) {
            Problems.profile(ctx, 400, "not_requestable", submission.at(hopeless.position()) + hopeless.why());
        } else if (submitted instanceof Submissions.Submitted.Other other) {
            if (other.reused() == Submissions.Submitted.Reused.DENIAL) {
                Problems.profile(
                        ctx,
                        400,
                        "invalid_denial_binding",
                        "this denial was asked for before, otherwise or by another: evaluate again");
            } else {
                Problems.profile(
                        ctx, 409, "duplicate_request", "the Idempotency-Key was used for another submission before");
            }
        }
    }

    /**
     * {@code GET /access/v1/requests/{id}}: at once, or with {@code ?wait} once it is pending no more, or as a stream of its
     * states.
     */
    void get(RoutingContext ctx) {
        try {
            long seconds = LongPoll.seconds(ctx);
            task(ctx, task -> {
                AccessRequest first = task.get(0);
                String topic = first.task().toString();
                String authorization = ctx.request().getHeader(HttpHeaders.AUTHORIZATION);
                BooleanSupplier good = () -> callers.still(authorization, Role.DECIDE, Role.APPROVALS_READ, Role.ADMIN);
                Supplier<Future<List<AccessRequest>>> read =
                        () -> approvals.requests().task(first.tenant(), first.task());
                if (TaskStream.wanted(ctx)) {
                    streams.stream(ctx, first.tenant(), topic, () -> read.get().compose(this::shown), good);
                } else if (seconds > 0 && view.pending(task)) {
                    polls.until(
                            ctx,
                            first.tenant(),
                            topic,
                            seconds,
                            good,
                            read,
                            now -> !view.pending(now),
                            now -> show(ctx, now));
                } else {
                    show(ctx, task);
                }
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private Future<TaskStream.Shown> shown(List<AccessRequest> task) {
        AccessRequest first = task.get(0);
        return approvals
                .approvals()
                .of(first.tenant(), task.stream().map(AccessRequest::id).toList())
                .map(granted ->
                        new TaskStream.Shown(view.of(task, granted, TaskView.bundle(task)), !view.pending(task)));
    }

    private void show(RoutingContext ctx, List<AccessRequest> task) {
        AccessRequest first = task.get(0);
        Waiting.read(
                ctx,
                approvals
                        .approvals()
                        .of(first.tenant(), task.stream().map(AccessRequest::id).toList()),
                granted -> {
                    if (view.over(task)) {
                        Problems.profile(ctx, 410, "task_expired", "the time of this task is over");
                        return;
                    }
                    if (view.pending(task)) {
                        ctx.response().putHeader(HttpHeaders.RETRY_AFTER, TaskView.RETRY_SECONDS);
                    }
                    Bodies.send(ctx, 200, view.of(task, granted, TaskView.bundle(task)));
                });
    }

    /** {@code POST /access/v1/requests/{id}/cancel}. */
    void cancel(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE, Role.ADMIN);
        UUID id = caller == null ? null : id(ctx);
        if (caller == null || id == null) {
            return;
        }
        String note = null;
        if (ctx.body().length() > 0) {
            Body body = Bodies.object(ctx);
            if (body == null) {
                return;
            }
            JsonNode comment = body.json().path("comment");
            note = Texts.cut((comment.isTextual() ? comment : body.json().path("reason")).textValue(), Texts.NOTE);
        }
        Waiting.change(
                ctx,
                approvals.reviews().cancel(caller, id, null, note, request -> mayStop(caller, request)),
                outcome -> cancelled(ctx, caller, id, outcome));
    }

    private void cancelled(RoutingContext ctx, Caller caller, UUID id, Reviews.Outcome outcome) {
        if (outcome instanceof Reviews.Outcome.Done) {
            Waiting.read(ctx, approvals.requests().task(caller.inTenant(), id), task -> show(ctx, task));
        } else if (outcome instanceof Reviews.Outcome.Ended) {
            Problems.profile(ctx, 409, "invalid_task_state", "the task has ended before: read it again");
        } else {
            unknown(ctx);
        }
    }

    /** Who asked may stop asking, with any key of theirs; so may whoever manages the tenant. */
    static boolean mayStop(Caller caller, AccessRequest request) {
        return caller.principal().equals(request.requester().principal()) || caller.mayAny(Role.ADMIN);
    }

    /** Goes on with a task that the caller may see; to all others it does not exist. */
    private void task(RoutingContext ctx, Consumer<List<AccessRequest>> then) {
        Caller caller = callers.require(ctx, Role.DECIDE, Role.APPROVALS_READ, Role.ADMIN);
        UUID id = caller == null ? null : id(ctx);
        if (caller == null || id == null) {
            return;
        }
        Waiting.read(ctx, approvals.requests().task(caller.inTenant(), id), task -> {
            boolean may = !task.isEmpty()
                    && (caller.mayAny(Role.APPROVALS_READ, Role.ADMIN)
                            || task.get(0).requester().principal().equals(caller.principal()));
            if (may) {
                then.accept(task);
            } else {
                unknown(ctx);
            }
        });
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.profile(ctx, 404, "unknown_task", "there is no such task here");
    }
}
