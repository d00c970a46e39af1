package dev.countersign.server.rows;

import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowLimits;
import dev.countersign.server.history.Past;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The rows in PostgreSQL, each of one plane: a tenant's, or the operator's, whose tenant is null. */
public final class RowStore {
    private static final String COLUMNS =
            "id, tenant, owner, name, description, scope, scope_ref, effect, action_pattern,"
                    + " resource_pattern, rule_expr::text as rule_expr, risk, reason, enabled, version, created_at, created_by,"
                    + " updated_at, updated_by";
    private static final String ROWS =
            "select " + COLUMNS + " from policies where coalesce(tenant, '') = coalesce($1, '')";

    private final Pool pool;

    /** The rows of the database behind {@code pool}. */
    public RowStore(Pool pool) {
        this.pool = pool;
    }

    /**
     * Which rows are wanted; a part that is null does not matter.
     *
     * @param scope the word of a scope
     * @param scopeRef what the scope refers to
     * @param effect the word of an effect
     * @param owner whose they are
     * @param action the action, as the pattern is written
     * @param enabled whether they count
     */
    public record Filter(
            @Nullable String scope,
            @Nullable String scopeRef,
            @Nullable String effect,
            @Nullable String owner,
            @Nullable String action,
            @Nullable Boolean enabled) {}

    /** Those of a plane, by id, from the one after {@code after} on. */
    public Future<List<StoredRow>> list(@Nullable String tenant, Filter filter, @Nullable UUID after, int limit) {
        return pool.preparedQuery(
                        ROWS + " and ($2::text is null or scope = $2) and ($3::text is null or scope_ref = $3)"
                                + " and ($4::text is null or effect = $4) and ($5::text is null or owner = $5)"
                                + " and ($6::text is null or action_pattern = $6) and ($7::boolean is null or enabled = $7)"
                                + " and ($8::uuid is null or id > $8) order by id limit $9")
                .execute(Tuple.from(new @Nullable Object[] {
                    tenant,
                    filter.scope(),
                    filter.scopeRef(),
                    filter.effect(),
                    filter.owner(),
                    filter.action(),
                    filter.enabled(),
                    after,
                    limit
                }))
                .map(RowStore::all);
    }

    /** One of a plane, or {@code null}. */
    public Future<@Nullable StoredRow> find(@Nullable String tenant, UUID id) {
        return pool.withConnection(connection -> find(connection, tenant, id));
    }

    /** One of a plane, or {@code null}. */
    public static Future<@Nullable StoredRow> find(SqlConnection connection, @Nullable String tenant, UUID id) {
        return connection
                .preparedQuery(ROWS + " and id = $2")
                .execute(Tuple.of(tenant, id))
                .map(rows -> rows.size() == 0 ? null : stored(rows.iterator().next()));
    }

    /** All rows of these tenants, by tenant; a tenant without any is left out. The empty tenant is the operator. */
    public static Future<Map<String, List<PolicyRow>>> load(SqlConnection connection, String[] tenants) {
        return connection
                .preparedQuery("select " + COLUMNS + " from policies where coalesce(tenant, '') = any($1) order by id")
                .execute(Tuple.of((Object) tenants))
                .map(rows -> {
                    var all = new HashMap<String, List<PolicyRow>>();
                    for (StoredRow stored : all(rows)) {
                        String tenant = Objects.requireNonNullElse(stored.row().tenant(), "");
                        all.computeIfAbsent(tenant, name -> new ArrayList<>()).add(stored.row());
                    }
                    return all;
                });
    }

    /** The users of these tenants who were given a copy of the default set, by tenant. */
    public static Future<Map<String, Set<String>>> users(SqlConnection connection, String[] tenants) {
        return connection
                .preparedQuery("select tenant, user_id from policy_users where tenant = any($1)")
                .execute(Tuple.of((Object) tenants))
                .map(rows -> {
                    var users = new HashMap<String, Set<String>>();
                    rows.forEach(row -> users.computeIfAbsent(row.getString("tenant"), name -> new HashSet<>())
                            .add(row.getString("user_id")));
                    return users;
                });
    }

    /** What the plane of a row holds beside it. */
    public static Future<RowLimits.Others> others(SqlConnection connection, PolicyRow row) {
        return connection
                .preparedQuery("select count(*) filter (where case when $3 then strpos(action_pattern, '*') > 0"
                        + " else action_pattern = $4 end) as alike, count(*) as rows,"
                        + " coalesce(sum(octet_length(rule_expr::text)), 0)::bigint as bytes"
                        + " from policies where coalesce(tenant, '') = coalesce($1, '') and id <> $2")
                .execute(Tuple.of(row.tenant(), UUID.fromString(row.id()), row.pattern(), row.actionPattern()))
                .map(rows -> {
                    Row found = rows.iterator().next();
                    return new RowLimits.Others(
                            found.getInteger("alike"), found.getInteger("rows"), found.getLong("bytes"));
                });
    }

    /** Stores a new row, or the next version of one, with its history. */
    public static Future<StoredRow> write(
            SqlConnection connection, PolicyRow row, @Nullable String by, Instant at, @Nullable UUID proposal) {
        return connection
                .preparedQuery("insert into policies (id, tenant, owner, name, description, scope, scope_ref, effect,"
                        + " action_pattern, resource_pattern, rule_expr, risk, reason, enabled, version, created_at,"
                        + " created_by, updated_at, updated_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
                        + " $11::text::jsonb, $12, $13, $14, $15, $16, $17, $16, $17) on conflict (id) do update set"
                        + " owner = $3, name = $4, description = $5, scope = $6, scope_ref = $7, effect = $8,"
                        + " action_pattern = $9, resource_pattern = $10, rule_expr = $11::text::jsonb, risk = $12,"
                        + " reason = $13, enabled = $14, version = $15, updated_at = $16, updated_by = $17"
                        + " returning " + COLUMNS)
                .execute(Tuple.from(new @Nullable Object[] {
                    UUID.fromString(row.id()),
                    row.tenant(),
                    row.owner(),
                    row.name(),
                    row.description(),
                    row.scope().word(),
                    row.scopeRef(),
                    row.effect().word(),
                    row.actionPattern(),
                    row.resourcePattern(),
                    row.ruleExpr() == null ? null : row.ruleExpr().toString(),
                    row.risk() == null ? null : row.risk().word(),
                    row.reason(),
                    row.enabled(),
                    row.version(),
                    at.atOffset(ZoneOffset.UTC),
                    by
                }))
                .compose(rows -> {
                    StoredRow stored = stored(rows.iterator().next());
                    String json = RowJson.write(stored.row()).toString();
                    return history(connection, stored.row(), row.version(), json, by, at, proposal)
                            .map(stored);
                });
    }

    /** Takes a row away, and keeps its history. */
    public static Future<?> delete(
            SqlConnection connection, PolicyRow row, @Nullable String by, Instant at, @Nullable UUID proposal) {
        return connection
                .preparedQuery("delete from policies where id = $1")
                .execute(Tuple.of(UUID.fromString(row.id())))
                .compose(gone -> history(connection, row, row.version() + 1, null, by, at, proposal));
    }

    private static Future<?> history(
            SqlConnection connection,
            PolicyRow row,
            long version,
            @Nullable String json,
            @Nullable String by,
            Instant at,
            @Nullable UUID proposal) {
        return connection
                .preparedQuery(
                        "insert into policies_history (id, version, tenant, row, changed_at, changed_by, proposal)"
                                + " values ($1, $2, $3, $4, $5, $6, $7)")
                .execute(Tuple.from(new @Nullable Object[] {
                    UUID.fromString(row.id()), version, row.tenant(), json, at.atOffset(ZoneOffset.UTC), by, proposal
                }));
    }

    /** What became of a row, by version, from the one after {@code after} on; of a deleted one too. */
    public Future<List<Past>> history(@Nullable String tenant, UUID id, long after, int limit) {
        return pool.preparedQuery("select version, row, changed_at, changed_by, proposal from policies_history"
                        + " where coalesce(tenant, '') = coalesce($1, '') and id = $2 and version > $3"
                        + " order by version limit $4")
                .execute(Tuple.of(tenant, id, after, limit))
                .map(rows -> Past.of(rows, "row"));
    }

    private static List<StoredRow> all(RowSet<Row> rows) {
        var all = new ArrayList<StoredRow>(rows.size());
        rows.forEach(row -> all.add(stored(row)));
        return all;
    }

    private static StoredRow stored(Row row) {
        var read = new PolicyRow(
                row.getUUID("id").toString(),
                row.getString("tenant"),
                row.getString("owner"),
                row.getString("name"),
                row.getString("description"),
                Objects.requireNonNull(Worded.of(PolicyRow.Scope.class, row.getString("scope"))),
                row.getString("scope_ref"),
                Objects.requireNonNull(Worded.of(PolicyRow.Kind.class, row.getString("effect"))),
                row.getString("action_pattern"),
                row.getString("resource_pattern"),
                Past.json(row.getString("rule_expr")),
                Worded.of(PolicyRow.Risk.class, row.getString("risk")),
                row.getString("reason"),
                row.getBoolean("enabled"),
                row.getLong("version"));
        return new StoredRow(
                read,
                time(row, "created_at"),
                row.getString("created_by"),
                time(row, "updated_at"),
                row.getString("updated_by"));
    }

    private static Instant time(Row row, String column) {
        OffsetDateTime time = row.getOffsetDateTime(column);
        return time.toInstant();
    }
}
