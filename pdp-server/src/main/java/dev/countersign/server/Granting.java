package dev.countersign.server;

import dev.countersign.server.approvals.ApprovalMeters;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decisionlog.DecisionLog;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.events.Followers;
import dev.countersign.server.http.ApplyStep;
import dev.countersign.server.http.CallbackBodies;
import dev.countersign.server.http.HttpVerticle;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.sealing.Checkpoints;
import dev.countersign.server.sealing.Sealing;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.separation.DelegationStore;
import dev.countersign.server.separation.Delegations;
import dev.countersign.server.signing.OwnTokens;
import dev.countersign.server.signing.SigningKeyRotation;
import dev.countersign.server.signing.SigningKeyStore;
import dev.countersign.server.signing.SigningKeys;
import dev.countersign.server.signing.Tokens;
import dev.countersign.server.tooling.ToolEgress;
import dev.countersign.server.tooling.ToolFile;
import dev.countersign.server.webhooks.Deliveries;
import dev.countersign.server.webhooks.WebhookStore;
import dev.countersign.tools.Retry;
import dev.countersign.tools.Tools;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What turns a denial into an approval: the keys that sign, the access requests, the sweeper and the sealer. */
final class Granting implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Granting.class);
    private static final Duration SWEEP = Duration.ofSeconds(5);
    private static final Duration WATCH = Duration.ofSeconds(5);
    private static final Duration DELIVER = Duration.ofSeconds(1);
    /** How long a stop waits for the table to have what is in the log, for the last checkpoint to name it. */
    private static final Duration SHIPPING = Duration.ofSeconds(2);

    private static final Duration SHIPPING_LOOK = Duration.ofMillis(10);
    private static final Duration KEYS = Duration.ofHours(1);
    /** The channel on which PostgreSQL notifies of the tasks to which something has happened. */
    private static final String WAITING = "countersign_approvals";
    /** How many wait on this server for what becomes of tasks, together and of one tenant. */
    private static final int MOST_WAITING = 10_000;

    private static final int MOST_WAITING_OF_TENANT = 2_000;
    private static final long VERSION_4 = 0x4000L;
    private static final long VARIANT = 0x8000000000000000L;

    private final SigningKeyStore keyStore;
    private final SigningKeyRotation rotation;
    private final Live<SigningKeys> keys;
    private final ApprovalMeters meters;
    private final Approvals approvals;
    private final Bindings bindings;
    private final Followers waiting = new Followers(MOST_WAITING, MOST_WAITING_OF_TENANT);
    private final Pool pool;
    private final SecretBox secrets;
    private final Egress egress;
    private final Tools tools;
    private final WebhookStore webhooks;
    private final Delegations delegations;
    private final Sealing sealing;
    private final SecureRandom random;
    private final InstantSource clock;
    /** Wakes the runs that wait to try again. */
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "countersign-retries"));

    Granting(
            ServerConfig config,
            SecretBox secrets,
            Pool pool,
            LiveFeed feed,
            Changes changes,
            DecisionRecords records,
            Vertx vertx,
            Egress egress,
            Supplier<UUID> ids,
            SecureRandom random,
            Metrics metrics,
            InstantSource clock) {
        meters = new ApprovalMeters(metrics, clock);
        keyStore = new SigningKeyStore(pool, secrets, clock, random);
        rotation = new SigningKeyRotation(keyStore, changes);
        keys = feed.live("signing", SigningKeys.NONE, known -> keyStore.load());
        // Servers on loopback without a name of their own are one decision point if they share a database.
        String issuer = config.publicUrl() == null
                ? "urn:countersign:loopback"
                : config.publicUrl().toString();
        var signed = new Tokens(keys::get, clock);
        var tokens = new OwnTokens(vertx, signed, feed::look, issuer);
        approvals = Approvals.of(pool, changes, ids, () -> unguessable(random), tokens, meters, clock);
        bindings = new Bindings(vertx, tokens, records, clock);
        feed.listen(WAITING, waiting::heard);
        this.pool = pool;
        this.egress = egress;
        tools = ToolFile.read(config.tools(), new ToolEgress(egress), config.env(), clock);
        this.secrets = secrets;
        webhooks = new WebhookStore(pool, secrets, changes, ids, random, clock);
        delegations = new Delegations(new DelegationStore(pool), changes, ids, clock);
        sealing = new Sealing(pool, signed, issuer, ids, config.checkpoints(), metrics, clock);
        this.random = random;
        this.clock = clock;
    }

    private static UUID unguessable(SecureRandom random) {
        return new UUID(
                random.nextLong() & 0xffffffffffff0fffL | VERSION_4, random.nextLong() & 0x3fffffffffffffffL | VARIANT);
    }

    /** Makes sure that there is a key that signs. */
    Future<Void> prepare() {
        return keyStore.ensure();
    }

    /** Tidies up and renews keys until {@code vertx} is closed. */
    void start(Vertx vertx) {
        approvals.sweeper().start(vertx, SWEEP);
        sealing.start(vertx);
        approvals.watch(vertx, meters, WATCH);
        vertx.setPeriodic(
                KEYS.toMillis(),
                timer -> keyStore.ensure()
                        .onFailure(failure ->
                                LOG.warn("the signing keys could not be looked after: {}", failure.toString())));
    }

    /** Tells others of events and of the ends of tasks until {@code vertx} is closed; {@code baseUrl} is in what they get. */
    void deliver(Vertx vertx, String baseUrl) {
        var bodies = new CallbackBodies(approvals, baseUrl, clock);
        new Deliveries(pool, secrets, egress, bodies::of, random, clock).start(vertx, DELIVER);
    }

    /** The signed checkpoints of the audit trail. */
    Checkpoints checkpoints() {
        return sealing.checkpoints();
    }

    /** Once nobody asks any more: of all that reaches the table in time. The next start has a checkpoint of the rest. */
    void lastCheckpoint(DecisionLog log, LiveFeed feed) {
        if (feed.away()) {
            return;
        }
        long deadline = System.nanoTime() + SHIPPING.toNanos();
        while (log.lag().bytes() > 0 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(SHIPPING_LOOK.toNanos());
        }
        Server.await(sealing.finish(), "making the last checkpoint");
    }

    /** For the event loops, which tell {@code steps} of each step of a run. */
    HttpVerticle.Granting shared(Consumer<ApplyStep> steps) {
        return new HttpVerticle.Granting(
                approvals,
                bindings,
                waiting,
                () -> keys.get().jwks(),
                rotation,
                tools,
                new Retry(Retry.Policy.DEFAULT, timer, clock, random::nextDouble),
                () -> unguessable(random),
                delegations,
                webhooks,
                egress,
                steps);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
