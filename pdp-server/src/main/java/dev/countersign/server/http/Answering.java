package dev.countersign.server.http;

import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.micrometer.core.instrument.Timer;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;

/** Sends the answers to decisions once the log has them, and times and counts them. Confined to one event loop. */
final class Answering {
    private static final CharSequence JSON = HttpHeaders.createOptimized("application/json");

    private final DecisionLoop decisions;
    private final Timer answered;

    /** @param path the path whose answers these are */
    Answering(DecisionLoop decisions, Metrics metrics, String path) {
        this.decisions = decisions;
        this.answered = metrics.timer(Metric.REQUEST_SECONDS, path);
        metrics.counter(Metric.REQUESTS, answered, path, "200");
    }

    /** Sends {@code body} with 200 once everything decided so far is logged; began is System.nanoTime(). */
    void send(RoutingContext ctx, byte[] body, long began) {
        decisions.answer(new DecisionLoop.Answer() {
            @Override
            public void send() {
                var response = ctx.response();
                // A client that went away was not answered.
                if (!response.closed()) {
                    response.putHeader(HttpHeaders.CONTENT_TYPE, JSON).end(Buffer.buffer(body));
                    answered.record(System.nanoTime() - began, TimeUnit.NANOSECONDS);
                }
            }

            @Override
            public void refuse(Exception cause) {
                unavailable(ctx);
            }
        });
    }

    /** Nothing may be decided that cannot be logged: an error, which every enforcement point takes for a no. */
    static void unavailable(RoutingContext ctx) {
        Problems.send(
                ctx, 503, "log_unavailable", "denied: the decision log cannot be written, so nothing can be decided");
    }
}
