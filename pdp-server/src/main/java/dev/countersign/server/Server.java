package dev.countersign.server;

import dev.countersign.rules.pack.Pack;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decision.UuidV7;
import dev.countersign.server.decisionlog.DecisionLog;
import dev.countersign.server.decisionlog.LogSettings;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.entities.EntityDirectory;
import dev.countersign.server.entities.EntityStore;
import dev.countersign.server.events.EventRecords;
import dev.countersign.server.events.Followers;
import dev.countersign.server.http.ApplyStep;
import dev.countersign.server.http.HttpVerticle;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.identity.TenantStore;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.metrics.LogMeters;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.packs.ShadowRecords;
import dev.countersign.server.policy.ActionChange;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyReader;
import dev.countersign.server.policy.Proposal;
import dev.countersign.server.policy.ProposalStore;
import dev.countersign.server.policy.RowChange;
import dev.countersign.server.policy.SettingChange;
import dev.countersign.server.policy.TenantPolicies;
import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.Migrations;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.rows.DefaultRows;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.secrets.Secrets;
import dev.countersign.server.tls.Certificates;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.sqlclient.Pool;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The whole server, wired by hand from top to bottom: database, keys, rules, log, HTTP. */
public final class Server implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);
    private static final long STEP_SECONDS = 60;
    /** How long after a refused write the server calls itself unready; then it may be tried again. */
    private static final Duration REFUSAL = Duration.ofSeconds(5);

    private static final Duration DRAIN = Duration.ofSeconds(10);

    /** How long a change may stay unknown where no notification comes. */
    private static final Duration POLL = Duration.ofSeconds(1);

    /** About how many bytes of what judges tenants are kept in memory. */
    private static final long MOST_HELD = 100L << 20;

    /** How much memory the entities that decisions asked for may take, roughly. */
    private static final long ENTITY_BYTES = 64L << 20;

    /** How many clients follow events on this server, together and of one tenant. */
    private static final int MOST_STREAMS = 256;

    private static final int MOST_STREAMS_OF_TENANT = 16;

    private interface Step {
        void run() throws Exception;
    }

    private final ServerConfig config;
    private final Consumer<ApplyStep> steps;
    private final Clock clock = Clock.systemUTC();
    private final SecureRandom random = new SecureRandom();
    private final Metrics metrics = new Metrics();
    private final LogMeters logMeters = new LogMeters(metrics, clock);
    private final Deque<Step> closing = new ArrayDeque<>();
    private final AtomicReference<@Nullable EmbeddedPostgres> embedded = new AtomicReference<>();
    private final AtomicReference<@Nullable LiveFeed> feed = new AtomicReference<>();
    /** What each part that can go on all the same says is wrong with it, if anything. */
    private final Map<String, Supplier<@Nullable String>> problems = new ConcurrentSkipListMap<>();

    private List<KeyStore.NewKey> demoKeys = List.of();
    private int port;
    private volatile boolean started;

    private Server(ServerConfig config, Consumer<ApplyStep> steps) {
        this.config = config;
        this.steps = steps;
    }

    /**
     * Starts a server with these packs, which have passed the gate; it is ready when this returns.
     *
     * @throws RuntimeException if a part cannot be started; what was started before is stopped again
     */
    public static Server start(ServerConfig config, List<Pack> packs) {
        return start(config, packs, step -> {});
    }

    /** The same, telling {@code steps} of each step of running an approved call. */
    public static Server start(ServerConfig config, List<Pack> packs, Consumer<ApplyStep> steps) {
        var server = new Server(config, steps);
        try {
            server.run(packs);
            return server;
        } catch (IOException e) {
            server.close();
            throw new IllegalStateException(e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    private void run(List<Pack> packs) throws IOException {
        closing.push(metrics::close);
        var vertx =
                Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(loops()));
        closing.push(() -> await(vertx.close(), "stopping"));
        Certificates certificates = config.tls() == null ? null : Certificates.open(vertx, config.tls(), clock);
        // The database and the rules need each other for nothing, and both take their time.
        var starting = CompletableFuture.supplyAsync(this::database);
        closing.push(() -> starting.handle((address, failed) -> {
                    stopDatabase();
                    return address;
                })
                .join());
        var rulePacks = new RulePacks(packs, config, metrics);
        problems.put("packs", rulePacks::problem);
        var log = DecisionLog.open(
                new LogSettings(config.logDir(), serverName(), false, DRAIN, clock, this::newId), logMeters);
        closing.push(log::close);
        var connections = new Connections(join(starting));
        log.shipTo(connections.dataSource());
        // The loops stop before the log that they write; what is left for later closes then has been closed.
        closing.push(() -> await(vertx.close(), "stopping"));
        Pool pool = connections.pool(vertx);
        var fresh = new LiveFeed(pool, clock, POLL);
        var changes = new Changes(pool, fresh, clock);
        var keyStore = new KeyStore(pool, changes, this::newId, clock);
        var shadows = new ShadowRecords(pool, vertx, metrics);
        PolicyReader reader = rulePacks.reader(pool, vertx, shadows);
        var policies = new TenantPolicies(reader, MOST_HELD);
        Live<KeyRing> keys = fresh.live("keys", KeyRing.NONE, known -> keyStore.load());
        fresh.live("policies", 0L, policies::refresh);
        metrics.gauge(Metric.TENANTS_HELD, policies::tenants);
        metrics.gauge(Metric.TENANTS_HELD_BYTES, policies::bytes);
        var policyChanges =
                new PolicyChanges(vertx, policies, changes, fresh, new ProposalStore(pool), this::newId, clock);
        policyChanges.reading(Proposal.Kind.SETTING, SettingChange::read);
        policyChanges.reading(Proposal.Kind.POLICY, RowChange::read);
        policyChanges.reading(Proposal.Kind.ACTION, ActionChange::read);
        var entityStore = new EntityStore(
                pool,
                changes,
                clock,
                tenant -> policies.get(tenant).map(state -> state.policy().entities()));
        var directory = new EntityDirectory(entityStore, ENTITY_BYTES);
        fresh.live("entities", -1L, directory::forget);
        var egress = new Egress(vertx, config.egress(), null);
        var issuing = new Issuing(pool, fresh, changes, egress, this::newId, clock);
        feed.set(fresh);
        var followers = new Followers(MOST_STREAMS, MOST_STREAMS_OF_TENANT);
        fresh.listen(Followers.CHANNEL, followers::heard);
        metrics.gauge(Metric.EVENT_STREAMS, followers::count);
        closing.push(() -> await(fresh.close(), "closing the feed"));
        var records = new DecisionRecords(pool);
        SecretBox secrets =
                await(new Secrets(pool, random).open(config.secretsKey(), config.secretsFile()), "reading secrets");
        var granting = new Granting(
                config, secrets, pool, fresh, changes, records, vertx, egress, this::newId, random, metrics, clock);
        closing.push(granting::close);
        await(granting.prepare(), "making signing keys");
        await(fresh.start(vertx, connections.options()), "reading the keys and policies");
        granting.start(vertx);
        await(issuing.start(vertx), "reading the keys of issuers");
        demoKeys = new FirstStart(config, random).run(keyStore, keys.get(), fresh);
        gauges(log, fresh);
        if (certificates != null) {
            problems.put("tls", certificates::problem);
        }
        metrics.gauge(
                Metric.TLS_SECONDS,
                () -> certificates == null ? Double.NaN : certificates.left().toSeconds());
        var shared = new HttpVerticle.Shared(
                config,
                certificates,
                policies,
                rulePacks.usual(),
                policyChanges,
                new RowStore(pool),
                new ActionStore(pool),
                new DefaultRows(pool, this::newId, clock),
                this::newId,
                keys::get,
                keyStore,
                new TenantStore(pool, changes, keyStore, clock),
                issuing.shared(),
                entityStore,
                directory,
                rulePacks.publishing(vertx, pool, shadows, policyChanges, changes, clock),
                () -> ApiKey.draw(random),
                () -> fresh.stale(config.maxStaleness()),
                granting.shared(steps),
                records,
                new EventRecords(pool),
                followers,
                granting.checkpoints(),
                metrics,
                this::faults,
                this::warnings,
                clock);
        closing.push(() -> granting.lastCheckpoint(log, fresh));
        var listening = Listening.start(vertx, shared, log, loops());
        closing.push(() -> await(listening.cease(), "ceasing to listen"));
        port = listening.port();
        granting.deliver(vertx, listening.url());
        closing.push(rulePacks.watch(reader, policies)::close);
        started = true;
    }

    private PostgresAddress database() {
        PostgresAddress owner;
        if (config.databaseUrl() != null) {
            owner = PostgresAddress.parse(config.databaseUrl());
        } else {
            EmbeddedPostgres postgres = EmbeddedPostgres.start(config.data(), random);
            embedded.set(postgres);
            owner = postgres.address();
        }
        return Migrations.migrate(owner);
    }

    private static <T> T join(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private void stopDatabase() {
        EmbeddedPostgres postgres = embedded.getAndSet(null);
        if (postgres != null) {
            postgres.close();
        }
    }

    private Map<String, String> faults() {
        var faults = new LinkedHashMap<String, String>();
        if (!started) {
            faults.put("server", "it is starting");
        }
        for (Live<?> known : values()) {
            if (known.stale(config.maxStaleness(), clock.instant())) {
                faults.put(known.kind(), "they could not be confirmed for " + config.maxStaleness());
            }
        }
        if (logMeters.refusedSince(clock.instant().minus(REFUSAL))) {
            faults.put("log", "the decision log cannot be written");
        }
        return faults;
    }

    /** What is worth knowing and keeps nobody from an answer. */
    private Map<String, String> warnings() {
        LiveFeed fresh = feed.get();
        var warnings = new LinkedHashMap<String, String>();
        if (fresh != null && fresh.away()) {
            warnings.put("database", "the database does not answer");
        }
        problems.forEach((part, problem) -> {
            String said = problem.get();
            if (said != null) {
                warnings.put(part, said);
            }
        });
        return warnings;
    }

    private List<Live<?>> values() {
        LiveFeed fresh = feed.get();
        return fresh == null ? List.of() : fresh.values();
    }

    private void gauges(DecisionLog log, LiveFeed fresh) {
        metrics.gauge(Metric.LOG_LAG_BYTES, () -> log.lag().bytes());
        metrics.gauge(Metric.LOG_LAG_SECONDS, () -> log.lag().oldest().toMillis() / 1_000.0);
        metrics.gauge(Metric.READY, () -> faults().isEmpty() ? 1 : 0);
        metrics.gauge(
                Metric.SNAPSHOT_AGE_SECONDS,
                () -> Duration.between(fresh.confirmed(), clock.instant()).toMillis() / 1_000.0);
    }

    private UUID newId() {
        return UuidV7.of(clock.millis(), random);
    }

    private static int loops() {
        return Math.max(1, Runtime.getRuntime().availableProcessors());
    }

    private String serverName() {
        return "pid-" + ProcessHandle.current().pid();
    }

    static <T> T await(Future<T> future, String what) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(STEP_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(what + " failed: " + cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IllegalStateException(what + " took longer than " + STEP_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(what + " was interrupted", e);
        }
    }

    /** The port on which it listens. */
    public int port() {
        return port;
    }

    /** The demo keys, if this start made them; else nothing. */
    public List<KeyStore.NewKey> demoKeys() {
        return demoKeys;
    }

    /** Stops everything, last started first; each part is stopped even if another fails to. */
    @Override
    public void close() {
        started = false;
        while (!closing.isEmpty()) {
            try {
                closing.pop().run();
            } catch (Exception e) {
                LOG.warn("a part did not stop cleanly: {}", e.toString());
            }
        }
    }
}
