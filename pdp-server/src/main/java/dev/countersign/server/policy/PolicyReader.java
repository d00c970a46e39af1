package dev.countersign.server.policy;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionRegistry;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.settings.KnownSettings;
import dev.countersign.server.settings.SettingsStore;
import dev.countersign.server.settings.StoredSetting;
import dev.countersign.server.settings.TenantSettings;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what judges tenants from PostgreSQL, all of it in one snapshot, and makes it ready to judge. */
public final class PolicyReader implements TenantPolicies.Source {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyReader.class);
    /** In {@code policy_revisions}, the operator, whose changes count for every tenant. */
    private static final String EVERYBODY = "";

    private static final String ONE_MOMENT = "set transaction isolation level repeatable read, read only";

    private final Pool pool;
    private final Vertx vertx;
    private final RuleBase base;
    private final KnownSettings known;
    private final RowVocabulary vocabulary;
    private volatile @Nullable Global global;

    /**
     * A reader of the database behind {@code pool}.
     *
     * @param base the rules of the global packs
     * @param env the environment, in which packs look for values
     * @throws IllegalArgumentException if a pack declares a setting that is the server's own
     */
    public PolicyReader(Pool pool, Vertx vertx, RuleBase base, Map<String, String> env) {
        this.pool = pool;
        this.vertx = vertx;
        this.base = base;
        this.known = KnownSettings.of(base.settings(), env);
        this.vocabulary = RowVocabulary.of(base.packs(), Map.of());
    }

    @Override
    public Future<TenantPolicies.Changes> changedSince(long revision) {
        // The last one comes in any case: a database that was put back to an older state is behind what is known.
        return pool.preparedQuery("select tenant, revision from policy_revisions where revision > $1"
                        + " or revision = (select max(revision) from policy_revisions)")
                .execute(Tuple.of(revision))
                .map(rows -> {
                    var tenants = new HashMap<String, Long>();
                    long latest = 0;
                    for (Row row : rows) {
                        tenants.put(row.getString("tenant"), row.getLong("revision"));
                        latest = Math.max(latest, row.getLong("revision"));
                    }
                    return new TenantPolicies.Changes(tenants, tenants.getOrDefault(EVERYBODY, 0L), latest);
                });
    }

    /** The rows of the operator as they were last read, which all tenants share. */
    private record Global(long revision, List<PolicyRow> rows, RowTable table) {}

    /** What was read of tenants, and not made ready. */
    private record Rows(
            Map<String, Long> revisions,
            Map<String, Map<String, StoredSetting>> settings,
            Map<String, List<PolicyRow>> rows,
            Map<String, Set<String>> users,
            Map<String, List<Action>> actions) {
        long revision(String plane) {
            return revisions.getOrDefault(plane, 0L);
        }
    }

    @Override
    public Future<Map<String, TenantState>> read(Map<String, @Nullable TenantState> before) {
        return pool.withTransaction(connection ->
                        connection.query(ONE_MOMENT).execute().compose(begun -> rows(connection, before.keySet())))
                // Long lists and many rows take milliseconds, for which no loop that serves requests may stand still.
                .compose(rows -> vertx.executeBlocking(() -> states(before, rows), false));
    }

    private Future<Rows> rows(SqlConnection connection, Set<String> tenants) {
        var planes = new HashSet<>(tenants);
        planes.add(EVERYBODY);
        String[] names = planes.toArray(String[]::new);
        return connection
                .preparedQuery("select tenant, revision from policy_revisions where tenant = any($1)")
                .execute(Tuple.of((Object) names))
                .map(rows -> {
                    var numbers = new HashMap<String, Long>();
                    rows.forEach(row -> numbers.put(row.getString("tenant"), row.getLong("revision")));
                    return numbers;
                })
                .compose(revisions -> {
                    Global known = global;
                    if (known != null && known.revision() == revisions.getOrDefault(EVERYBODY, 0L)) {
                        planes.remove(EVERYBODY);
                    }
                    var settings = SettingsStore.load(connection, names);
                    var rows = RowStore.load(connection, planes.toArray(String[]::new));
                    var users = RowStore.users(connection, names);
                    var actions = ActionStore.load(connection, names);
                    return Future.all(settings, rows, users, actions)
                            .map(all -> new Rows(
                                    revisions, settings.result(), rows.result(), users.result(), actions.result()));
                });
    }

    private Map<String, TenantState> states(Map<String, @Nullable TenantState> before, Rows read) {
        Global everybodys = global(read);
        var states = new HashMap<String, TenantState>();
        before.forEach((tenant, state) -> states.put(
                tenant, tenant.equals(EVERYBODY) ? operator(everybodys) : state(tenant, state, read, everybodys)));
        return states;
    }

    private Global global(Rows read) {
        Global now = global;
        long revision = read.revision(EVERYBODY);
        if (now == null || now.revision() != revision) {
            List<PolicyRow> rows = read.rows().getOrDefault(EVERYBODY, List.of());
            now = new Global(revision, rows, RowTable.of(base, vocabulary, null, rows, Set.of()));
            say("the operator", now.table());
            global = now;
        }
        return now;
    }

    private TenantState operator(Global everybodys) {
        var policy = TenantPolicy.of(base, known.env(), Map.of(), List.of(everybodys.table()));
        return new TenantState(
                EVERYBODY,
                everybodys.revision(),
                known,
                TenantSettings.NONE,
                vocabulary,
                everybodys.rows(),
                Set.of(),
                policy);
    }

    private TenantState state(String tenant, @Nullable TenantState before, Rows read, Global everybodys) {
        TenantSettings settings = known.read(
                tenant,
                read.settings().getOrDefault(tenant, Map.of()),
                before == null ? TenantSettings.NONE : before.settings());
        List<PolicyRow> rows = read.rows().getOrDefault(tenant, List.of());
        Set<String> users = read.users().getOrDefault(tenant, Set.of());
        RowTable own;
        if (before != null && before.rows().equals(rows) && before.users().equals(users)) {
            own = before.policy().tables().get(1);
        } else {
            own = RowTable.of(base, vocabulary, tenant, rows, users);
            say("the tenant `" + tenant + "`", own);
        }
        ActionRegistry actions = actions(tenant, before, read);
        return new TenantState(
                tenant,
                Math.max(read.revision(tenant), everybodys.revision()),
                known,
                settings,
                vocabulary,
                rows,
                users,
                TenantPolicy.of(base, known.env(), settings.values(), List.of(everybodys.table(), own))
                        .with(actions));
    }

    private static ActionRegistry actions(String tenant, @Nullable TenantState before, Rows read) {
        ActionRegistry known =
                before == null ? ActionRegistry.NONE : before.policy().actions();
        ActionRegistry actions = ActionRegistry.of(read.actions().getOrDefault(tenant, List.of()), known);
        for (String name : actions.unusable()) {
            if (!Objects.equals(known.find(name), actions.find(name))) {
                LOG.warn(
                        "the schema of the action `{}` of the tenant `{}` cannot be used as it is stored, and refuses all calls",
                        name,
                        tenant);
            }
        }
        return actions;
    }

    private static void say(String whose, RowTable table) {
        for (RowTable.Unfit unfit : table.unfit()) {
            LOG.warn(
                    "the policy {} of {} cannot be used as it is stored, and fails closed: {}",
                    unfit.row().id(),
                    whose,
                    unfit.mistakes().get(0).code());
        }
    }
}
