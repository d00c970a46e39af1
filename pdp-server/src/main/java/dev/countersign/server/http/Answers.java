package dev.countersign.server.http;

import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;

/**
 * The count of the answers that one path of the API gives, by status. Every Vert.x route carries the one it counts for,
 * so that nothing has to be set up for a request. What {@link Answering} sends is counted by its timer instead.
 */
final class Answers {
    /** The label of every answer to what no route serves: a caller's own words never become a label. */
    static final String NONE = "none";

    private static final String KEY = "answers";

    private final Metrics metrics;
    private final String path;

    /** @param path the path as it is registered, with the names of its parameters, or {@link #NONE} */
    Answers(Metrics metrics, String path) {
        this.metrics = metrics;
        this.path = path;
    }

    /** The route, which counts for this path from now on. */
    Route of(Route route) {
        return route.putMetadata(KEY, this);
    }

    /** Has the answer counted for the current route when it is sent: once, however often this is called. */
    static void count(RoutingContext ctx) {
        Answers answers =
                Objects.requireNonNull(ctx.currentRoute(), "only routes answer").getMetadata(KEY);
        answers.count(ctx.response());
    }

    /** Has the answer counted when it is sent: once, for the path that was named last. */
    void count(HttpServerResponse response) {
        response.endHandler(done -> {
            // A client that went away was not answered.
            if (response.ended()) {
                metrics.counter(Metric.REQUESTS, path, Integer.toString(response.getStatusCode()))
                        .increment();
            }
        });
    }
}
