package dev.countersign.server.policy;

import dev.countersign.rules.facts.Worded;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The proposals in PostgreSQL. All are of one plane: a tenant's, or the operator's, whose tenant is null. */
public final class ProposalStore {
    /** The most proposals of one plane that nobody has decided. */
    public static final int MAX_OPEN = 200;

    private static final String PROPOSALS =
            "select id, tenant, kind, name, change, base_version, diff, proposed_at, proposed_by, proposed_person, state,"
                    + " decided_at, decided_by, decided_person, note from proposals"
                    + " where coalesce(tenant, '') = coalesce($1, '')";

    private final Pool pool;

    /** The proposals of the database behind {@code pool}. */
    public ProposalStore(Pool pool) {
        this.pool = pool;
    }

    /** Those of a plane, by id, hence by age, from the one after {@code after} on; {@code state} is null for any. */
    public Future<List<Proposal>> list(
            @Nullable String tenant, Proposal.@Nullable State state, @Nullable UUID after, int limit) {
        return pool.preparedQuery(PROPOSALS + " and ($2::text is null or state = $2) and ($3::uuid is null or id > $3)"
                        + " order by id limit $4")
                .execute(Tuple.of(tenant, state == null ? null : state.word(), after, limit))
                .map(rows -> {
                    var proposals = new ArrayList<Proposal>(rows.size());
                    rows.forEach(row -> proposals.add(proposal(row)));
                    return proposals;
                });
    }

    /** One of a plane, or {@code null}. */
    public Future<@Nullable Proposal> find(@Nullable String tenant, UUID id) {
        return pool.withConnection(connection -> find(connection, tenant, id));
    }

    static Future<@Nullable Proposal> find(SqlConnection connection, @Nullable String tenant, UUID id) {
        return connection
                .preparedQuery(PROPOSALS + " and id = $2")
                .execute(Tuple.of(tenant, id))
                .map(rows -> rows.size() == 0 ? null : proposal(rows.iterator().next()));
    }

    /** Whether the plane has as many open ones as it may. */
    static Future<Boolean> full(SqlConnection connection, @Nullable String tenant) {
        return connection
                .preparedQuery("select count(*) from proposals where coalesce(tenant, '') = coalesce($1, '')"
                        + " and state = 'proposed'")
                .execute(Tuple.of(tenant))
                .map(rows -> rows.iterator().next().getLong(0) >= MAX_OPEN);
    }

    static Future<Proposal> insert(SqlConnection connection, Proposal made) {
        Author author = made.author();
        return connection
                .preparedQuery("insert into proposals (id, tenant, kind, name, change, base_version, diff, proposed_at,"
                        + " proposed_by, proposed_person) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                .execute(Tuple.from(new @Nullable Object[] {
                    made.id(),
                    made.tenant(),
                    made.kind().word(),
                    made.name(),
                    made.change(),
                    made.baseVersion(),
                    made.diff(),
                    author.at().atOffset(ZoneOffset.UTC),
                    author.key(),
                    author.person()
                }))
                .map(inserted -> made);
    }

    static Future<Proposal> decide(
            SqlConnection connection, Proposal open, Proposal.State state, Author by, @Nullable String note) {
        OffsetDateTime at = by.at().atOffset(ZoneOffset.UTC);
        return connection
                .preparedQuery("update proposals set state = $2, decided_at = $3, decided_by = $4, decided_person = $5,"
                        + " note = $6 where id = $1")
                .execute(Tuple.of(open.id(), state.word(), at, by.key(), by.person(), note))
                .map(done -> new Proposal(
                        open.id(),
                        open.tenant(),
                        open.kind(),
                        open.name(),
                        open.change(),
                        open.baseVersion(),
                        open.diff(),
                        open.author(),
                        state,
                        by,
                        note));
    }

    /** What the change would do is no more what was shown. */
    static Future<?> differs(SqlConnection connection, Proposal open, String diff) {
        return connection
                .preparedQuery("update proposals set diff = $2 where id = $1")
                .execute(Tuple.of(open.id(), diff));
    }

    private static Proposal proposal(Row row) {
        return new Proposal(
                row.getUUID("id"),
                row.getString("tenant"),
                Objects.requireNonNull(Worded.of(Proposal.Kind.class, row.getString("kind"))),
                row.getString("name"),
                row.getString("change"),
                row.getLong("base_version"),
                row.getString("diff"),
                Objects.requireNonNull(author(row, "proposed")),
                Objects.requireNonNull(Worded.of(Proposal.State.class, row.getString("state"))),
                author(row, "decided"),
                row.getString("note"));
    }

    private static @Nullable Author author(Row row, String what) {
        OffsetDateTime at = row.getOffsetDateTime(what + "_at");
        return at == null
                ? null
                : new Author(row.getString(what + "_by"), row.getUUID(what + "_person"), at.toInstant());
    }
}
