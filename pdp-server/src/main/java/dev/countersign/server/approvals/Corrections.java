package dev.countersign.server.approvals;

import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What humans do with approvals that were given: they take them back, and say what became of a run that nobody knows of. */
public final class Corrections {
    private final Changes changes;
    private final Transitions transitions;
    private final InstantSource clock;

    Corrections(Changes changes, Transitions transitions, InstantSource clock) {
        this.changes = changes;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** What came of it. */
    public sealed interface Outcome {
        /** It is done. */
        record Done(AccessRequest request, Approval approval) implements Outcome {}

        /** There is no such request here, or nothing was approved. */
        record Unknown() implements Outcome {}

        /** The approval is in another state, in which that cannot be done. */
        record Wrong(Status state) implements Outcome {}

        /** That is for somebody else to do. */
        record NotYours() implements Outcome {}
    }

    /**
     * Takes back the approval of a request, as long as it was not used. No other approval is touched.
     *
     * @param may whether the caller may
     */
    public Future<Outcome> revoke(Caller caller, UUID request, @Nullable String note, Predicate<AccessRequest> may) {
        return correct(
                caller,
                request,
                note,
                (connection, asked, now) -> Future.succeededFuture(may.test(asked)),
                (approval, now) -> approval.now(now) == Status.ACTIVE ? Status.REVOKED : null);
    }

    /**
     * Says what became of a run that is in doubt, which is for a person who is not on the requester's side: who wants the call
     * must not say that it did not run.
     *
     * @param ran whether it ran; else its approval can be used again
     */
    public Future<Outcome> resolve(Caller caller, UUID request, boolean ran, @Nullable String note) {
        UUID person = caller.person();
        return correct(
                caller,
                request,
                note,
                (connection, asked, now) -> person == null
                        ? Future.succeededFuture(false)
                        : Reassignments.panel(connection, asked, now)
                                .map(panel -> !panel.excluded().contains(person)),
                (approval, now) -> approval.now(now) != Status.IN_DOUBT ? null : ran ? Status.CONSUMED : Status.ACTIVE);
    }

    /** Whether the caller may correct the approval of a request. */
    private interface Permission {
        Future<Boolean> of(SqlConnection connection, AccessRequest request, Instant now);
    }

    private Future<Outcome> correct(
            Caller caller,
            UUID id,
            @Nullable String note,
            Permission may,
            BiFunction<Approval, Instant, @Nullable Status> next) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        return changes.act(
                caller.keyId(),
                connection -> ApprovalStore.lockOf(connection, caller.inTenant(), id)
                        .compose(approval -> approval == null
                                ? Future.succeededFuture(new Outcome.Unknown())
                                : AccessRequestStore.find(connection, caller.inTenant(), id)
                                        .compose(found -> {
                                            AccessRequest request = Objects.requireNonNull(found);
                                            return may.of(connection, request, now)
                                                    .compose(granted -> granted
                                                            ? correct(
                                                                    connection,
                                                                    caller,
                                                                    request,
                                                                    approval,
                                                                    next.apply(approval, now),
                                                                    note,
                                                                    now)
                                                            : Future.succeededFuture(new Outcome.NotYours()));
                                        })));
    }

    private Future<Outcome> correct(
            SqlConnection connection,
            Caller caller,
            AccessRequest request,
            Approval approval,
            @Nullable Status to,
            @Nullable String note,
            Instant now) {
        return to == null
                ? Future.succeededFuture(new Outcome.Wrong(approval.now(now)))
                : move(connection, caller, request, approval, to, note, now);
    }

    private Future<Outcome> move(
            SqlConnection connection,
            Caller caller,
            AccessRequest request,
            Approval approval,
            Status to,
            @Nullable String note,
            Instant now) {
        // A reservation whose time has passed is in doubt, whether or not somebody has noted it.
        Future<?> noted = approval.status() == Status.RESERVED
                ? transitions.move(
                        connection, request, approval, Status.IN_DOUBT, ApprovalEvent.Kind.IN_DOUBT, null, null, now)
                : Future.succeededFuture();
        var kind = to == Status.REVOKED ? ApprovalEvent.Kind.REVOKED : Receipts.kind(to);
        return noted.compose(done -> ApprovalStore.lock(connection, request.tenant(), approval.id()))
                .compose(locked -> transitions.move(
                        connection, request, Objects.requireNonNull(locked), to, kind, caller, note, now))
                .compose(moved -> ApprovalStore.lock(connection, request.tenant(), approval.id()))
                .map(after -> new Outcome.Done(request, Objects.requireNonNull(after)));
    }
}
