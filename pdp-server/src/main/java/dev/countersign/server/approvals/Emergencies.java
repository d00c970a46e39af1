package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import dev.countersign.server.separation.Ruling;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Break-glass: one person approves a request alone where its templates allow it, and another person looks at that later. */
public final class Emergencies {
    /** The longest that such an approval can be used. */
    public static final Duration USE_WITHIN = Duration.ofMinutes(15);

    private static final String SELECT = "select request, person, key, reason, at, verdict, reviewed_by, reviewed_key,"
            + " review_note, reviewed_at from approval_emergencies where tenant = $1";

    private final Pool pool;
    private final Changes changes;
    private final Transitions transitions;
    private final InstantSource clock;

    /** Those in the database behind {@code pool}; {@code changes} makes the transactions. */
    Emergencies(Pool pool, Changes changes, Transitions transitions, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.transitions = transitions;
        this.clock = clock;
    }

    /** What came of it. */
    public sealed interface Outcome {
        /** It is done, and this is what became of the request; the approval is that which was made now. */
        record Done(AccessRequest request, @Nullable Approval approval, Emergency emergency) implements Outcome {}

        /** There is no such request here, or nobody approved it alone. */
        record Unknown() implements Outcome {}

        /** It has ended before; its time may just have passed. */
        record Ended(AccessRequest request) implements Outcome {}

        /** Its templates do not let anybody. */
        record NotAllowed() implements Outcome {}

        /** The caller is no person, or on the requester's side. */
        record MayNot(Ruling.MayNot why) implements Outcome {}

        /** Whoever did it does not say whether it was right. */
        record Own() implements Outcome {}

        /** Somebody has said so before. */
        record Reviewed(Emergency emergency) implements Outcome {}
    }

    /**
     * Approves a request alone.
     *
     * @param caller a person with the role for it
     * @param id the access request
     * @param reason why nobody else can be waited for
     */
    public Future<Outcome> approve(Caller caller, UUID id, String reason) {
        Instant now = now();
        return changes.act(
                caller.keyId(),
                connection -> AccessRequestStore.lock(connection, caller.inTenant(), id)
                        .compose(locked -> locked == null
                                ? Future.succeededFuture(new Outcome.Unknown())
                                : transitions
                                        .open(connection, locked, now)
                                        .compose(open -> open
                                                ? approve(connection, caller, locked, reason, now)
                                                : again(connection, locked).map(Outcome.Ended::new))));
    }

    private Future<Outcome> approve(
            SqlConnection connection, Caller caller, AccessRequest locked, String reason, Instant now) {
        UUID person = caller.person();
        if (person == null) {
            return Future.succeededFuture(new Outcome.MayNot(new Ruling.MayNot(Ruling.Reason.NOT_A_REVIEWER, null)));
        }
        return Reassignments.panel(connection, locked, now).compose(panel -> {
            if (panel.excluded().contains(person)) {
                return Future.succeededFuture(
                        new Outcome.MayNot(new Ruling.MayNot(Ruling.Reason.REQUESTERS_SIDE, null)));
            }
            // Whoever answers for the agent is not known, and may be this very person.
            if (locked.breakGlass() != AccessRequest.BreakGlass.ALLOWED || panel.twoNeeded()) {
                return Future.succeededFuture(new Outcome.NotAllowed());
            }
            var emergency = new Emergency(locked.id(), person, caller.keyId(), reason, now, null);
            var alone =
                    new Review(person, null, locked.stage(), Review.Vote.APPROVE, caller.keyId(), reason, now, null);
            return insert(connection, locked, emergency)
                    .compose(inserted -> transitions.breakGlass(connection, locked, alone, USE_WITHIN))
                    .compose(made -> again(connection, locked).map(ended -> new Outcome.Done(ended, made, emergency)));
        });
    }

    /**
     * Says of a request that was approved alone whether that was right. It does not matter whether the approval was used.
     *
     * @param caller a person with the role for it, neither who approved it nor on the requester's side
     * @param id the access request
     */
    public Future<Outcome> review(Caller caller, UUID id, Emergency.Word word, @Nullable String note) {
        Instant now = now();
        return changes.act(
                caller.keyId(),
                connection -> AccessRequestStore.lock(connection, caller.inTenant(), id)
                        .compose(locked -> find(connection, caller.inTenant(), id)
                                .compose(found -> locked == null || found == null
                                        ? Future.succeededFuture(new Outcome.Unknown())
                                        : review(connection, caller, locked, found, word, note, now))));
    }

    private Future<Outcome> review(
            SqlConnection connection,
            Caller caller,
            AccessRequest locked,
            Emergency found,
            Emergency.Word word,
            @Nullable String note,
            Instant now) {
        UUID person = caller.person();
        if (person == null) {
            return Future.succeededFuture(new Outcome.MayNot(new Ruling.MayNot(Ruling.Reason.NOT_A_REVIEWER, null)));
        }
        if (person.equals(found.person())) {
            return Future.succeededFuture(new Outcome.Own());
        }
        if (found.verdict() != null) {
            return Future.succeededFuture(new Outcome.Reviewed(found));
        }
        return Reassignments.panel(connection, locked, now).compose(panel -> {
            if (panel.excluded().contains(person)) {
                return Future.succeededFuture(
                        new Outcome.MayNot(new Ruling.MayNot(Ruling.Reason.REQUESTERS_SIDE, null)));
            }
            var reviewed = new Emergency(
                    found.request(),
                    found.person(),
                    found.key(),
                    found.reason(),
                    found.at(),
                    new Emergency.Verdict(word, person, caller.keyId(), note, now));
            return connection
                    .preparedQuery("update approval_emergencies set verdict = $3, reviewed_by = $4, reviewed_key = $5,"
                            + " review_note = $6, reviewed_at = $7 where tenant = $1 and request = $2")
                    .execute(Tuple.of(
                            locked.tenant(),
                            locked.id(),
                            word.word(),
                            person,
                            caller.keyId(),
                            note,
                            AccessRequestStore.time(now)))
                    .compose(updated -> transitions.reviewed(connection, locked, reviewed))
                    .map(told -> new Outcome.Done(locked, null, reviewed));
        });
    }

    private static Future<?> insert(SqlConnection connection, AccessRequest request, Emergency made) {
        return connection
                .preparedQuery("insert into approval_emergencies (tenant, request, person, key, reason, at)"
                        + " values ($1, $2, $3, $4, $5, $6)")
                .execute(Tuple.of(
                        request.tenant(),
                        request.id(),
                        made.person(),
                        made.key(),
                        made.reason(),
                        AccessRequestStore.time(made.at())))
                .compose(inserted -> connection
                        .preparedQuery("update approval_requests set break_glass = $3 where tenant = $1 and id = $2")
                        .execute(Tuple.of(request.tenant(), request.id(), AccessRequest.BreakGlass.USED.word())));
    }

    /** Of a request; {@code null} if nobody approved it alone. */
    public Future<@Nullable Emergency> of(AccessRequest request) {
        return request.breakGlass() == AccessRequest.BreakGlass.USED
                ? find(pool, request.tenant(), request.id())
                : Future.succeededFuture(null);
    }

    private static Future<@Nullable Emergency> find(SqlClient client, String tenant, UUID request) {
        return client.preparedQuery(SELECT + " and request = $2")
                .execute(Tuple.of(tenant, request))
                .map(rows -> rows.size() == 0 ? null : emergency(rows.iterator().next()));
    }

    /** Those of a tenant of which nobody has said whether they were right, the oldest first. */
    public Future<List<Emergency>> open(String tenant, int limit) {
        return pool.preparedQuery(SELECT + " and verdict is null order by at, request limit $2")
                .execute(Tuple.of(tenant, limit))
                .map(rows -> {
                    var open = new ArrayList<Emergency>();
                    rows.forEach(row -> open.add(emergency(row)));
                    return open;
                });
    }

    private static Emergency emergency(Row row) {
        String verdict = row.getString("verdict");
        return new Emergency(
                row.getUUID("request"),
                row.getUUID("person"),
                row.getString("key"),
                row.getString("reason"),
                AccessRequestStore.instant(row, "at"),
                verdict == null
                        ? null
                        : new Emergency.Verdict(
                                Objects.requireNonNull(Worded.of(Emergency.Word.class, verdict)),
                                row.getUUID("reviewed_by"),
                                row.getString("reviewed_key"),
                                row.getString("review_note"),
                                AccessRequestStore.instant(row, "reviewed_at")));
    }

    private static Future<AccessRequest> again(SqlConnection connection, AccessRequest locked) {
        return AccessRequestStore.lock(connection, locked.tenant(), locked.id()).map(Objects::requireNonNull);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
