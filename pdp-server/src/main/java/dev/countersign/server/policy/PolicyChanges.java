package dev.countersign.server.policy;

import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.LiveFeed;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes of what judges requests. Each is compared with what is in force first: one that lets more through, or is sensitive
 * by its kind, is stored as proposed, and made when another person confirms it. What was compared is what is changed: if
 * anything else changed meanwhile, it is compared again.
 */
public final class PolicyChanges {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyChanges.class);
    private static final int TRIES = 5;
    private static final int MOST_CHANGING = 100;
    private static final int MOST_OF_ALL = 1_000;
    /** No version of anything. */
    private static final long NEVER = -1;

    /** All changes of policies, of whichever tenant, follow one another: the operator's count for everybody. */
    private static final String ALONE = "select pg_advisory_xact_lock(hashtext('countersign policies'))";

    /** Makes the change again that a proposal holds, to what is in force now; null if it can be made no more. */
    public interface Reading {
        /** The change, or {@code null}. */
        @Nullable
        PolicyChange<?> read(Proposal proposal, TenantState now);
    }

    /** The same where the change has to be fetched from the database. */
    public interface Fetching {
        /** The change, or {@code null}. */
        Future<? extends @Nullable PolicyChange<?>> fetch(Proposal proposal, TenantState now);
    }

    /** What came of a change. */
    public sealed interface Result<V extends @Nullable Object> {
        /** It is made. */
        record Done<V extends @Nullable Object>(V now) implements Result<V> {}

        /** What it changes is at another version, 0 for none; nothing was changed. */
        record Stale<V extends @Nullable Object>(long version) implements Result<V> {}

        /** It waits for another person. */
        record Proposed<V extends @Nullable Object>(Proposal proposal) implements Result<V> {}

        /** It cannot be made as things stand. */
        record Refused<V extends @Nullable Object>(JsonMistake mistake) implements Result<V> {}

        /** It would have to wait, and as many wait as may. */
        record Full<V extends @Nullable Object>() implements Result<V> {}
    }

    /** What is in force changed again and again while a change was compared with it: nothing was made. */
    public static final class Overtaken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Overtaken() {
            super("the policies change too often to compare a change with them", null, false, false);
        }
    }

    /** As many changes of one plane, or of all, wait as may: nothing was made. */
    public static final class Busy extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Busy() {
            super("too many changes wait to be compared with what is in force", null, false, false);
        }
    }

    private final Comparisons comparisons;
    private final TenantPolicies policies;
    private final Changes changes;
    private final LiveFeed feed;
    private final ProposalStore proposals;
    private final Supplier<UUID> newId;
    private final InstantSource clock;
    private final Turns turns = new Turns(MOST_CHANGING, MOST_OF_ALL);
    private final Map<Proposal.Kind, Fetching> readings = new EnumMap<>(Proposal.Kind.class);

    /**
     * Changes of {@code policies}.
     *
     * @param changes makes them, one after the other
     * @param feed makes them known
     * @param proposals those that wait
     * @param newId draws the id of a proposal, higher than those before
     * @param clock dates them
     */
    public PolicyChanges(
            Vertx vertx,
            TenantPolicies policies,
            Changes changes,
            LiveFeed feed,
            ProposalStore proposals,
            Supplier<UUID> newId,
            InstantSource clock) {
        this.comparisons = new Comparisons(vertx);
        this.policies = policies;
        this.changes = changes;
        this.feed = feed;
        this.proposals = proposals;
        this.newId = newId;
        this.clock = clock;
    }

    /** Says how proposals of a kind are read; before the first is decided. */
    public void reading(Proposal.Kind kind, Reading reading) {
        fetching(kind, (proposal, now) -> Future.succeededFuture(reading.read(proposal, now)));
    }

    /** The same where they have to be fetched from the database. */
    public void fetching(Proposal.Kind kind, Fetching fetching) {
        readings.put(kind, fetching);
    }

    /** The proposals. */
    public ProposalStore proposals() {
        return proposals;
    }

    /**
     * Makes a change in the caller's tenant, or proposes it.
     *
     * @param precondition whether the version at hand, 0 for none, may be changed
     * @return done when it is committed and this server judges by it; failed if either is not sure
     */
    public <V extends @Nullable Object> Future<Result<V>> make(
            Caller caller, PolicyChange<V> change, LongPredicate precondition) {
        return inTurn(
                caller,
                () -> compared(caller, change)
                        .compose(difference -> changes.make(
                                caller.tenant(),
                                caller.keyId(),
                                connection -> same(connection, caller, difference)
                                        .compose(same -> change.version(connection))
                                        .compose(version -> precondition.test(version)
                                                ? makeIfItCan(connection, caller, change, version, difference)
                                                : Future.succeededFuture(new Result.Stale<>(version))))));
    }

    private <V extends @Nullable Object> Future<Result<V>> makeIfItCan(
            SqlConnection connection, Caller caller, PolicyChange<V> change, long version, Difference difference) {
        return change.refusal(connection)
                .compose(refusal -> refusal == null
                        ? makeOrPropose(connection, caller, change, version, difference)
                        : Future.succeededFuture(new Result.Refused<>(refusal)));
    }

    private <V extends @Nullable Object> Future<Result<V>> makeOrPropose(
            SqlConnection connection, Caller caller, PolicyChange<V> change, long version, Difference difference) {
        Author by = Author.of(caller, clock.instant());
        if (change.sensitive() || difference.shown()) {
            return propose(connection, caller, change, version, difference, by);
        }
        Future<Boolean> atOnce =
                difference.widens() ? change.restores(connection, difference.revision()) : Future.succeededFuture(true);
        return atOnce.compose(alone -> alone
                ? change.apply(connection, by, null).map(Result.Done::new)
                : propose(connection, caller, change, version, difference, by));
    }

    private <V extends @Nullable Object> Future<Result<V>> propose(
            SqlConnection connection,
            Caller caller,
            PolicyChange<V> change,
            long version,
            Difference difference,
            Author by) {
        var proposal = new Proposal(
                newId.get(),
                caller.tenant(),
                change.kind(),
                change.name(),
                change.json(),
                version,
                difference.json(),
                by,
                Proposal.State.PROPOSED,
                null,
                null);
        return ProposalStore.full(connection, caller.tenant())
                .compose(full -> full
                        ? Future.succeededFuture(new Result.Full<V>())
                        : ProposalStore.insert(connection, proposal).map(Result.Proposed::new));
    }

    /** What a change would do now, which is not made; failed if it cannot be. */
    public Future<Difference> preview(Caller caller, PolicyChange<?> change) {
        return compared(caller, change);
    }

    /**
     * Makes the change that a proposal holds, if the caller may confirm it.
     *
     * @param seen whether a proposal is as the caller saw it
     */
    public Future<Decision> confirm(Caller caller, UUID id, @Nullable String note, Predicate<Proposal> seen) {
        return inTurn(
                caller,
                () -> proposals.find(caller.tenant(), id).compose(found -> {
                    if (found == null || found.state() != Proposal.State.PROPOSED) {
                        return Future.succeededFuture(
                                found == null ? Decision.Refused.UNKNOWN : Decision.Refused.ENDED);
                    }
                    if (!found.confirmableBy(Author.of(caller, clock.instant()))) {
                        return Future.succeededFuture(Decision.Refused.SAME_PERSON);
                    }
                    if (!seen.test(found)) {
                        return Future.succeededFuture(new Decision.Unseen(found));
                    }
                    return state(caller)
                            .compose(now -> read(found, now))
                            .compose(change -> change == null
                                    ? outdated(caller, id)
                                    : confirm(caller, found, change, note, seen)
                                            .recover(failure -> failure instanceof IllegalArgumentException
                                                    ? outdated(caller, id)
                                                    : Future.failedFuture(failure)));
                }));
    }

    private Future<? extends @Nullable PolicyChange<?>> read(Proposal found, TenantState now) {
        Fetching reading = readings.get(found.kind());
        return reading == null ? Future.succeededFuture() : reading.fetch(found, now);
    }

    private Future<Decision> outdated(Caller caller, UUID id) {
        return end(caller, id, Proposal.State.OUTDATED, "it can be made no more", true)
                .map(done -> (Decision) Decision.Refused.OUTDATED);
    }

    private Future<Decision> confirm(
            Caller caller, Proposal found, PolicyChange<?> change, @Nullable String note, Predicate<Proposal> seen) {
        return compared(caller, change)
                .compose(difference -> changes.make(
                        caller.tenant(),
                        caller.keyId(),
                        connection -> same(connection, caller, difference)
                                .compose(same -> ProposalStore.find(connection, caller.tenant(), found.id()))
                                .compose(open -> open == null || open.state() != Proposal.State.PROPOSED
                                        ? Future.succeededFuture(Decision.Refused.ENDED)
                                        : !seen.test(open)
                                                ? Future.succeededFuture(new Decision.Unseen(open))
                                                : change.refusal(connection)
                                                        .compose(refusal -> refusal == null
                                                                ? change.version(connection)
                                                                : Future.succeededFuture(NEVER))
                                                        .compose(version -> confirm(
                                                                connection,
                                                                caller,
                                                                open,
                                                                change,
                                                                version,
                                                                difference,
                                                                note)))));
    }

    private Future<Decision> confirm(
            SqlConnection connection,
            Caller caller,
            Proposal open,
            PolicyChange<?> change,
            long version,
            Difference difference,
            @Nullable String note) {
        Author by = Author.of(caller, clock.instant());
        if (version != open.baseVersion()) {
            return ProposalStore.decide(connection, open, Proposal.State.OUTDATED, by, note)
                    .map(Decision.Refused.OUTDATED);
        }
        if (!difference.sameAs(open.diff())) {
            return ProposalStore.differs(connection, open, difference.json()).map(Decision.Refused.DIFFERS);
        }
        return change.apply(
                        connection,
                        new Author(open.author().key(), open.author().person(), by.at()),
                        open)
                .compose(applied -> ProposalStore.decide(connection, open, Proposal.State.CONFIRMED, by, note))
                .map(now -> {
                    LOG.info(
                            "the proposal {} of {} for the {} `{}` was confirmed by {}",
                            now.id(),
                            now.author().key(),
                            now.kind().word(),
                            now.name(),
                            by.key());
                    return new Decision.Done(now);
                });
    }

    /**
     * Refuses a proposal, or takes it back if the caller is who proposed it.
     *
     * @param publishes whether the caller may refuse what others proposed
     */
    public Future<Decision> reject(Caller caller, UUID id, @Nullable String note, boolean publishes) {
        return end(caller, id, Proposal.State.REJECTED, note, publishes);
    }

    private Future<Decision> end(Caller caller, UUID id, Proposal.State state, @Nullable String note, boolean others) {
        Author by = Author.of(caller, clock.instant());
        return changes.make(
                caller.tenant(),
                caller.keyId(),
                connection -> ProposalStore.find(connection, caller.tenant(), id)
                        .compose(open -> {
                            if (open == null || open.state() != Proposal.State.PROPOSED) {
                                return Future.succeededFuture(
                                        open == null ? Decision.Refused.UNKNOWN : Decision.Refused.ENDED);
                            }
                            if (!others && !open.by(by)) {
                                return Future.succeededFuture(Decision.Refused.NOT_YOURS);
                            }
                            Proposal.State end =
                                    state == Proposal.State.REJECTED && open.by(by) ? Proposal.State.WITHDRAWN : state;
                            return ProposalStore.decide(connection, open, end, by, note)
                                    .map(Decision.Done::new);
                        }));
    }

    private Future<TenantState> state(Caller caller) {
        return policies.get(caller.plane());
    }

    private Future<Difference> compared(Caller caller, PolicyChange<?> change) {
        return state(caller).compose(now -> comparisons.of(now, change)).recover(PolicyChanges::busy);
    }

    private static <T> Future<T> busy(Throwable failure) {
        return Future.failedFuture(failure instanceof Turns.TooMany ? new Busy() : failure);
    }

    /** Fails if what is in force is not what was compared. */
    private static Future<?> same(SqlConnection connection, Caller caller, Difference difference) {
        return connection
                .query(ALONE)
                .execute()
                .compose(alone -> connection
                        .preparedQuery(
                                "select coalesce(max(revision), 0) from policy_revisions where tenant in ('', $1)")
                        .execute(Tuple.of(caller.plane())))
                .compose(rows -> rows.iterator().next().getLong(0) == difference.revision()
                        ? Future.succeededFuture()
                        : Future.failedFuture(new Overtaken()));
    }

    /** Changes that this server makes for one tenant do not overtake one another; those of another server may. */
    private <T> Future<T> inTurn(Caller caller, Supplier<Future<T>> change) {
        return turns.after(caller.plane(), () -> again(TRIES, change)).recover(PolicyChanges::busy);
    }

    private <T> Future<T> again(int tries, Supplier<Future<T>> change) {
        return change.get()
                .recover(failure -> failure instanceof Overtaken && tries > 1
                        ? feed.look().compose(looked -> again(tries - 1, change))
                        : Future.failedFuture(failure));
    }
}
