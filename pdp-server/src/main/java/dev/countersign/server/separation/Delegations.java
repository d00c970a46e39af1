package dev.countersign.server.separation;

import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes and ends delegations.
 *
 * @param store where they are
 * @param changes makes the transactions
 * @param ids makes their ids
 */
public record Delegations(DelegationStore store, Changes changes, Supplier<UUID> ids, InstantSource clock) {
    /** What came of it. */
    public sealed interface Outcome {
        /** It is in force, or will be. */
        record Made(Delegation delegation) implements Outcome {}

        /** It cannot be; {@code why} is for the caller. */
        record Unfit(String why) implements Outcome {}

        /** The tenant has {@link DelegationStore#MAX_OPEN}. */
        record Full() implements Outcome {}
    }

    /**
     * Gives away a place.
     *
     * @param from whose; {@code null} for the caller's own
     * @param to who reviews in it
     * @param validFrom {@code null} for now
     * @param scope a pattern of actions; {@code null} for all
     */
    public Future<Outcome> create(
            Caller caller,
            @Nullable PersonName from,
            PersonName to,
            @Nullable Instant validFrom,
            Instant validUntil,
            @Nullable String scope) {
        Instant now = clock.instant();
        String tenant = caller.inTenant();
        return changes.make(
                caller.tenant(),
                caller.keyId(),
                connection -> Separation.person(connection, tenant, to)
                        .compose(taker -> (from == null
                                        ? Future.succeededFuture(caller.person())
                                        : Separation.person(connection, tenant, from))
                                .compose(giver -> {
                                    if (taker == null || giver == null) {
                                        return Future.succeededFuture(new Outcome.Unfit(
                                                "there is no person of that name here: persons have keys"));
                                    }
                                    try {
                                        Delegation made = Delegation.made(
                                                tenant,
                                                ids.get(),
                                                giver,
                                                taker,
                                                validFrom == null ? now : validFrom,
                                                validUntil,
                                                scope,
                                                now,
                                                caller.keyId());
                                        return DelegationStore.create(connection, made)
                                                .map(created -> switch (created) {
                                                    case DONE -> new Outcome.Made(made);
                                                    case FULL -> new Outcome.Full();
                                                    case UNKNOWN_PERSON ->
                                                        new Outcome.Unfit("there is no such person here");
                                                });
                                    } catch (IllegalArgumentException e) {
                                        return Future.succeededFuture(
                                                new Outcome.Unfit(Objects.toString(e.getMessage())));
                                    }
                                })));
    }

    /** Ends one that the caller is a person in, or of administrators any; {@code null} if there is none. */
    public Future<@Nullable Delegation> revoke(Caller caller, UUID id) {
        UUID person = caller.mayAny(Role.ADMIN) ? null : caller.person();
        return changes.make(
                caller.tenant(),
                caller.keyId(),
                connection -> connection
                        .preparedQuery("select 1 from delegations d where d.tenant = $1 and d.id = $2"
                                + " and ($3::uuid is null or d.from_person = $3 or d.to_person = $3)")
                        .execute(Tuple.of(caller.inTenant(), id, person))
                        .compose(found -> found.size() == 0
                                ? Future.succeededFuture(null)
                                : DelegationStore.revoke(
                                        connection, caller.inTenant(), id, clock.instant(), caller.keyId())));
    }
}
