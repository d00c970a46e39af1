package dev.countersign.server.approvals;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.issuers.ReviewStatement;
import dev.countersign.server.issuers.StatementRefusal;
import dev.countersign.server.live.Changes;
import dev.countersign.server.separation.Reviewer;
import dev.countersign.server.separation.Ruling;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What humans do with access requests: they approve and refuse, and stop asking. */
public final class Reviews {
    private final Pool pool;
    private final Changes changes;
    private final Transitions transitions;
    private final InstantSource clock;

    /** Reviews in the database behind {@code pool}; {@code changes} makes the transactions. */
    Reviews(Pool pool, Changes changes, Transitions transitions, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** What came of it. */
    public sealed interface Outcome {
        /** It is done, and this is what became of the request. */
        record Done(AccessRequest request, @Nullable Approval approval) implements Outcome {}

        /** There is no such request here. */
        record Unknown() implements Outcome {}

        /** It has ended before; its time may just have passed. */
        record Ended(AccessRequest request) implements Outcome {}

        /** The person may not. */
        record MayNot(AccessRequest request, Ruling.MayNot why) implements Outcome {}

        /** The statement of who decided is not taken. */
        record Unstated(StatementRefusal why) implements Outcome {}

        /** The caller may not stop it. */
        record NotYours() implements Outcome {}
    }

    /**
     * Has a person vote.
     *
     * @param caller with the role for it
     * @param id the access request
     */
    public Future<Outcome> vote(Caller caller, UUID id, Review.Vote vote, @Nullable String note) {
        Instant now = now();
        UUID person = caller.person();
        return locked(
                caller,
                id,
                (connection, locked) -> person == null
                        ? ended(
                                connection,
                                locked,
                                now,
                                () -> Future.succeededFuture(new Outcome.MayNot(
                                        locked, new Ruling.MayNot(Ruling.Reason.NOT_A_REVIEWER, null))))
                        : vote(connection, new Vote(person, caller.keyId(), vote, note, null), locked, now));
    }

    /**
     * Has a person vote who said so elsewhere.
     *
     * @param relay with the role for it, who only brings it
     * @param id the access request
     * @param said by whom and what, good now
     * @param note why, in the person's words, as far as it is kept
     */
    public Future<Outcome> relay(Caller relay, UUID id, ReviewStatement said, @Nullable String note) {
        Instant now = now();
        return locked(relay, id, (connection, locked) -> {
            StatementRefusal unfit = unfit(relay, locked, said);
            if (unfit != null) {
                return Future.succeededFuture(new Outcome.Unstated(unfit));
            }
            return Statements.stands(connection, locked.tenant(), said)
                    .compose(stands -> stands
                            ? Statements.use(connection, locked.tenant(), locked.id(), said, now)
                                    .compose(fresh -> fresh
                                            ? relay(connection, relay, locked, said, note, now)
                                            : Future.succeededFuture(new Outcome.Unstated(StatementRefusal.REPLAYED)))
                            : Future.succeededFuture(new Outcome.Unstated(StatementRefusal.NOBODY)));
        });
    }

    private static @Nullable StatementRefusal unfit(Caller relay, AccessRequest locked, ReviewStatement said) {
        if (!said.request().equals(locked.id().toString())) {
            return StatementRefusal.OTHER_REQUEST;
        }
        if (!said.digest().equals(locked.wanted().digest())) {
            return StatementRefusal.OTHER_DIGEST;
        }
        return said.person().equals(relay.person()) ? StatementRefusal.OWN : null;
    }

    private Future<Outcome> relay(
            SqlConnection connection,
            Caller relay,
            AccessRequest locked,
            ReviewStatement said,
            @Nullable String note,
            Instant now) {
        Review.Vote vote = said.approve() ? Review.Vote.APPROVE : Review.Vote.DENY;
        var cast = new Vote(said.person(), relay.keyId(), vote, note, new Review.Statement(said.issuer(), said.id()));
        String event = said.issuer() + " " + said.id();
        return vote(connection, cast, locked, now)
                .compose(outcome -> outcome instanceof Outcome.Done
                        ? new ApprovalEvent(locked, ApprovalEvent.Kind.RELAYED, now)
                                .by(relay.keyId(), said.person())
                                .with("vote", vote.word())
                                .with("issuer", said.name())
                                .with("statement", said.id())
                                // A statement is used once, so it makes one event.
                                .write(connection, UUID.nameUUIDFromBytes(event.getBytes(StandardCharsets.UTF_8)))
                                .map(outcome)
                        : Future.succeededFuture(outcome));
    }

    /** What one person says, by which key and by which statement. */
    private record Vote(
            UUID person,
            String key,
            Review.Vote says,
            @Nullable String note,
            Review.@Nullable Statement statement) {}

    private Future<Outcome> locked(
            Caller caller, UUID id, BiFunction<SqlConnection, AccessRequest, Future<Outcome>> then) {
        return changes.act(
                caller.keyId(),
                connection -> AccessRequestStore.lock(connection, caller.inTenant(), id)
                        .compose(locked -> locked == null
                                ? Future.succeededFuture(new Outcome.Unknown())
                                : then.apply(connection, locked)));
    }

    /** Says that it has ended, if so; else goes on. */
    private Future<Outcome> ended(
            SqlConnection connection, AccessRequest locked, Instant now, Supplier<Future<Outcome>> then) {
        return open(connection, locked, now)
                .compose(open -> open ? then.get() : again(connection, locked).map(Outcome.Ended::new));
    }

    private Future<Outcome> vote(SqlConnection connection, Vote cast, AccessRequest locked, Instant now) {
        return ended(connection, locked, now, () -> judged(connection, cast, locked, now));
    }

    private Future<Outcome> judged(SqlConnection connection, Vote cast, AccessRequest locked, Instant now) {
        UUID person = cast.person();
        return AccessRequestStore.reviews(connection, locked.tenant(), locked.id())
                .compose(given -> Reassignments.panel(connection, locked, now).compose(panel -> {
                    Ruling ruling = panel.rule(locked.stage(), person, votes(given));
                    if (ruling instanceof Ruling.MayNot may) {
                        // One who is needed later may refuse now all the same.
                        boolean refuses = cast.says() == Review.Vote.DENY && may.reason() == Ruling.Reason.NEEDED_LATER;
                        if (!refuses) {
                            return Future.succeededFuture(new Outcome.MayNot(locked, may));
                        }
                    }
                    UUID inPlaceOf = ruling instanceof Ruling.May may ? may.inPlaceOf() : null;
                    var review = new Review(
                            person,
                            inPlaceOf,
                            locked.stage(),
                            cast.says(),
                            cast.key(),
                            cast.note(),
                            now,
                            cast.statement());
                    return AccessRequestStore.insert(connection, locked, review)
                            .compose(inserted -> settle(connection, locked, given, review));
                }));
    }

    private Future<Outcome> settle(SqlConnection connection, AccessRequest locked, List<Review> given, Review review) {
        if (review.vote() == Review.Vote.DENY) {
            return transitions
                    .deny(connection, locked, review)
                    .compose(denied -> again(connection, locked))
                    .map(now -> new Outcome.Done(now, null));
        }
        Stage stage = locked.stages().get(locked.stage());
        long approved = 1
                + given.stream().filter(each -> each.stage() == locked.stage()).count();
        boolean filled = approved >= stage.quorum();
        if (filled && locked.stage() + 1 == locked.stages().size()) {
            return transitions
                    .approve(connection, locked, review)
                    .compose(approval -> again(connection, locked).map(now -> new Outcome.Done(now, approval)));
        }
        return transitions
                .review(connection, locked, review, filled ? locked.stage() + 1 : locked.stage())
                .compose(reviewed -> again(connection, locked))
                .map(now -> new Outcome.Done(now, null));
    }

    /** The votes, as {@code separation} has them. They count: a request with one that refuses has ended. */
    static List<dev.countersign.server.separation.Review> votes(List<Review> given) {
        var votes = new ArrayList<dev.countersign.server.separation.Review>();
        given.forEach(each ->
                votes.add(new dev.countersign.server.separation.Review(each.person(), each.inPlaceOf(), each.stage())));
        return votes;
    }

    /**
     * Stops asking: all of a task that is still open.
     *
     * @param only the one request of it that is stopped; {@code null} for all
     * @param mayStop whether the caller may stop a request that is there
     */
    public Future<Outcome> cancel(
            Caller caller, UUID task, @Nullable UUID only, @Nullable String note, Predicate<AccessRequest> mayStop) {
        Instant now = now();
        return changes.act(
                caller.keyId(),
                connection -> AccessRequestStore.lockTask(connection, caller.inTenant(), task)
                        .map(all -> all.stream()
                                .filter(each -> only == null || each.id().equals(only))
                                .toList())
                        .compose(all -> {
                            if (all.isEmpty()) {
                                return Future.succeededFuture(new Outcome.Unknown());
                            }
                            if (!all.stream().allMatch(mayStop)) {
                                return Future.succeededFuture(new Outcome.NotYours());
                            }
                            return cancel(connection, caller, all, note, now);
                        }));
    }

    private Future<Outcome> cancel(
            SqlConnection connection, Caller caller, List<AccessRequest> all, @Nullable String note, Instant now) {
        Future<Boolean> any = Future.succeededFuture(false);
        for (AccessRequest each : all) {
            any = any.compose(before -> open(connection, each, now)
                    .compose(open -> open
                            ? transitions
                                    .cancel(connection, each, caller, note, now)
                                    .map(true)
                            : Future.succeededFuture(before)));
        }
        return any.compose(stopped -> again(connection, all.get(0))
                .map(first -> stopped ? new Outcome.Done(first, null) : new Outcome.Ended(first)));
    }

    private Future<Boolean> open(SqlConnection connection, AccessRequest locked, Instant now) {
        return transitions.open(connection, locked, now);
    }

    private static Future<AccessRequest> again(SqlConnection connection, AccessRequest locked) {
        return AccessRequestStore.lock(connection, locked.tenant(), locked.id()).map(Objects::requireNonNull);
    }

    /** Who could approve a request now, in the round at hand. */
    public Future<List<Reviewer>> eligible(AccessRequest request) {
        return pool.withTransaction(connection -> AccessRequestStore.reviews(connection, request.tenant(), request.id())
                .compose(given -> Reassignments.panel(connection, request, now())
                        .map(panel -> request.status() == Status.PENDING
                                ? panel.eligible(request.stage(), votes(given))
                                : List.<Reviewer>of())));
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
