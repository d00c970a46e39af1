package dev.countersign.server.actions;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.Worded;
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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The registries in PostgreSQL. */
public final class ActionStore {
    /** The most actions of one tenant. */
    public static final int MOST = 2_000;

    /** The most characters that the schemas of one tenant come to. */
    public static final int MOST_SCHEMA = 4 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String COLUMNS =
            "tenant, name, class, reversible, risk, owner, description, arguments_schema, advisory, volatile_context,"
                    + " version, created_at, created_by, updated_at, updated_by";
    private static final String ACTIONS = "select " + COLUMNS + " from actions where tenant = $1";

    private final Pool pool;

    /** The registries of the database behind {@code pool}. */
    public ActionStore(Pool pool) {
        this.pool = pool;
    }

    /** Those of a tenant, by name, from the one after {@code after} on; {@code actionClass} is null for any. */
    public Future<List<StoredAction>> list(
            String tenant, @Nullable ActionClass actionClass, @Nullable String after, int limit) {
        return pool.preparedQuery(ACTIONS + " and ($2::text is null or class = $2)"
                        + " and ($3::text is null or name > $3 collate \"C\") order by name limit $4")
                .execute(Tuple.of(tenant, actionClass == null ? null : actionClass.word(), after, limit))
                .map(rows -> {
                    var all = new ArrayList<StoredAction>(rows.size());
                    rows.forEach(row -> all.add(stored(row)));
                    return all;
                });
    }

    /** One of a tenant, or {@code null}. */
    public Future<@Nullable StoredAction> find(String tenant, String name) {
        return pool.preparedQuery(ACTIONS + " and name = $2")
                .execute(Tuple.of(tenant, name))
                .map(rows -> rows.size() == 0 ? null : stored(rows.iterator().next()));
    }

    /** All of these tenants, by tenant; a tenant without any is left out. */
    public static Future<Map<String, List<Action>>> load(SqlConnection connection, String[] tenants) {
        return connection
                .preparedQuery("select " + COLUMNS + " from actions where tenant = any($1)")
                .execute(Tuple.of((Object) tenants))
                .map(rows -> {
                    var all = new HashMap<String, List<Action>>();
                    rows.forEach(row -> all.computeIfAbsent(row.getString("tenant"), tenant -> new ArrayList<>())
                            .add(stored(row).action()));
                    return all;
                });
    }

    /** The version of an entry, 0 for none. */
    public static Future<Long> version(SqlConnection connection, String tenant, String name) {
        return connection
                .preparedQuery("select version from actions where tenant = $1 and name = $2")
                .execute(Tuple.of(tenant, name))
                .map(rows -> rows.size() == 0 ? 0L : rows.iterator().next().getLong(0));
    }

    /** Why an entry would be too much beside the others of its tenant, or {@code null} if it is not. */
    public static Future<@Nullable JsonMistake> exceeded(SqlConnection connection, String tenant, Action action) {
        long own = action.schema() == null ? 0 : action.schema().toString().length();
        return connection
                .preparedQuery("select count(*), coalesce(sum(length(arguments_schema)), 0)::bigint from actions"
                        + " where tenant = $1 and name <> $2")
                .execute(Tuple.of(tenant, action.name()))
                .map(rows -> {
                    Row others = rows.iterator().next();
                    if (others.getLong(0) >= MOST) {
                        return new JsonMistake(
                                "", Code.J002, "a tenant has at most " + MOST + " actions", "take others away");
                    }
                    return own == 0 || others.getLong(1) + own <= MOST_SCHEMA
                            ? null
                            : new JsonMistake(
                                    "/arguments_schema",
                                    Code.J002,
                                    "the schemas of a tenant come to at most " + MOST_SCHEMA + " characters",
                                    "say less of the arguments");
                });
    }

    /**
     * Stores the next version of an entry, with its history.
     *
     * @param by the visible prefix of the key that changes it
     * @param proposal the proposal that was confirmed, or {@code null}
     */
    public static Future<StoredAction> write(
            SqlConnection connection, String tenant, Action action, String by, Instant at, @Nullable UUID proposal) {
        return next(connection, tenant, action.name())
                .compose(version -> connection
                        .preparedQuery("insert into actions (" + COLUMNS + ") values ($1, $2, $3, $4, $5, $6, $7, $8,"
                                + " $9, $10, $11, $12, $13, $12, $13) on conflict (tenant, name) do update set class = $3,"
                                + " reversible = $4, risk = $5, owner = $6, description = $7, arguments_schema = $8,"
                                + " advisory = $9, volatile_context = $10, version = $11, updated_at = $12,"
                                + " updated_by = $13 returning " + COLUMNS)
                        .execute(Tuple.from(new @Nullable Object[] {
                            tenant,
                            action.name(),
                            action.actionClass().word(),
                            action.reversible(),
                            action.risk(),
                            action.owner(),
                            action.description(),
                            action.schema() == null ? null : action.schema().toString(),
                            action.advisory().toArray(String[]::new),
                            action.volatileContext().toArray(String[]::new),
                            version,
                            at.atOffset(ZoneOffset.UTC),
                            by
                        })))
                .compose(rows -> {
                    StoredAction stored = stored(rows.iterator().next());
                    String entry = ActionJson.write(stored.action()).toString();
                    return history(connection, tenant, stored.action(), entry, by, at, proposal)
                            .map(stored);
                });
    }

    /** Takes an entry away, and keeps its history; {@code false} if there is none. */
    public static Future<Boolean> delete(
            SqlConnection connection, String tenant, String name, String by, Instant at, @Nullable UUID proposal) {
        return next(connection, tenant, name)
                .compose(version -> connection
                        .preparedQuery("delete from actions where tenant = $1 and name = $2 returning " + COLUMNS)
                        .execute(Tuple.of(tenant, name))
                        .compose(rows -> rows.size() == 0
                                ? Future.succeededFuture(false)
                                : history(
                                                connection,
                                                tenant,
                                                stored(rows.iterator().next())
                                                        .action()
                                                        .at(version),
                                                null,
                                                by,
                                                at,
                                                proposal)
                                        .map(true)));
    }

    private static Future<Long> next(SqlConnection connection, String tenant, String name) {
        return connection
                .preparedQuery(
                        "select coalesce(max(version), 0) + 1 from actions_history where tenant = $1 and name = $2")
                .execute(Tuple.of(tenant, name))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    private static Future<RowSet<Row>> history(
            SqlConnection connection,
            String tenant,
            Action action,
            @Nullable String entry,
            String by,
            Instant at,
            @Nullable UUID proposal) {
        return connection
                .preparedQuery("insert into actions_history (tenant, name, version, entry, changed_at, changed_by,"
                        + " proposal) values ($1, $2, $3, $4, $5, $6, $7)")
                .execute(Tuple.from(new @Nullable Object[] {
                    tenant, action.name(), action.version(), entry, at.atOffset(ZoneOffset.UTC), by, proposal
                }));
    }

    /** What became of an entry, by version, from the one after {@code after} on; of one that is gone, too. */
    public Future<List<Past>> history(String tenant, String name, long after, int limit) {
        return pool.preparedQuery("select version, entry, changed_at, changed_by, proposal from actions_history"
                        + " where tenant = $1 and name = $2 and version > $3 order by version limit $4")
                .execute(Tuple.of(tenant, name, after, limit))
                .map(rows -> Past.of(rows, "entry"));
    }

    private static StoredAction stored(Row row) {
        var action = new Action(
                row.getString("name"),
                Objects.requireNonNull(Worded.of(ActionClass.class, row.getString("class"))),
                row.getBoolean("reversible"),
                row.getString("risk"),
                row.getString("owner"),
                row.getString("description"),
                schema(row.getString("arguments_schema")),
                List.of(row.getArrayOfStrings("advisory")),
                List.of(row.getArrayOfStrings("volatile_context")),
                row.getLong("version"));
        return new StoredAction(
                action,
                time(row, "created_at"),
                row.getString("created_by"),
                time(row, "updated_at"),
                row.getString("updated_by"));
    }

    /** A text that is no JSON is a schema that cannot be used: it refuses the calls of its action, and of no other. */
    private static @Nullable JsonNode schema(@Nullable String text) {
        try {
            return text == null ? null : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return TextNode.valueOf(text);
        }
    }

    private static Instant time(Row row, String column) {
        OffsetDateTime time = row.getOffsetDateTime(column);
        return time.toInstant();
    }
}
