package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;

/**
 * Every failure on its way out. On AuthZEN paths the body is a message (Authorization API 1.0, section 10.1.2); on all
 * others it is a problem document (RFC 9457). Neither ever shows what went wrong inside. Each is counted.
 */
final class Problems {
    private static final String TYPE = "urn:countersign:problem:";

    private Problems() {}

    /**
     * Ends the response with a failure.
     *
     * @param status the HTTP status
     * @param kind a stable word for the kind of problem
     * @param detail what to do about it, for the caller to read
     */
    static void send(RoutingContext ctx, int status, String kind, String detail) {
        send(ctx, status, kind, detail, more -> {});
    }

    /** The same, of a path that is not AuthZEN's, with what {@code more} adds to the document. */
    static void send(RoutingContext ctx, int status, String kind, String detail, Consumer<ObjectNode> more) {
        var response = ctx.response();
        if (response.ended() || response.closed()) {
            return;
        }
        Answers.count(ctx);
        response.setStatusCode(status);
        if (status == 401) {
            response.putHeader("WWW-Authenticate", "Bearer realm=\"countersign\"");
        }
        if (status == 503) {
            response.putHeader("Retry-After", "1");
        }
        if (authzen(ctx)) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, "text/plain; charset=utf-8")
                    .end(detail);
        } else {
            ObjectNode body = body(status, kind, detail);
            more.accept(body);
            response.putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json")
                    .end(body.toString());
        }
    }

    /** A problem document. */
    static ObjectNode body(int status, String kind, String detail) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("type", TYPE + kind)
                .put("title", HttpResponseStatus.valueOf(status).reasonPhrase())
                .put("status", status)
                .put("detail", detail);
    }

    /** Whether the request's path is one of AuthZEN's own. */
    static boolean authzen(RoutingContext ctx) {
        String path = ctx.request().path();
        return path != null && path.startsWith("/access/v1/");
    }
}
