package dev.countersign.server.approvals;

import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.live.Changes;
import dev.countersign.server.separation.Panel;
import dev.countersign.server.separation.Ruling;
import dev.countersign.server.separation.Separation;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Hands the places of reviewers on one access request on to other persons. */
public final class Reassignments {
    private final Pool pool;
    private final Changes changes;
    private final Transitions transitions;
    private final InstantSource clock;

    /** Those in the database behind {@code pool}; {@code changes} makes the transactions. */
    Reassignments(Pool pool, Changes changes, Transitions transitions, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** What came of it. */
    public sealed interface Outcome {
        /** It is done; all that was handed on of the request, the first first. */
        record Done(AccessRequest request, List<Reassignment> all) implements Outcome {}

        /** There is no such request here. */
        record Unknown() implements Outcome {}

        /** It has ended before; its time may just have passed. */
        record Ended(AccessRequest request) implements Outcome {}

        /** There is no person of that name here. */
        record Nobody(PersonName name) implements Outcome {}

        /** Both are one person. */
        record Same() implements Outcome {}

        /** Whose place it would be has none to hand on, or the caller is on the requester's side. */
        record MayNot(Ruling.MayNot why) implements Outcome {}

        /** The other cannot take it; {@link Ruling.Reason#NEEDED_LATER} if not all places could be filled then. */
        record CannotTake(Ruling.MayNot why) implements Outcome {}
    }

    /**
     * Hands a place on.
     *
     * @param caller a person who has a place, or an administrator
     * @param id the access request
     * @param from whose place; {@code null} for the caller's own, who is a person then
     * @param to who is to review in it
     */
    public Future<Outcome> reassign(
            Caller caller, UUID id, @Nullable PersonName from, PersonName to, @Nullable String note) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        return changes.act(
                caller.keyId(),
                connection -> AccessRequestStore.lock(connection, caller.inTenant(), id)
                        .compose(locked -> locked == null
                                ? Future.succeededFuture(new Outcome.Unknown())
                                : transitions
                                        .open(connection, locked, now)
                                        .compose(open -> open
                                                ? named(connection, caller, locked, from, to, note, now)
                                                : AccessRequestStore.lock(connection, locked.tenant(), id)
                                                        .map(ended ->
                                                                new Outcome.Ended(Objects.requireNonNull(ended))))));
    }

    private Future<Outcome> named(
            SqlConnection connection,
            Caller caller,
            AccessRequest locked,
            @Nullable PersonName from,
            PersonName to,
            @Nullable String note,
            Instant now) {
        return Separation.person(connection, locked.tenant(), to)
                .compose(taker -> (from == null
                                ? Future.succeededFuture(caller.person())
                                : Separation.person(connection, locked.tenant(), from))
                        .compose(giver -> {
                            if (taker == null || giver == null) {
                                return Future.succeededFuture(new Outcome.Nobody(
                                        taker == null ? to : Objects.requireNonNull(from, "a caller is a person")));
                            }
                            var made = new Reassignment(giver, taker, now, caller.keyId(), caller.person(), note);
                            return judged(connection, caller, locked, made);
                        }));
    }

    private Future<Outcome> judged(SqlConnection connection, Caller caller, AccessRequest locked, Reassignment made) {
        return AccessRequestStore.reviews(connection, locked.tenant(), locked.id())
                .compose(reviews -> panel(connection, locked, made.at()).compose(panel -> {
                    Outcome refused = refused(panel, caller, locked, made, Reviews.votes(reviews));
                    return refused != null
                            ? Future.succeededFuture(refused)
                            : insert(connection, locked, made)
                                    .compose(inserted -> transitions.reassign(connection, locked, made))
                                    .compose(told -> of(connection, locked.tenant(), locked.id()))
                                    .map(all -> new Outcome.Done(locked, all));
                }));
    }

    private static @Nullable Outcome refused(
            Panel panel,
            Caller caller,
            AccessRequest locked,
            Reassignment made,
            List<dev.countersign.server.separation.Review> given) {
        // Who asks does not choose who reviews, administrator or not.
        if (locked.requester().principal().equals(caller.principal())
                || caller.person() != null && panel.excluded().contains(caller.person())) {
            return new Outcome.MayNot(new Ruling.MayNot(Ruling.Reason.REQUESTERS_SIDE, null));
        }
        if (made.from().equals(made.to())) {
            return new Outcome.Same();
        }
        if (panel.hands(locked.stage(), made.from(), given) instanceof Ruling.MayNot may) {
            return new Outcome.MayNot(may);
        }
        if (panel.takes(made.to(), given) instanceof Ruling.MayNot may) {
            return new Outcome.CannotTake(may);
        }
        boolean lost = panel.completes(given)
                && !panel.handing(Map.of(made.from(), made.to())).completes(given);
        return lost ? new Outcome.CannotTake(new Ruling.MayNot(Ruling.Reason.NEEDED_LATER, null)) : null;
    }

    /** Who may review a request, once its places are with whom they were handed to. */
    static Future<Panel> panel(SqlConnection connection, AccessRequest request, Instant now) {
        return Submissions.panel(connection, request, now)
                .compose(panel -> of(connection, request.tenant(), request.id())
                        .map(all -> all.isEmpty()
                                ? panel
                                : panel.handing(
                                        all.stream().collect(Collectors.toMap(Reassignment::from, Reassignment::to)))));
    }

    private static Future<?> insert(SqlConnection connection, AccessRequest request, Reassignment made) {
        return connection
                .preparedQuery("insert into approval_reassignments (tenant, request, from_person, to_person, at, key,"
                        + " by_person, note) values ($1, $2, $3, $4, $5, $6, $7, $8)")
                .execute(Tuple.of(
                        request.tenant(),
                        request.id(),
                        made.from(),
                        made.to(),
                        AccessRequestStore.time(made.at()),
                        made.key(),
                        made.by(),
                        made.note()));
    }

    /** What was handed on of a request, the first first. */
    public Future<List<Reassignment>> of(String tenant, UUID request) {
        return of(pool, tenant, request);
    }

    private static Future<List<Reassignment>> of(SqlClient client, String tenant, UUID request) {
        return client.preparedQuery(
                        "select from_person, to_person, at, key, by_person, note from approval_reassignments"
                                + " where tenant = $1 and request = $2 order by at, from_person")
                .execute(Tuple.of(tenant, request))
                .map(rows -> {
                    var all = new ArrayList<Reassignment>();
                    for (Row row : rows) {
                        all.add(new Reassignment(
                                row.getUUID("from_person"),
                                row.getUUID("to_person"),
                                AccessRequestStore.instant(row, "at"),
                                row.getString("key"),
                                row.getUUID("by_person"),
                                row.getString("note")));
                    }
                    return all;
                });
    }
}
