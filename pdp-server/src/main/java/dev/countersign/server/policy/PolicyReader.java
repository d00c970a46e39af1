package dev.countersign.server.policy;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.server.decision.TenantPolicy;
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
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what judges tenants from PostgreSQL, all of it in one snapshot, and makes it ready to judge. */
public final class PolicyReader implements TenantPolicies.Source {
    private static final String ONE_MOMENT = "set transaction isolation level repeatable read, read only";

    private final Pool pool;
    private final Vertx vertx;
    private final RuleBase base;
    private final KnownSettings known;

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
    }

    @Override
    public Future<TenantPolicies.Changes> changedSince(long revision) {
        return pool.preparedQuery("select tenant, revision from policy_revisions where revision > $1")
                .execute(Tuple.of(revision))
                .map(rows -> {
                    var tenants = new HashSet<String>();
                    long latest = revision;
                    for (Row row : rows) {
                        tenants.add(row.getString("tenant"));
                        latest = Math.max(latest, row.getLong("revision"));
                    }
                    return new TenantPolicies.Changes(tenants, tenants.contains(""), latest);
                });
    }

    /** What was read of tenants, and not made ready. */
    private record Rows(Map<String, Long> revisions, Map<String, Map<String, StoredSetting>> settings) {}

    @Override
    public Future<Map<String, TenantState>> read(Map<String, @Nullable TenantState> before) {
        String[] tenants = before.keySet().toArray(String[]::new);
        return pool.withTransaction(connection ->
                        connection.query(ONE_MOMENT).execute().compose(begun -> rows(connection, tenants)))
                // Long lists and many rows take milliseconds, for which no loop that serves requests may stand still.
                .compose(rows -> vertx.executeBlocking(() -> states(before, rows), false));
    }

    private static Future<Rows> rows(SqlConnection connection, String[] tenants) {
        Future<Map<String, Long>> revisions = connection
                .preparedQuery("select tenant, revision from policy_revisions where tenant = '' or tenant = any($1)")
                .execute(Tuple.of((Object) tenants))
                .map(rows -> {
                    var numbers = new HashMap<String, Long>();
                    rows.forEach(row -> numbers.put(row.getString("tenant"), row.getLong("revision")));
                    return numbers;
                });
        Future<Map<String, Map<String, StoredSetting>>> settings = SettingsStore.load(connection, tenants);
        return Future.all(revisions, settings).map(both -> new Rows(revisions.result(), settings.result()));
    }

    private Map<String, TenantState> states(Map<String, @Nullable TenantState> before, Rows rows) {
        var states = new HashMap<String, TenantState>();
        before.forEach((tenant, state) -> {
            TenantSettings settings = known.read(
                    tenant,
                    rows.settings().getOrDefault(tenant, Map.of()),
                    state == null ? TenantSettings.NONE : state.settings());
            states.put(
                    tenant,
                    new TenantState(
                            Math.max(
                                    rows.revisions().getOrDefault(tenant, 0L),
                                    rows.revisions().getOrDefault("", 0L)),
                            known,
                            settings,
                            TenantPolicy.of(base, known.env(), settings.values())));
        });
        return states;
    }
}
