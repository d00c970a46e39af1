package dev.countersign.server.http;

import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All routes, on one screen. */
final class Routes {
    private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

    private final Router router;
    private final Metrics metrics;
    private final List<String> served = new ArrayList<>();

    Routes(Vertx vertx, Metrics metrics) {
        this.router = Router.router(vertx);
        this.metrics = metrics;
        router.route().handler(new RequestId());
        router.route().handler(BodyHandler.create(false).setBodyLimit(Bodies.MAX_BYTES));
        router.route().failureHandler(this::failed);
    }

    Router of(
            EvaluationHandler evaluation,
            PolicyEvaluateHandler policy,
            DecisionsHandler decisions,
            OperationsHandler operations,
            DocsHandler docs) {
        post("/access/v1/evaluation", evaluation::evaluation);
        post("/access/v1/evaluations", evaluation::evaluations);
        post("/v1/policy/evaluate", policy::evaluate);
        get("/api/v1/decisions", decisions::list);
        get("/api/v1/decisions/:id", decisions::get);
        get("/api/v1/decisions/:id/explain", decisions::explain);
        get("/.well-known/authzen-configuration", operations::metadata);
        get("/healthz", operations::health);
        get("/readyz", operations::ready);
        get("/metrics", operations::metrics);
        get("/openapi.yaml", docs::openapi);
        get("/docs", docs::page);
        get("/docs/:file", docs::asset);
        router.route().handler(ctx -> Problems.send(ctx, 404, "not_found", "there is nothing at this path"));
        return router;
    }

    /** What {@link #of} serves, as in {@code GET /api/v1/decisions/:id}. */
    List<String> served() {
        return List.copyOf(served);
    }

    private void post(String path, Handler<RoutingContext> handler) {
        on(HttpMethod.POST, path, handler);
    }

    private void get(String path, Handler<RoutingContext> handler) {
        on(HttpMethod.GET, path, handler);
    }

    private void on(HttpMethod method, String path, Handler<RoutingContext> handler) {
        served.add(method.name() + " " + path);
        for (String written : new String[] {path, path + "/"}) {
            router.route(method, written).handler(handler);
            if (method.equals(HttpMethod.GET)) {
                // Vert.x leaves out the body of an answer to HEAD.
                router.head(written).handler(handler);
            }
            router.route(written).handler(ctx -> {
                HttpMethod asked = ctx.request().method();
                if (asked.equals(method) || asked.equals(HttpMethod.HEAD) && method.equals(HttpMethod.GET)) {
                    // The path is right, but its handler found nothing at it.
                    ctx.next();
                    return;
                }
                ctx.response().putHeader("Allow", method.name());
                Problems.send(ctx, 405, "method_not_allowed", "this path takes " + method.name());
            });
        }
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
            Problems.send(ctx, status, "invalid_request", "the request cannot be understood");
        } else {
            LOG.error("a request to {} failed", ctx.request().path(), ctx.failure());
            metrics.timer(Metric.REQUEST_SECONDS, "failed", "500").record(0, TimeUnit.NANOSECONDS);
            Problems.send(ctx, 500, "internal_error", "the server could not answer; nothing was allowed");
        }
    }
}
