package dev.countersign.server.http;

import dev.countersign.server.decision.Decided;
import dev.countersign.server.identity.Role;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import java.util.function.Supplier;

/** What clients and operators ask about the server itself: metadata, health, readiness, metrics. */
final class OperationsHandler {
    private final Callers callers;
    private final Metrics metrics;
    private final Supplier<Map<String, String>> faults;
    private final Supplier<Map<String, String>> warnings;
    private final String metadata;

    /**
     * @param faults what keeps the server from being ready, by part; empty when it is ready
     * @param warnings what else is wrong, by part
     * @param baseUrl the base URL that clients use
     */
    OperationsHandler(
            Callers callers,
            Metrics metrics,
            Supplier<Map<String, String>> faults,
            Supplier<Map<String, String>> warnings,
            String baseUrl) {
        this.callers = callers;
        this.metrics = metrics;
        this.faults = faults;
        this.warnings = warnings;
        this.metadata = new JsonObject()
                .put("policy_decision_point", baseUrl)
                .put("access_evaluation_endpoint", baseUrl + "/access/v1/evaluation")
                .put("access_evaluations_endpoint", baseUrl + "/access/v1/evaluations")
                .put("access_request_endpoint", baseUrl + AccessRequestsHandler.PATH)
                .put("jwks_uri", baseUrl + AccessRequestsHandler.JWKS)
                .put("capabilities", new JsonArray().add("urn:openid:authzen:capability:access-request"))
                .put("supported_obligations", new JsonArray(Decided.OBLIGATIONS))
                .encode();
    }

    /** {@code GET /.well-known/authzen-configuration} (Authorization API 1.0, section 9). */
    void metadata(RoutingContext ctx) {
        ctx.response().putHeader(HttpHeaders.CACHE_CONTROL, "public, max-age=300");
        json(ctx, 200, metadata);
    }

    /** {@code GET /healthz}: the process answers. */
    void health(RoutingContext ctx) {
        json(ctx, 200, "{\"status\":\"up\"}");
    }

    /** {@code GET /readyz}: 200 when decisions can be made and logged, else 503 with what is in the way. */
    void ready(RoutingContext ctx) {
        Map<String, String> found = faults.get();
        var body = new JsonObject().put("status", found.isEmpty() ? "ready" : "not_ready");
        if (!found.isEmpty()) {
            body.put("faults", new JsonObject(Map.copyOf(found)));
        }
        if (!warnings.get().isEmpty()) {
            body.put("warnings", new JsonObject(Map.copyOf(warnings.get())));
        }
        json(ctx, found.isEmpty() ? 200 : 503, body.encode());
    }

    /** {@code GET /metrics}: for the operator's key. */
    void metrics(RoutingContext ctx) {
        if (callers.require(ctx, Role.OPERATOR) != null) {
            ctx.response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
                    .end(metrics.scrape());
        }
    }

    private static void json(RoutingContext ctx, int status, String body) {
        ctx.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(body);
    }
}
