package dev.countersign.server;

import dev.countersign.server.approvals.ApprovalMeters;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.events.Followers;
import dev.countersign.server.http.ApplyStep;
import dev.countersign.server.http.HttpVerticle;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.metrics.Metrics;
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
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What turns a denial into an approval: the keys that sign, the access requests, and the sweeper. */
final class Granting implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Granting.class);
    private static final Duration SWEEP = Duration.ofSeconds(5);
    private static final Duration WATCH = Duration.ofSeconds(5);
    private static final Duration DELIVER = Duration.ofSeconds(1);
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
    private final Egress egress;
    private final Tools tools;
    private final WebhookStore webhooks;
    private final Deliveries deliveries;
    private final Delegations delegations;
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
        var tokens = new OwnTokens(vertx, new Tokens(keys::get, clock), feed::look, issuer);
        approvals = Approvals.of(pool, changes, ids, () -> unguessable(random), tokens, meters, clock);
        bindings = new Bindings(vertx, tokens, records, clock);
        feed.listen(WAITING, waiting::heard);
        this.egress = egress;
        tools = ToolFile.read(config.tools(), new ToolEgress(egress), config.env(), clock);
        webhooks = new WebhookStore(pool, secrets, changes, ids, random, clock);
        deliveries = new Deliveries(pool, secrets, egress, random, clock);
        delegations = new Delegations(new DelegationStore(pool), changes, ids, clock);
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
        deliveries.start(vertx, DELIVER);
        approvals.watch(vertx, meters, WATCH);
        vertx.setPeriodic(
                KEYS.toMillis(),
                timer -> keyStore.ensure()
                        .onFailure(failure ->
                                LOG.warn("the signing keys could not be looked after: {}", failure.toString())));
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
                egress.rules(),
                steps);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
