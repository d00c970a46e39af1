package dev.countersign.server;

import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.pack.Pack;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.live.Changes;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.packs.PackChecker;
import dev.countersign.server.packs.PackMeters;
import dev.countersign.server.packs.PackSet;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.packs.PackStore;
import dev.countersign.server.packs.PackWatcher;
import dev.countersign.server.packs.PublishedPacks;
import dev.countersign.server.packs.ShadowRecords;
import dev.countersign.server.policy.PackPublishing;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyReader;
import dev.countersign.server.policy.TenantPolicies;
import dev.countersign.server.policy.TenantState;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The packs of a server, in files and published, wired to what judges by them. */
final class RulePacks {
    private final ServerConfig config;
    private final List<Pack> files;
    private final PackSets sets;
    private final PackSet first;
    private final PackMeters meters;
    private final PublishedPacks published = new PublishedPacks();
    private final AtomicReference<@Nullable String> problem = new AtomicReference<>();

    RulePacks(List<Pack> files, ServerConfig config, Metrics metrics) {
        this.files = files;
        this.config = config;
        this.sets = new PackSets(config.env());
        this.first = sets.of(files);
        this.meters = new PackMeters(metrics);
        meters.inForce(files);
    }

    /** What judges a tenant that has made nothing of its own. */
    TenantPolicy usual() {
        return TenantPolicy.of(first.base(), config.env());
    }

    /** What the packs of a tenant say of users, agents and things. */
    PackEntities entities(@Nullable TenantState tenant) {
        return (tenant == null ? first : tenant.packs().set()).entities();
    }

    PolicyReader reader(Pool pool, Vertx vertx, ShadowRecords shadows) {
        return new PolicyReader(pool, vertx, files, sets, published, shadows::of, meters::inForce);
    }

    PackPublishing publishing(
            Vertx vertx, Pool pool, ShadowRecords shadows, PolicyChanges policies, Changes changes, Clock clock) {
        return new PackPublishing(
                vertx, new PackChecker(vertx), new PackStore(pool), published, shadows, policies, changes, clock);
    }

    /** Begins to watch the files. */
    PackWatcher watch(PolicyReader reader, TenantPolicies policies) {
        var watcher = new PackWatcher(config.packs(), files, reader.filesOf(policies), problem, meters);
        watcher.start();
        return watcher;
    }

    /** What is wrong with the files; {@code null} if they are what judges. */
    @Nullable
    String problem() {
        return problem.get();
    }
}
