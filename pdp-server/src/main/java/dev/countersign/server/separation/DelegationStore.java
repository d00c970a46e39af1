package dev.countersign.server.separation;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The delegations in PostgreSQL. No query is without its tenant. */
public final class DelegationStore {
    /** The most delegations of one tenant that are neither revoked nor over. */
    public static final int MAX_OPEN = 1_000;

    private static final String COLUMNS = "d.tenant, d.id, d.from_person, d.to_person, d.valid_from, d.valid_until,"
            + " d.scope, d.created_at, d.created_by, d.revoked_at, d.revoked_by";

    private final Pool pool;

    /** The delegations of the database behind {@code pool}. */
    public DelegationStore(Pool pool) {
        this.pool = pool;
    }

    /** What came of the wish for a delegation. */
    public enum Created {
        /** It is stored. */
        DONE,
        /** One of the two is no person of the tenant. */
        UNKNOWN_PERSON,
        /** The tenant has {@link #MAX_OPEN} of them. */
        FULL
    }

    /**
     * Those of a tenant, by id, from the one after {@code after} on; revoked ones and those that are over too.
     *
     * @param person who is on either side of it; {@code null} for anybody
     */
    public Future<List<Delegation>> list(String tenant, @Nullable UUID person, @Nullable UUID after, int limit) {
        return pool.preparedQuery("select " + COLUMNS + " from delegations d where d.tenant = $1"
                        + " and ($2::uuid is null or d.from_person = $2 or d.to_person = $2)"
                        + " and ($3::uuid is null or d.id > $3) order by d.id limit $4")
                .execute(Tuple.of(tenant, person, after, limit))
                .map(rows -> {
                    var found = new ArrayList<Delegation>(rows.size());
                    rows.forEach(row -> found.add(delegation(row)));
                    return found;
                });
    }

    /** Stores a delegation, in a transaction of the caller's that no other change of the tenant runs beside. */
    public static Future<Created> create(SqlConnection connection, Delegation made) {
        return connection
                .preparedQuery("select count(*) from delegations d"
                        + " where d.tenant = $1 and d.revoked_at is null and d.valid_until > $2")
                .execute(Tuple.of(made.tenant(), time(made.createdAt())))
                .compose(rows -> rows.iterator().next().getLong(0) >= MAX_OPEN
                        ? Future.succeededFuture(Created.FULL)
                        : insert(connection, made));
    }

    private static Future<Created> insert(SqlConnection connection, Delegation made) {
        return connection
                .preparedQuery(
                        "insert into delegations (tenant, id, from_person, to_person, valid_from, valid_until, scope,"
                                + " created_at, created_by) select $1, $2, f.id, t.id, $5, $6, $7, $8, $9"
                                + " from persons f join persons t on t.tenant = f.tenant and t.id = $4"
                                + " where f.tenant = $1 and f.id = $3")
                .execute(Tuple.from(new @Nullable Object[] {
                    made.tenant(),
                    made.id(),
                    made.from(),
                    made.to(),
                    time(made.validFrom()),
                    time(made.validUntil()),
                    made.scope(),
                    time(made.createdAt()),
                    made.createdBy()
                }))
                .map(done -> done.rowCount() == 1 ? Created.DONE : Created.UNKNOWN_PERSON);
    }

    /**
     * Ends a delegation for ever, in a transaction of the caller's. One that was revoked before stays as it is.
     *
     * @return the delegation as it is now; {@code null} if the tenant has none of this id
     */
    public static Future<@Nullable Delegation> revoke(
            SqlConnection connection, String tenant, UUID id, Instant at, String by) {
        return connection
                .preparedQuery("update delegations d set revoked_at = coalesce(d.revoked_at, $3),"
                        + " revoked_by = coalesce(d.revoked_by, $4) where d.tenant = $1 and d.id = $2 returning "
                        + COLUMNS)
                .execute(Tuple.of(tenant, id, time(at), by))
                .map(rows ->
                        rows.size() == 0 ? null : delegation(rows.iterator().next()));
    }

    private static Delegation delegation(Row row) {
        OffsetDateTime revoked = row.getOffsetDateTime("revoked_at");
        return new Delegation(
                row.getString("tenant"),
                row.getUUID("id"),
                row.getUUID("from_person"),
                row.getUUID("to_person"),
                row.getOffsetDateTime("valid_from").toInstant(),
                row.getOffsetDateTime("valid_until").toInstant(),
                row.getString("scope"),
                row.getOffsetDateTime("created_at").toInstant(),
                row.getString("created_by"),
                revoked == null ? null : revoked.toInstant(),
                row.getString("revoked_by"));
    }

    private static OffsetDateTime time(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
