package dev.countersign.server.http;

import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All routes, on one screen. */
final class Routes {
    private static final Logger LOG = LoggerFactory.getLogger(Routes.class);
    private static final String UNREADABLE = "the request cannot be understood";

    private final Router router;
    private final Metrics metrics;
    private final Answers none;
    private final List<String> served = new ArrayList<>();

    Routes(Vertx vertx, Metrics metrics) {
        this.router = Router.router(vertx);
        this.metrics = metrics;
        this.none = new Answers(metrics, Answers.NONE);
        none.of(router.route()).handler(new RequestId());
        var whole = BodyHandler.create(false).setBodyLimit(Bodies.MAX_BYTES);
        none.of(router.route()).handler(ctx -> {
            if (EntityLoadHandler.takes(ctx)) {
                ctx.next();
            } else {
                whole.handle(ctx);
            }
        });
    }

    Router of(
            EvaluationHandler evaluation,
            PolicyEvaluateHandler policy,
            AuthorizeHandler authorize,
            AccessRequestsHandler requests,
            ReceiptsHandler receipts,
            ApprovalsHandler approvals,
            ReassignHandler reassigning,
            BreakGlassHandler emergencies,
            RelayHandler relays,
            ApprovalTrailHandler trail,
            GatewayHandler gateway,
            GuardrailsHandler guardrails,
            DelegationsHandler delegations,
            WebhooksHandler webhooks,
            DecisionsHandler decisions,
            EventsHandler events,
            CheckpointsHandler checkpoints,
            SettingsHandler settings,
            PoliciesHandler policies,
            ActionsHandler actions,
            PacksHandler packs,
            ProposalsHandler proposals,
            KeysHandler keys,
            SigningKeysHandler signing,
            TenantsHandler tenants,
            IssuersHandler issuers,
            EntitiesHandler entities,
            EntityLoadHandler load,
            OperationsHandler operations,
            DocsHandler docs) {
        decide(EvaluationHandler.SINGLE, evaluation::evaluation);
        decide(EvaluationHandler.BATCH, evaluation::evaluations);
        decide(PolicyEvaluateHandler.PATH, policy::evaluate);
        for (AuthorizeHandler.Kind kind : AuthorizeHandler.Kind.values()) {
            decide(kind.path(), ctx -> authorize.authorize(ctx, kind));
        }
        post(AccessRequestsHandler.PATH, requests::submit);
        get(AccessRequestsHandler.PATH + "/:id", requests::get);
        on(
                AccessRequestsHandler.PATH + "/:id/cancel",
                Map.of(HttpMethod.POST, requests::cancel, HttpMethod.DELETE, requests::cancel));
        get(AccessRequestsHandler.JWKS, requests::jwks);
        post(ReceiptsHandler.PATH, receipts::take);
        on(ApprovalsHandler.PATH, Map.of(HttpMethod.GET, approvals::list, HttpMethod.POST, gateway::create));
        post(ApprovalsHandler.PATH + "/batch", approvals::batch);
        post(ApprovalsHandler.PATH + "/cleanup", gateway::cleanup);
        get(ApprovalsHandler.PATH + "/stats", trail::stats);
        get(ApprovalsHandler.PATH + "/break-glass", emergencies::open);
        post(ApprovalsHandler.PATH + "/:id/break-glass", emergencies::approve);
        post(ApprovalsHandler.PATH + "/:id/break-glass/review", emergencies::review);
        get(ApprovalsHandler.PATH + "/:id", approvals::get);
        get(ApprovalsHandler.PATH + "/:id/trail", trail::trail);
        post(ApprovalsHandler.PATH + "/:id/approve", approvals::approve);
        post(ApprovalsHandler.PATH + "/:id/reject", approvals::reject);
        post(ApprovalsHandler.PATH + "/:id/relay", relays::relay);
        post(ApprovalsHandler.PATH + "/:id/decide", gateway::decide);
        post(ApprovalsHandler.PATH + "/:id/cancel", gateway::cancel);
        post(ApprovalsHandler.PATH + "/:id/reassign", reassigning::reassign);
        post(ApprovalsHandler.PATH + "/:id/revoke", approvals::revoke);
        post(ApprovalsHandler.PATH + "/:id/resolve", approvals::resolve);
        post(GuardrailsHandler.ACTIONS + "/request", guardrails::request);
        post(GuardrailsHandler.ACTIONS + "/execute", guardrails::execute);
        get(GuardrailsHandler.APPROVALS, guardrails::list);
        get(GuardrailsHandler.APPROVALS + "/:id", approvals::get);
        post(GuardrailsHandler.APPROVALS + "/:id/approve", guardrails::approve);
        post(GuardrailsHandler.APPROVALS + "/:id/deny", guardrails::deny);
        on(DelegationsHandler.PATH, Map.of(HttpMethod.GET, delegations::list, HttpMethod.POST, delegations::create));
        on(DelegationsHandler.PATH + "/:id", Map.of(HttpMethod.DELETE, delegations::revoke));
        on(WebhooksHandler.PATH, Map.of(HttpMethod.GET, webhooks::list, HttpMethod.POST, webhooks::create));
        on(
                WebhooksHandler.PATH + "/:id",
                Map.of(
                        HttpMethod.GET,
                        webhooks::get,
                        HttpMethod.PUT,
                        webhooks::put,
                        HttpMethod.DELETE,
                        webhooks::delete));
        post(WebhooksHandler.PATH + "/:id/rotate", webhooks::rotate);
        post(WebhooksHandler.PATH + "/:id/disable", webhooks::disable);
        post(WebhooksHandler.PATH + "/:id/enable", webhooks::enable);
        post(WebhooksHandler.PATH + "/:id/replay", webhooks::replay);
        get(WebhooksHandler.PATH + "/:id/deliveries", webhooks::deliveries);
        get("/api/v1/decisions", decisions::list);
        get("/api/v1/decisions/:id", decisions::get);
        get("/api/v1/decisions/:id/explain", decisions::explain);
        get("/api/v1/events", events::list);
        get(CheckpointsHandler.PATH, checkpoints::list);
        get("/api/v1/settings", settings::list);
        on(
                "/api/v1/settings/:name",
                Map.of(
                        HttpMethod.GET,
                        settings::get,
                        HttpMethod.PUT,
                        settings::put,
                        HttpMethod.DELETE,
                        settings::delete));
        on("/api/v1/policies", Map.of(HttpMethod.GET, policies::list, HttpMethod.POST, policies::create));
        get("/api/v1/policies/schema", policies::schema);
        on(
                "/api/v1/policies/:id",
                Map.of(
                        HttpMethod.GET,
                        policies::get,
                        HttpMethod.PUT,
                        policies::put,
                        HttpMethod.DELETE,
                        policies::delete));
        get("/api/v1/policies/:id/history", policies::history);
        get("/api/v1/actions", actions::list);
        on(
                "/api/v1/actions/:name",
                Map.of(HttpMethod.GET, actions::get, HttpMethod.PUT, actions::put, HttpMethod.DELETE, actions::delete));
        get("/api/v1/actions/:name/history", actions::history);
        get("/api/v1/rule-packs", packs::list);
        get("/api/v1/rule-packs/:name", packs::get);
        post("/api/v1/rule-packs/:name/check", packs::check);
        on(
                "/api/v1/rule-packs/:name/versions",
                Map.of(HttpMethod.GET, packs::versions, HttpMethod.POST, packs::publish));
        get("/api/v1/rule-packs/:name/versions/:version", packs::version);
        get("/api/v1/rule-packs/:name/shadow", packs::shadow);
        post("/api/v1/rule-packs/:name/activate", packs::activate);
        get("/api/v1/proposals", proposals::list);
        get("/api/v1/proposals/:id", proposals::get);
        post("/api/v1/proposals/:id/confirm", proposals::confirm);
        post("/api/v1/proposals/:id/reject", proposals::reject);
        on("/api/v1/keys", Map.of(HttpMethod.GET, keys::list, HttpMethod.POST, keys::create));
        on("/api/v1/keys/:id", Map.of(HttpMethod.GET, keys::get, HttpMethod.DELETE, keys::revoke));
        post("/api/v1/keys/:id/rotate", keys::rotate);
        get(SigningKeysHandler.PATH, signing::list);
        post(SigningKeysHandler.PATH + "/rotate", signing::rotate);
        on("/api/v1/tenants", Map.of(HttpMethod.GET, tenants::list, HttpMethod.POST, tenants::create));
        on("/api/v1/tenants/:tenant", Map.of(HttpMethod.GET, tenants::get, HttpMethod.PUT, tenants::update));
        post("/api/v1/tenants/:tenant/administrators", tenants::administer);
        issuers(issuers);
        on(EntityLoadHandler.PATH, Map.of(HttpMethod.POST, load::load));
        get("/api/v1/entities/:type", entities::list);
        on(
                "/api/v1/entities/:type/:id",
                Map.of(
                        HttpMethod.GET,
                        entities::get,
                        HttpMethod.PUT,
                        entities::put,
                        HttpMethod.DELETE,
                        entities::delete));
        get("/.well-known/authzen-configuration", operations::metadata);
        get("/healthz", operations::health);
        get("/readyz", operations::ready);
        get("/metrics", operations::metrics);
        get("/openapi.yaml", docs::openapi);
        get("/docs", docs::page);
        get("/docs/:file", docs::asset);
        none.of(router.route())
                .handler(ctx -> Problems.send(ctx, 404, "not_found", "there is nothing at this path"))
                .failureHandler(this::failed);
        // A path that cannot be decoded makes the routing itself fail, past every failure handler.
        router.errorHandler(400, ctx -> Problems.send(ctx, 400, "invalid_request", UNREADABLE));
        return router;
    }

    private void issuers(IssuersHandler issuers) {
        String one = IssuersHandler.PATH + "/:id";
        on(IssuersHandler.PATH, Map.of(HttpMethod.GET, issuers::list, HttpMethod.POST, issuers::create));
        on(one, Map.of(HttpMethod.GET, issuers::get, HttpMethod.PUT, issuers::put, HttpMethod.DELETE, issuers::delete));
        get(one + "/subjects", issuers::subjects);
        on(
                one + "/subjects/:sub",
                Map.of(
                        HttpMethod.GET,
                        issuers::subject,
                        HttpMethod.PUT,
                        issuers::putSubject,
                        HttpMethod.DELETE,
                        issuers::deleteSubject));
    }

    /** What {@link #of} serves, as in {@code GET /api/v1/decisions/:id}. */
    List<String> served() {
        return List.copyOf(served);
    }

    /** Refuses what is not even HTTP, which no route gets to see. */
    void unreadable(HttpServerRequest request) {
        none.count(request.response());
        HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
    }

    /** A path whose handler sends its decisions by {@link Answering}, which counts them. */
    private void decide(String path, Handler<RoutingContext> handler) {
        register(path, Map.of(HttpMethod.POST, handler));
    }

    private void get(String path, Handler<RoutingContext> handler) {
        on(path, Map.of(HttpMethod.GET, handler));
    }

    private void post(String path, Handler<RoutingContext> handler) {
        on(path, Map.of(HttpMethod.POST, handler));
    }

    private void on(String path, Map<HttpMethod, Handler<RoutingContext>> handlers) {
        var counted = new LinkedHashMap<HttpMethod, Handler<RoutingContext>>();
        handlers.forEach((method, handler) -> counted.put(method, ctx -> {
            Answers.count(ctx);
            handler.handle(ctx);
        }));
        register(path, counted);
    }

    private void register(String path, Map<HttpMethod, Handler<RoutingContext>> handlers) {
        String allowed =
                handlers.keySet().stream().map(HttpMethod::name).sorted().collect(Collectors.joining(", "));
        handlers.keySet().forEach(method -> served.add(method.name() + " " + path));
        var answers = new Answers(metrics, path);
        for (String written : new String[] {path, path + "/"}) {
            handlers.forEach((method, handler) -> {
                answers.of(router.route(method, written)).handler(handler);
                if (method.equals(HttpMethod.GET)) {
                    // Vert.x leaves out the body of an answer to HEAD.
                    answers.of(router.head(written)).handler(handler);
                }
            });
            answers.of(router.route(written)).failureHandler(this::failed).handler(ctx -> {
                HttpMethod asked = ctx.request().method();
                if (handlers.containsKey(asked.equals(HttpMethod.HEAD) ? HttpMethod.GET : asked)) {
                    // The path is right, but its handler found nothing at it.
                    ctx.next();
                    return;
                }
                ctx.response().putHeader("Allow", allowed);
                Problems.send(ctx, 405, "method_not_allowed", "this path takes " + allowed);
            });
        }
    }

    /** The route of a request for the server's log: what stands in its path may be a secret that slipped in. */
    static String named(RoutingContext ctx) {
        Route route = ctx.currentRoute();
        return ctx.request().method() + " " + (route == null || route.getPath() == null ? "(none)" : route.getPath());
    }

    private void failed(RoutingContext ctx) {
        int status = ctx.statusCode();
        if (ctx.failure() instanceof HttpClosedException) {
            LOG.debug("a client went away in the middle of its request");
        } else if (status == 413) {
            // AuthZEN knows no 413.
            int answered = Problems.authzen(ctx) ? 400 : 413;
            Problems.send(ctx, answered, "too_large", "a request body has at most " + Bodies.MAX_BYTES + " bytes");
        } else if (status >= 400 && status < 500) {
            Problems.send(ctx, status, "invalid_request", UNREADABLE);
        } else {
            LOG.error("a request to {} failed", named(ctx), ctx.failure());
            Problems.send(ctx, 500, "internal_error", "the server could not answer; nothing was allowed");
        }
    }
}
