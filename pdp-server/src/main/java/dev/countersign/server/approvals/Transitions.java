package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.signing.OwnTokens;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The steps by which access requests and approvals move, each with its event, within a transaction that holds the row. */
final class Transitions {
    /** The {@code typ} of the reference that the holder of an approval presents. */
    static final String STATE = "approval+jwt";

    private final Supplier<UUID> ids;
    private final Supplier<UUID> unguessable;
    private final OwnTokens tokens;
    private final ApprovalMeters meters;

    /**
     * @param ids makes the ids of events
     * @param unguessable makes the ids of approvals
     */
    Transitions(Supplier<UUID> ids, Supplier<UUID> unguessable, OwnTokens tokens, ApprovalMeters meters) {
        this.ids = ids;
        this.unguessable = unguessable;
        this.tokens = tokens;
        this.meters = meters;
    }

    /** Every review that was needed is there: the request is approved. */
    Future<Approval> approve(SqlConnection connection, AccessRequest locked, Review last) {
        return approve(connection, locked, last, ApprovalEvent.Kind.APPROVED, locked.useWithin());
    }

    /** One person approves alone, for a short time. */
    Future<Approval> breakGlass(SqlConnection connection, AccessRequest locked, Review alone, Duration atMost) {
        Duration within = locked.useWithin().compareTo(atMost) < 0 ? locked.useWithin() : atMost;
        return approve(connection, locked, alone, ApprovalEvent.Kind.BREAK_GLASS, within)
                .onSuccess(made -> meters.brokeGlass());
    }

    /** A person says whether that was right: nothing changes but that it is said. */
    Future<?> reviewed(SqlConnection connection, AccessRequest ended, Emergency emergency) {
        Emergency.Verdict verdict = Objects.requireNonNull(emergency.verdict());
        return new ApprovalEvent(ended, ApprovalEvent.Kind.BREAK_GLASS_REVIEWED, verdict.at())
                .by(verdict.key(), verdict.person())
                .with("verdict", verdict.word().word())
                .with("note", verdict.note())
                .write(connection, ids.get());
    }

    private Future<Approval> approve(
            SqlConnection connection, AccessRequest locked, Review last, ApprovalEvent.Kind kind, Duration within) {
        var end = new AccessRequest.End(last.at(), last.key(), last.person(), last.note());
        Instant useBy = last.at().plus(within);
        Instant wanted = locked.about().requestedUntil();
        return approval(locked, last.at(), wanted != null && wanted.isBefore(useBy) ? wanted : useBy)
                .compose(made -> {
                    var event = new ApprovalEvent(locked, kind, last.at())
                            .by(last.key(), last.person())
                            .with("in_place_of", last.inPlaceOf())
                            .with("note", last.note())
                            .with("approval_id", made.id())
                            .with("use_by", made.useBy());
                    return AccessRequestStore.end(connection, locked, Status.APPROVED, end)
                            .compose(ended -> ApprovalStore.insert(connection, locked, made))
                            .compose(inserted -> event.write(connection, ids.get()))
                            .onSuccess(told -> meters.ended(locked, Status.APPROVED, last.at()))
                            .map(told -> made);
                });
    }

    private Future<Approval> approval(AccessRequest request, Instant at, Instant useBy) {
        UUID id = unguessable.get();
        ObjectNode claims = JsonNodeFactory.instance
                .objectNode()
                .put("iat", at.getEpochSecond())
                .put("exp", useBy.getEpochSecond())
                .put("approval_id", id.toString())
                .put("task_id", request.task().toString());
        return tokens.sign(STATE, claims)
                .map(state -> new Approval(
                        id, request.id(), ApprovalLifecycle.Status.ACTIVE, at, useBy, state, null, null, null, null));
    }

    /** A person refuses: the request is denied. */
    Future<?> deny(SqlConnection connection, AccessRequest locked, Review review) {
        var end = new AccessRequest.End(review.at(), review.key(), review.person(), review.note());
        var event = new ApprovalEvent(locked, ApprovalEvent.Kind.DENIED, review.at())
                .by(review.key(), review.person())
                .with("in_place_of", review.inPlaceOf())
                .with("note", review.note());
        return AccessRequestStore.end(connection, locked, Status.DENIED, end)
                .compose(ended -> event.write(connection, ids.get()))
                .onSuccess(told -> meters.ended(locked, Status.DENIED, review.at()));
    }

    /** A person approves, and more have to. */
    Future<?> review(SqlConnection connection, AccessRequest locked, Review review, int stage) {
        var event = new ApprovalEvent(locked, ApprovalEvent.Kind.REVIEWED, review.at())
                .by(review.key(), review.person())
                .with("in_place_of", review.inPlaceOf())
                .with("note", review.note());
        return AccessRequestStore.stage(connection, locked, stage)
                .compose(staged -> event.write(connection, ids.get()));
    }

    /** The round at hand has escalated: nothing changes but that it is told. */
    Future<?> escalate(SqlConnection connection, AccessRequest locked, Instant now) {
        Stage stage = locked.stages().get(locked.stage());
        var event = new ApprovalEvent(locked, ApprovalEvent.Kind.ESCALATED, now)
                .with("stage", stage.name())
                .with("escalated_at", locked.escalatesAt())
                .with(
                        "escalated_to",
                        stage.escalate() == null
                                ? null
                                : String.join(" and ", stage.escalate().to()));
        return AccessRequestStore.told(connection, locked).compose(noted -> event.write(connection, ids.get()));
    }

    /** Whether one that is locked can still be decided; one that is late expires. */
    Future<Boolean> open(SqlConnection connection, AccessRequest locked, Instant now) {
        return locked.late(now)
                ? expire(connection, locked, now).map(false)
                : Future.succeededFuture(locked.status() == Status.PENDING);
    }

    /** A place goes to another person: nothing changes but who may fill it. */
    Future<?> reassign(SqlConnection connection, AccessRequest locked, Reassignment made) {
        return new ApprovalEvent(locked, ApprovalEvent.Kind.REASSIGNED, made.at())
                .by(made.key(), made.by())
                .with("from_person", made.from())
                .with("to_person", made.to())
                .with("note", made.note())
                .write(connection, ids.get());
    }

    /** The reviews did not come in time. */
    Future<?> expire(SqlConnection connection, AccessRequest locked, Instant now) {
        return AccessRequestStore.end(connection, locked, Status.EXPIRED, new AccessRequest.End(now, null, null, null))
                .compose(ended ->
                        new ApprovalEvent(locked, ApprovalEvent.Kind.EXPIRED, now).write(connection, ids.get()))
                .onSuccess(told -> meters.ended(locked, Status.EXPIRED, now));
    }

    /** It is wanted no more. */
    Future<?> cancel(SqlConnection connection, AccessRequest locked, Caller by, @Nullable String note, Instant now) {
        var end = new AccessRequest.End(now, by.keyId(), by.person(), note);
        return AccessRequestStore.end(connection, locked, Status.CANCELLED, end)
                .compose(ended -> new ApprovalEvent(locked, ApprovalEvent.Kind.CANCELLED, now)
                        .by(by.keyId(), by.person())
                        .with("note", note)
                        .write(connection, ids.get()))
                .onSuccess(told -> meters.ended(locked, Status.CANCELLED, now));
    }

    /** A call is let run with an approval: to be reported by {@code reportBy}, or, without one, once and for all. */
    Future<?> use(
            SqlConnection connection,
            AccessRequest request,
            Approval locked,
            @Nullable String executionId,
            UUID decision,
            String key,
            Instant now,
            @Nullable Instant reportBy) {
        boolean reserved = reportBy != null;
        var to = reserved ? ApprovalLifecycle.Status.RESERVED : ApprovalLifecycle.Status.CONSUMED;
        Future<?> begun = executionId == null
                ? Future.succeededFuture()
                : Executions.begin(connection, request, locked, executionId, decision, now);
        return begun.compose(written -> ApprovalStore.use(
                        connection, request.tenant(), locked, to, executionId, decision, now, reportBy))
                .compose(used -> of(
                                request,
                                locked,
                                reserved ? ApprovalEvent.Kind.RESERVED : ApprovalEvent.Kind.CONSUMED,
                                now)
                        .with("by", key)
                        .with("execution_id", executionId)
                        .with("use_decision_id", decision)
                        .write(connection, ids.get()));
    }

    /** A run of which a human had said that it did not start is reported to have: the approval that it freed is used up. */
    Future<?> ranAfterAll(
            SqlConnection connection, AccessRequest request, Approval freed, Execution run, Caller by, Instant now) {
        UUID decision = Objects.requireNonNull(run.decision());
        return ApprovalStore.use(
                        connection,
                        request.tenant(),
                        freed,
                        ApprovalLifecycle.Status.CONSUMED,
                        run.executionId(),
                        decision,
                        now,
                        null)
                .compose(used -> of(request, freed, ApprovalEvent.Kind.CONSUMED, now)
                        .by(by.keyId(), by.person())
                        .with("execution_id", run.executionId())
                        .with("use_decision_id", decision)
                        .write(connection, ids.get()));
    }

    /** Another step of an approval. */
    Future<?> move(
            SqlConnection connection,
            AccessRequest request,
            Approval locked,
            ApprovalLifecycle.Status to,
            ApprovalEvent.Kind kind,
            @Nullable Caller by,
            @Nullable String note,
            Instant now) {
        String key = by == null ? null : by.keyId();
        return ApprovalStore.move(connection, request.tenant(), locked, to, now, key, note)
                .compose(moved -> of(request, locked, kind, now)
                        .by(key, by == null ? null : by.person())
                        .with("execution_id", locked.executionId())
                        .with("note", note)
                        .write(connection, ids.get()));
    }

    private static ApprovalEvent of(AccessRequest request, Approval approval, ApprovalEvent.Kind kind, Instant now) {
        return new ApprovalEvent(request, kind, now).with("approval_id", approval.id());
    }
}
