package dev.countersign.server.http;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decisionlog.SegmentWriter;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.entities.EntityDirectory;
import dev.countersign.server.entities.EntityStore;
import dev.countersign.server.events.EventRecords;
import dev.countersign.server.events.Followers;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.identity.TenantStore;
import dev.countersign.server.issuers.IssuerStore;
import dev.countersign.server.issuers.KeySets;
import dev.countersign.server.issuers.ReviewStatements;
import dev.countersign.server.issuers.TokenCallers;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.policy.PackPublishing;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.TenantPolicies;
import dev.countersign.server.rows.DefaultRows;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.sealing.Checkpoints;
import dev.countersign.server.separation.Delegations;
import dev.countersign.server.signing.SigningKeyRotation;
import dev.countersign.server.tls.Certificates;
import dev.countersign.server.webhooks.WebhookStore;
import dev.countersign.tools.Retry;
import dev.countersign.tools.Tools;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One event loop of the HTTP server: its own handlers, its own engine session, its own log writer. */
public final class HttpVerticle extends VerticleBase {
    private static final int WARM_UPS = 500;
    private static final int IDLE_SECONDS = 60;
    private static final int MOST_HEADERS = 16 * 1024;

    /**
     * What all loops share.
     *
     * @param config the settings
     * @param certificates what is shown to clients that connect; {@code null} where they speak plain HTTP
     * @param policies what judges each tenant
     * @param usual what judges a tenant that has made nothing of its own
     * @param changes changes policies and what tenants set
     * @param rows the policies that are rows
     * @param actions the registered actions
     * @param defaults gives users copies of the default policies
     * @param newId draws an id, higher than those before
     * @param keys the keys as they were last read
     * @param keyStore where they are changed
     * @param tenants the tenants
     * @param tokens who shows a token instead of a key
     * @param entities what tenants say of users, agents and things
     * @param directory what decisions know of them
     * @param packs publishes packs
     * @param newKey draws a key
     * @param stale whether policies or keys were confirmed too long ago to decide by them
     * @param granting what turns a denial into an approval, and an approval into a run
     * @param records the decision table
     * @param events the table of events
     * @param followers who follows them
     * @param checkpoints the signed checkpoints of the audit trail
     * @param metrics the meters
     * @param faults what keeps the server from being ready
     * @param warnings what else is wrong
     * @param clock the time
     */
    public record Shared(
            ServerConfig config,
            @Nullable Certificates certificates,
            TenantPolicies policies,
            TenantPolicy usual,
            PolicyChanges changes,
            RowStore rows,
            ActionStore actions,
            DefaultRows defaults,
            Supplier<UUID> newId,
            Supplier<KeyRing> keys,
            KeyStore keyStore,
            TenantStore tenants,
            Tokens tokens,
            EntityStore entities,
            EntityDirectory directory,
            PackPublishing packs,
            Supplier<ApiKey> newKey,
            BooleanSupplier stale,
            Granting granting,
            DecisionRecords records,
            EventRecords events,
            Followers followers,
            Checkpoints checkpoints,
            Metrics metrics,
            Supplier<Map<String, String>> faults,
            Supplier<Map<String, String>> warnings,
            InstantSource clock) {}

    /**
     * What turns a denial into an approval, and an approval into a run.
     *
     * @param approvals access requests and approvals
     * @param bindings what binds an access request to a denial
     * @param waiting who waits for which task
     * @param jwks the public keys that verify what the server signs, as a JWK Set
     * @param signing rotates the keys that it signs with
     * @param tools what the server runs itself
     * @param retry how it tries again
     * @param unguessable draws an id that cannot be guessed
     * @param delegations who reviews in whose place
     * @param webhooks who is told of events
     * @param egress calls where the operator lets the server call
     * @param steps is told of each step of a run; nobody listens in production
     */
    public record Granting(
            Approvals approvals,
            Bindings bindings,
            Followers waiting,
            Supplier<String> jwks,
            SigningKeyRotation signing,
            Tools tools,
            Retry retry,
            Supplier<UUID> unguessable,
            Delegations delegations,
            WebhookStore webhooks,
            Egress egress,
            Consumer<ApplyStep> steps) {}

    /**
     * What lets in whoever shows a token.
     *
     * @param callers tells who it is
     * @param statements reads what issuers say of who decided
     * @param issuers the issuers that tenants have registered
     * @param keys what is known of their keys
     * @param egress where keys may be read from
     */
    public record Tokens(
            TokenCallers callers, ReviewStatements statements, IssuerStore issuers, KeySets keys, EgressRules egress) {
        IssuersHandler handler(Callers by) {
            return new IssuersHandler(by, issuers, keys, egress);
        }
    }

    private final Shared shared;
    private final int port;
    private final String baseUrl;
    private final SegmentWriter log;
    private volatile @Nullable HttpServer server;
    private Supplier<Future<?>> goodbye = Future::succeededFuture;

    /**
     * A loop.
     *
     * @param port the port, the same for all loops
     * @param baseUrl the URL by which clients reach the server
     * @param log the loop's own writer
     */
    public HttpVerticle(Shared shared, int port, String baseUrl, SegmentWriter log) {
        this.shared = shared;
        this.port = port;
        this.baseUrl = baseUrl;
        this.log = log;
    }

    @Override
    public Future<?> start() {
        ServerConfig config = shared.config();
        var decisions = new DecisionLoop(
                log,
                config.durability(),
                task -> context.runOnContext(ignored -> task.run()),
                shared.clock(),
                new SplittableRandom(new SecureRandom().nextLong()),
                shared.metrics(),
                shared.defaults()::used);
        decisions.warmUp(WARM_UPS, shared.usual(), sample());
        var callers = new Callers(
                shared.keys(), shared.stale(), shared.clock(), shared.tokens().callers());
        var judging = new Judging(shared.policies(), shared.directory());
        Granting granting = shared.granting();
        Approvals approvals = granting.approvals();
        var deciding = new Deciding(decisions, approvals.uses(), granting.steps());
        var tasks = new TaskView(baseUrl, shared.clock());
        var view = new ApprovalView(tasks);
        var reviewing = new Reviewing(callers, approvals, tasks);
        var applying = new Applying(judging, deciding, granting, shared.clock());
        var requesting = new Requesting(judging, deciding, approvals.submissions());
        var polls = new LongPoll(granting.waiting());
        var streams = new TaskStream(granting.waiting());
        var approvalsHandler = new ApprovalsHandler(callers, approvals, reviewing, applying, view, polls);
        var events = new EventsHandler(callers, shared.events(), shared.followers());
        goodbye = () -> Future.join(events.close(), streams.close());
        var routes = new Routes(vertx, shared.metrics());
        var router = routes.of(
                new EvaluationHandler(callers, judging, decisions, deciding, granting.bindings(), shared.metrics()),
                new PolicyEvaluateHandler(callers, judging, decisions, shared.metrics()),
                new AuthorizeHandler(callers, judging, decisions, deciding, shared.metrics()),
                new AccessRequestsHandler(
                        callers,
                        judging,
                        decisions,
                        approvals,
                        granting.bindings(),
                        granting.jwks(),
                        granting.egress(),
                        tasks,
                        polls,
                        streams),
                new ReceiptsHandler(callers, approvals.receipts()),
                approvalsHandler,
                new ReassignHandler(callers, approvals, reviewing, view),
                new BreakGlassHandler(callers, approvals, reviewing, view),
                new RelayHandler(callers, shared.tokens().statements(), approvals.reviews(), reviewing, view),
                new ApprovalTrailHandler(callers, approvals, shared.records(), reviewing, view),
                new GatewayHandler(callers, judging, requesting, approvals, reviewing, view, shared.clock()),
                new GuardrailsHandler(
                        callers, judging, requesting, applying, approvals, reviewing, approvalsHandler, view),
                new DelegationsHandler(callers, granting.delegations()),
                new WebhooksHandler(
                        callers, granting.webhooks(), granting.egress().rules()),
                new DecisionsHandler(callers, shared.records(), judging),
                events,
                new CheckpointsHandler(callers, shared.checkpoints()),
                new SettingsHandler(callers, judging, shared.changes()),
                new PoliciesHandler(callers, judging, shared.rows(), shared.changes(), shared.newId()),
                new ActionsHandler(callers, shared.actions(), shared.changes()),
                new PacksHandler(callers, judging, shared.packs()),
                new ProposalsHandler(callers, shared.changes()),
                new KeysHandler(callers, shared.keyStore(), shared.newKey(), shared.clock()),
                new SigningKeysHandler(callers, granting.signing()),
                new TenantsHandler(callers, shared.tenants(), shared.newKey()),
                shared.tokens().handler(callers),
                new EntitiesHandler(callers, judging, shared.entities()),
                new EntityLoadHandler(callers, shared.entities()),
                new OperationsHandler(callers, shared.metrics(), shared.faults(), shared.warnings(), baseUrl),
                new DocsHandler());
        var options = new HttpServerOptions()
                .setHost(config.host())
                .setPort(port)
                .setIdleTimeout(IDLE_SECONDS)
                .setCompressionSupported(false)
                // There are no WebSockets here: without these, their handler would see every message.
                .setPerFrameWebSocketCompressionSupported(false)
                .setPerMessageWebSocketCompressionSupported(false)
                .setMaxHeaderSize(MOST_HEADERS);
        // HTTP/2 counts headers by itself; the other settings are those that it has without a word of ours.
        options.getInitialSettings().setMaxHeaderListSize(MOST_HEADERS);
        if (shared.certificates() != null) {
            shared.certificates().secure(options);
        }
        return vertx.createHttpServer(options)
                .requestHandler(router)
                .invalidRequestHandler(routes::unreadable)
                .listen()
                .onSuccess(listening -> server = listening);
    }

    /** Shows another certificate to whoever connects from now on, on all loops of this port. */
    public Future<Boolean> show(ServerSSLOptions certificate) {
        HttpServer listening = server;
        return listening == null
                ? Future.failedFuture(new IllegalStateException("it does not listen yet"))
                : listening.updateSSLOptions(certificate);
    }

    @Override
    public Future<?> stop() {
        return goodbye.get();
    }

    private static Call sample() {
        try {
            return Call.of(StrictJson.read("""
                    {"subject": {"type": "agent", "id": "warm-up", "properties": {"roles": ["none"]}},
                     "action": {"name": "warm.up", "properties": {"class": "tool_call"}},
                     "resource": {"type": "tool", "id": "warm.up", "properties": {"amount": 1}},
                     "context": {"confidence": 0.5, "zone": "none", "mode": "auto"}}
                    """.getBytes(StandardCharsets.UTF_8)));
        } catch (BadCall e) {
            throw new IllegalStateException("the sample is a complete call", e);
        }
    }
}
