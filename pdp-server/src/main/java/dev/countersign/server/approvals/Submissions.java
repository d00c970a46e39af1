package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.api.BoundCall;
import dev.countersign.api.NotCanonicalException;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.actions.Action;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decision.Terms;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import dev.countersign.server.separation.Asking;
import dev.countersign.server.separation.Moment;
import dev.countersign.server.separation.Panel;
import dev.countersign.server.separation.Separation;
import dev.countersign.server.webhooks.Callback;
import dev.countersign.server.webhooks.Callbacks;
import io.vertx.core.Future;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.SqlConnection;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Makes access requests out of calls that rules ask approval for. */
public final class Submissions {
    private static final String TAKEN = "23505";

    private final Changes changes;
    private final Supplier<UUID> ids;
    private final Supplier<UUID> unguessable;
    private final ApprovalMeters meters;
    private final InstantSource clock;

    /**
     * @param changes makes the transactions
     * @param ids makes the ids of events
     * @param unguessable makes the ids of access requests
     */
    public Submissions(
            Changes changes,
            Supplier<UUID> ids,
            Supplier<UUID> unguessable,
            ApprovalMeters meters,
            InstantSource clock) {
        this.changes = changes;
        this.meters = meters;
        this.ids = ids;
        this.unguessable = unguessable;
        this.clock = clock;
    }

    /**
     * One call to be approved.
     *
     * @param call the call
     * @param judged what rules say of it now: that it needs approval
     * @param evaluation the decision that denied it
     * @param actors who acted for the subject when it was denied, as was claimed
     * @param about what the requester says beside it
     * @param claimed whom the requester names on its own side
     * @param decideBy until when the requester would wait; {@code null} for as long as the template says
     */
    public record Item(
            Call call,
            Decided judged,
            UUID evaluation,
            List<String> actors,
            AccessRequest.About about,
            List<String> claimed,
            @Nullable Instant decideBy) {}

    /** What came of a submission. */
    public sealed interface Submitted {
        /**
         * The access requests, in the order of the items.
         *
         * @param before whether they were made by the same submission before
         */
        record Made(List<AccessRequest> task, boolean before) implements Submitted {}

        /** The key, the name or the denial was used for another submission before. */
        record Other(Reused reused) implements Submitted {}

        /** No webhook of the tenant takes callbacks at the endpoint. */
        record NoWebhook() implements Submitted {}

        /** Nobody could approve the item at this place; {@code why} is for the requester to read. */
        record Hopeless(int position, String why) implements Submitted {}

        /** What was used before. */
        enum Reused {
            /** The {@code Idempotency-Key}. */
            KEY,
            /** The requester's own name for the request. */
            CLIENT_ID,
            /** The denial. */
            DENIAL
        }
    }

    /**
     * Makes the access requests of one submission, all or none.
     *
     * @param policy what judges the tenant
     * @throws IllegalArgumentException if rules do not ask approval for an item, or it has no canonical form
     */
    public Future<Submitted> submit(TenantPolicy policy, Caller caller, List<Item> items) {
        return submit(policy, caller, items, null);
    }

    /** The same, with who is told once all of them have ended. */
    public Future<Submitted> submit(TenantPolicy policy, Caller caller, List<Item> items, @Nullable Callback callback) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        UUID task = unguessable.get();
        var made = new ArrayList<AccessRequest>();
        for (Item item : items) {
            made.add(request(
                    policy, caller, item, items.size() == 1 ? task : unguessable.get(), task, made.size(), now));
        }
        if (made.stream().map(AccessRequest::evaluation).distinct().count() < made.size()) {
            return Future.succeededFuture(new Submitted.Other(Submitted.Reused.DENIAL));
        }
        return submit(caller, made, callback, now)
                .recover(failure -> taken(failure)
                        // Another submission of the same came first: it is there now.
                        ? submit(caller, made, callback, now)
                        : Future.failedFuture(failure));
    }

    /** Whether something could not be stored as there is another of its name. */
    static boolean taken(Throwable failure) {
        return failure instanceof PgException refused && TAKEN.equals(refused.getSqlState());
    }

    private Future<Submitted> submit(
            Caller caller, List<AccessRequest> made, @Nullable Callback callback, Instant now) {
        return changes.act(
                caller.keyId(),
                connection -> before(connection, made)
                        .compose(before -> before != null
                                ? Future.succeededFuture(before)
                                : make(connection, made, callback, now)));
    }

    /** What was made of the same before; {@code null} if nothing was. */
    private static Future<@Nullable Submitted> before(SqlConnection connection, List<AccessRequest> made) {
        Future<@Nullable Submitted> found = Future.succeededFuture(null);
        for (AccessRequest each : made) {
            found = found.compose(known -> known != null
                    ? Future.succeededFuture(known)
                    : AccessRequestStore.before(connection, each)
                            .map(before -> before.isEmpty() ? null : same(each, before)));
        }
        return found;
    }

    /** What the first task that has something of this one comes to: its key, else its name, else its denial. */
    private static Submitted same(AccessRequest made, List<AccessRequest> before) {
        AccessRequest.About about = made.about();
        boolean mine = before.stream()
                .anyMatch(each ->
                        each.requester().principal().equals(made.requester().principal()));
        Submitted.Reused reused = Submitted.Reused.DENIAL;
        Predicate<AccessRequest> like = each -> each.evaluation().equals(made.evaluation());
        Predicate<AccessRequest> key = each -> about.idempotencyKey() != null
                && about.idempotencyKey().equals(each.about().idempotencyKey());
        Predicate<AccessRequest> named = each ->
                about.clientId() != null && about.clientId().equals(each.about().clientId());
        if (mine && before.stream().anyMatch(key)) {
            reused = Submitted.Reused.KEY;
            like = key;
        } else if (mine && before.stream().anyMatch(named)) {
            reused = Submitted.Reused.CLIENT_ID;
            like = named;
        }
        AccessRequest found = before.stream().filter(like).findFirst().orElse(before.get(0));
        boolean same = found.requester().principal().equals(made.requester().principal())
                && found.about().submission().equals(about.submission());
        return same
                ? new Submitted.Made(
                        before.stream()
                                .filter(each -> each.task().equals(found.task()))
                                .toList(),
                        true)
                : new Submitted.Other(reused);
    }

    private Future<Submitted> make(
            SqlConnection connection, List<AccessRequest> made, @Nullable Callback callback, Instant now) {
        if (callback == null) {
            return make(connection, made, Future::succeededFuture, now);
        }
        AccessRequest first = made.get(0);
        return Callbacks.webhook(connection, first.tenant(), callback.endpoint())
                .compose(webhook -> webhook == null
                        ? Future.succeededFuture(new Submitted.NoWebhook())
                        : make(
                                connection,
                                made,
                                () -> Callbacks.insert(
                                        connection, first.tenant(), first.task(), webhook, callback, now),
                                now));
    }

    private Future<Submitted> make(
            SqlConnection connection, List<AccessRequest> made, Supplier<Future<?>> more, Instant now) {
        return reviewed(connection, made, new ArrayList<>(), now).compose(found -> {
            if (found instanceof Submitted.Made task) {
                Future<?> written = more.get();
                for (AccessRequest each : task.task()) {
                    written = written.compose(before -> AccessRequestStore.insert(connection, each));
                }
                for (AccessRequest each : task.task()) {
                    written = written.compose(before -> requested(each, now).write(connection, ids.get()))
                            .onSuccess(told -> meters.requested());
                }
                return written.map(found);
            }
            return Future.succeededFuture(found);
        });
    }

    /** The requests with who is to review each, or the first that nobody could approve. */
    private static Future<Submitted> reviewed(
            SqlConnection connection, List<AccessRequest> made, List<AccessRequest> done, Instant now) {
        if (done.size() == made.size()) {
            return Future.succeededFuture(new Submitted.Made(List.copyOf(done), false));
        }
        AccessRequest next = made.get(done.size());
        return panel(connection, next, now).compose(panel -> {
            List<Stage> stages = panel.twoNeeded() ? two(next.stages()) : next.stages();
            if (!panel.possible(stages)) {
                return Future.succeededFuture(new Submitted.Hopeless(next.position(), hopeless(stages, next, panel)));
            }
            done.add(next.with(stages, panel.excluded(), panel.twoNeeded()));
            return reviewed(connection, made, done, now);
        });
    }

    private static String hopeless(List<Stage> stages, AccessRequest made, Panel panel) {
        Moment moment = made.moment(made.createdAt());
        var why = new StringBuilder("nobody could approve this:");
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            why.append(i == 0 ? " " : "; ")
                    .append("`")
                    .append(stage.name())
                    .append("` needs ")
                    .append(stage.quorum() == 1 ? "a person" : stage.quorum() + " persons")
                    .append(" with ")
                    .append(String.join(" and ", stage.roles()));
            if (stage.escalate() != null && moment.escalates(stage) != null) {
                why.append(", or later with ")
                        .append(String.join(" and ", stage.escalate().to()))
                        .append(",");
            }
            why.append(" who are not on the requester's side, and there are ")
                    .append(panel.escalated().eligible(i, List.of()).size());
        }
        return why.append(panel.twoNeeded() ? "; as nobody is known to answer for the agent, it takes two" : "")
                .toString();
    }

    private static ApprovalEvent requested(AccessRequest made, Instant now) {
        return new ApprovalEvent(made, ApprovalEvent.Kind.REQUESTED, now)
                .by(made.requester().key(), made.requester().person())
                .with("decide_by", made.decideBy());
    }

    static Future<Panel> panel(SqlConnection connection, AccessRequest request, Instant now) {
        return Separation.panel(
                connection,
                new Asking(
                        request.tenant(),
                        request.wanted().subjectType(),
                        request.wanted().subjectId(),
                        request.wanted().action(),
                        request.requester().person(),
                        request.claimed(),
                        request.excluded()),
                request.stages(),
                request.moment(now));
    }

    /** Where nobody is known to answer for the agent, two persons do. */
    private static List<Stage> two(List<Stage> stages) {
        int persons = stages.stream().mapToInt(Stage::quorum).sum();
        if (persons >= 2) {
            return stages;
        }
        var more = new ArrayList<>(stages);
        Stage first = more.get(0);
        more.set(0, first.with(2));
        return List.copyOf(more);
    }

    private static AccessRequest request(
            TenantPolicy policy, Caller caller, Item item, UUID id, UUID task, int position, Instant now) {
        Call call = item.call();
        Terms terms = policy.terms(call, item.judged().verdict());
        if (terms == null) {
            throw new IllegalArgumentException("rules do not ask approval for this");
        }
        Instant latest = now.plus(terms.decideWithin());
        Instant wanted = item.about().requestedUntil();
        // What is wanted until then is not decided after.
        latest = wanted != null && wanted.isBefore(latest) ? wanted : latest;
        Instant decideBy = item.decideBy() != null && item.decideBy().isBefore(latest) ? item.decideBy() : latest;
        return new AccessRequest(
                caller.inTenant(),
                id,
                task,
                position,
                item.evaluation(),
                new AccessRequest.Requester(caller.principal(), caller.keyId(), caller.person()),
                wanted(policy, caller, call, item),
                item.about(),
                terms.findings(),
                terms.stages(),
                0,
                Set.of(),
                Stream.concat(
                                Stream.concat(item.claimed().stream(), item.actors().stream()),
                                CarriedSide.of(policy.entities(), call.subjectType(), call.subjectId()).stream())
                        .distinct()
                        .toList(),
                now,
                decideBy,
                terms.useWithin(),
                terms.breakGlass() ? AccessRequest.BreakGlass.ALLOWED : AccessRequest.BreakGlass.NO,
                Status.PENDING,
                null);
    }

    private static AccessRequest.Wanted wanted(TenantPolicy policy, Caller caller, Call call, Item item) {
        Action registered = policy.actions().find(call.actionName());
        List<String> advisory = registered == null ? List.of() : registered.advisory();
        List<String> bound = policy.boundContext(call.actionName());
        ObjectNode whole = whole(call);
        return new AccessRequest.Wanted(
                call.subjectType(),
                call.subjectId(),
                call.actionName(),
                call.resourceType(),
                call.resourceId(),
                policy.redaction().text(whole),
                policy.redaction().clean(whole),
                digest(caller.inTenant(), item.actors(), call, bound, advisory),
                bound,
                advisory,
                item.judged().verdict().reasons().get(0),
                item.judged().risk());
    }

    /** What is bound of a call, as a digest. */
    static String digest(
            String tenant, List<String> actors, Call call, List<String> boundContext, List<String> advisory) {
        try {
            return BoundCall.of(call.subject(), call.action(), call.resource(), call.context(), boundContext)
                    .digest(
                            tenant,
                            actors.stream().<JsonNode>map(TextNode::valueOf).toList(),
                            advisory);
        } catch (NotCanonicalException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static ObjectNode whole(Call call) {
        ObjectNode whole = JsonNodeFactory.instance.objectNode();
        whole.set("subject", call.subject());
        whole.set("action", call.action());
        whole.set("resource", call.resource());
        JsonNode context = call.context();
        if (context != null) {
            whole.set("context", context);
        }
        return whole;
    }
}
