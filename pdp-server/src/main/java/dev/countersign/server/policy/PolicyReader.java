package dev.countersign.server.policy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionRegistry;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.decision.Shadow;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.packs.ActivePack;
import dev.countersign.server.packs.PackSet;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.packs.PublishedPacks;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.settings.SettingsStore;
import dev.countersign.server.settings.StoredSetting;
import dev.countersign.server.settings.TenantSettings;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
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
    private final PackSets sets;
    private final PublishedPacks published;
    private final Consumer<List<Pack>> inForce;
    private final Shadowing shadowing;
    private volatile FilePacks files;
    private volatile @Nullable Global global;

    /** Where it is recorded what shadows say. */
    public interface Shadowing {
        /** Who records it of a version of a tenant's pack. */
        Shadow.Observer observer(String tenant, String pack, long version);
    }

    /** The packs in files, and how often they had changed. */
    private record FilePacks(long generation, List<Pack> packs) {}

    /**
     * A reader of the database behind {@code pool}.
     *
     * @param files the packs in files, which judge every tenant
     * @param sets makes sets of packs
     * @param published reads the packs that are published
     * @param shadowing records what shadows say
     * @param inForce is told the packs that judge every tenant, whenever they are others
     */
    public PolicyReader(
            Pool pool,
            Vertx vertx,
            List<Pack> files,
            PackSets sets,
            PublishedPacks published,
            Shadowing shadowing,
            Consumer<List<Pack>> inForce) {
        this.pool = pool;
        this.vertx = vertx;
        this.files = new FilePacks(0, files);
        this.sets = sets;
        this.published = published;
        this.shadowing = shadowing;
        this.inForce = inForce;
    }

    /**
     * What has {@code policies}, those held and those to come, judged by other packs in files. It takes its time, and throws an
     * {@link IllegalArgumentException} if they do not go together with each other or with the packs that the operator has
     * published; then nothing is changed.
     */
    public Consumer<List<Pack>> filesOf(TenantPolicies policies) {
        return packs -> {
            files(packs);
            policies.remake();
        };
    }

    private void files(List<Pack> packs) {
        Global now = global;
        Map<String, String> unusable = now == null ? Map.of() : now.packs().unusable();
        List<ActivePack> published = now == null ? List.of() : now.packs().own();
        PlanePacks.of(0, sets, packs, published, List.of()).unusable().forEach((name, why) -> {
            if (!unusable.containsKey(name)) {
                throw new IllegalArgumentException(why);
            }
        });
        files = new FilePacks(files.generation() + 1, List.copyOf(packs));
    }

    @Override
    public long generation() {
        return files.generation();
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

    /** What judges every tenant, as it was last read; the operator's rows are compiled once for each set of packs. */
    private record Global(long revision, List<PolicyRow> rows, PlanePacks packs, Cache<PackSet, RowTable> tables) {
        RowTable table(PackSet set) {
            return tables.get(set, missing -> RowTable.of(set.base(), set.vocabulary(), null, rows, Set.of()));
        }
    }

    /** What was read of tenants, and not made ready. */
    private record Rows(
            Map<String, Long> revisions,
            Map<String, Map<String, StoredSetting>> settings,
            Map<String, List<PolicyRow>> rows,
            Map<String, Set<String>> users,
            Map<String, List<Action>> actions,
            PublishedPacks.Read packs,
            @Nullable Global relied) {
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
                    Global relied =
                            known != null && known.revision() == revisions.getOrDefault(EVERYBODY, 0L) ? known : null;
                    if (relied != null) {
                        planes.remove(EVERYBODY);
                    }
                    var settings = SettingsStore.load(connection, names);
                    var rows = RowStore.load(connection, planes.toArray(String[]::new));
                    var users = RowStore.users(connection, names);
                    var actions = ActionStore.load(connection, names);
                    var packs = published.read(connection, planes.toArray(String[]::new));
                    return Future.all(settings, rows, users, actions, packs)
                            .map(all -> new Rows(
                                    revisions,
                                    settings.result(),
                                    rows.result(),
                                    users.result(),
                                    actions.result(),
                                    packs.result(),
                                    relied));
                });
    }

    private Map<String, TenantState> states(Map<String, @Nullable TenantState> before, Rows read) {
        Global everybodys = global(read);
        var states = new HashMap<String, TenantState>();
        before.forEach((tenant, state) -> states.put(
                tenant, tenant.equals(EVERYBODY) ? operator(everybodys) : state(tenant, state, read, everybodys)));
        return states;
    }

    /** What was read of the operator, or what the reading relied on where it read nothing of it. */
    private Global global(Rows read) {
        Global relied = read.relied();
        return relied != null
                ? current(relied)
                : remember(
                        read.revision(EVERYBODY),
                        read.rows().getOrDefault(EVERYBODY, List.of()),
                        read.packs().active(EVERYBODY));
    }

    /** The same with the packs in files as they are now. */
    private Global current(Global known) {
        return known.packs().generation() == files.generation()
                ? known
                : remember(known.revision(), known.rows(), known.packs().own());
    }

    private Global remember(long revision, List<PolicyRow> rows, List<ActivePack> own) {
        FilePacks now = files;
        var packs = PlanePacks.of(now.generation(), sets, now.packs(), own, List.of());
        var made = new Global(
                revision,
                rows,
                packs,
                Caffeine.newBuilder().weakKeys().executor(Runnable::run).build());
        say("the operator", made.table(packs.set()));
        packs.unusable().forEach((name, why) -> LOG.error("the pack `{}` of the operator denies: {}", name, why));
        keep(made);
        return made;
    }

    /** A reading that was overtaken by a newer one judges what was read with it, and is not kept for others. */
    private synchronized void keep(Global made) {
        Global before = global;
        if (before != null && before.revision() > made.revision()) {
            return;
        }
        global = made;
        if (before == null || !before.packs().set().equals(made.packs().set())) {
            inForce.accept(made.packs().set().packs());
        }
    }

    private TenantState operator(Global everybodys) {
        PackSet set = everybodys.packs().set();
        return new TenantState(
                EVERYBODY,
                everybodys.revision(),
                everybodys.packs(),
                TenantSettings.NONE,
                List.of(),
                everybodys.rows(),
                Set.of(),
                TenantPolicy.of(set.base(), set.known().env(), Map.of(), List.of(everybodys.table(set))));
    }

    private TenantState state(String tenant, @Nullable TenantState before, Rows read, Global everybodys) {
        return state(
                tenant,
                Math.max(read.revision(tenant), everybodys.revision()),
                before,
                everybodys,
                read.settings().getOrDefault(tenant, Map.of()),
                read.rows().getOrDefault(tenant, List.of()),
                read.users().getOrDefault(tenant, Set.of()),
                actions(tenant, before, read),
                read.packs().active(tenant),
                read.packs().shadow(tenant));
    }

    private TenantState state(
            String tenant,
            long revision,
            @Nullable TenantState before,
            Global everybodys,
            Map<String, StoredSetting> stored,
            List<PolicyRow> rows,
            Set<String> users,
            ActionRegistry actions,
            List<ActivePack> active,
            List<ActivePack> shadows) {
        PlanePacks beneath = everybodys.packs();
        var packs = PlanePacks.of(beneath.generation(), sets, beneath.set().packs(), active, shadows);
        PackSet set = packs.set();
        boolean sameSet = before != null && before.packs().set().equals(set);
        TenantSettings settings =
                set.known().read(tenant, stored, before != null && sameSet ? before.settings() : TenantSettings.NONE);
        RowTable own;
        if (before != null
                && sameSet
                && before.rows().equals(rows)
                && before.users().equals(users)) {
            own = before.policy().tables().get(1);
        } else {
            own = RowTable.of(set.base(), set.vocabulary(), tenant, rows, users);
            say("the tenant `" + tenant + "`", own);
        }
        if (before == null || !before.packs().unusable().equals(packs.unusable())) {
            packs.unusable()
                    .forEach((name, why) -> LOG.error(
                            "the pack `{}` of the tenant `{}` cannot be used, and denies all its requests",
                            name,
                            tenant));
        }
        var policy = TenantPolicy.of(
                        set.base(), set.known().env(), settings.values(), List.of(everybodys.table(set), own))
                .with(actions);
        var state = new TenantState(tenant, revision, packs, settings, everybodys.rows(), rows, users, policy);
        return shadows.isEmpty() ? state : state.with(policy.withShadows(shadows(state)));
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

    private List<Shadow> shadows(TenantState state) {
        var shadows = new ArrayList<Shadow>();
        for (ActivePack shadow : state.packs().shadows()) {
            try {
                shadows.add(new Shadow(
                        state.with(state.packs().instead(shadow)),
                        shadowing.observer(state.tenant(), shadow.name(), shadow.version())));
            } catch (IllegalArgumentException e) {
                LOG.warn(
                        "the shadow of the pack `{}` of the tenant `{}` is not evaluated",
                        shadow.name(),
                        state.tenant());
            }
        }
        return shadows;
    }

    @Override
    public synchronized TenantState remade(TenantState state) {
        Global known = global;
        if (known == null || state.packs().generation() == generation()) {
            return state;
        }
        Global everybodys = current(known);
        return state.tenant().equals(EVERYBODY)
                ? operator(everybodys)
                : state(
                        state.tenant(),
                        state.revision(),
                        state,
                        everybodys,
                        state.settings().stored(),
                        state.rows(),
                        state.users(),
                        state.policy().actions(),
                        state.packs().own(),
                        state.packs().shadows());
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
