package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.JsonMistake;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.function.Consumer;

/**
 * Every failure on its way out. On AuthZEN paths the body is a message (Authorization API 1.0, section 10.1.2); on all
 * others it is a problem document (RFC 9457). Neither ever shows what went wrong inside. Each is counted.
 */
final class Problems {
    private static final String TYPE = "urn:countersign:problem:";
    private static final String PROFILE = "urn:openid:authzen:access-request:error:";

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
        if (status == 401 && !response.headers().contains("WWW-Authenticate")) {
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

    /** Refuses what is written in a body, with all that is wrong in it; {@code what} it is, in one word. */
    static void mistakes(RoutingContext ctx, String what, List<JsonMistake> mistakes) {
        String detail = mistakes.size() == 1 ? "there is a mistake" : "there are " + mistakes.size() + " mistakes";
        send(ctx, 422, "invalid_" + what, detail + " in this " + what, problem -> {
            ArrayNode errors = problem.putArray("errors");
            mistakes.forEach(mistake -> {
                ObjectNode error = errors.addObject()
                        .put("pointer", mistake.pointer())
                        .put("code", mistake.code().name())
                        .put("message", mistake.message());
                if (mistake.hint() != null) {
                    error.put("hint", mistake.hint());
                }
            });
        });
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

    /**
     * Ends the response with a problem of the AuthZEN Access Request and Approval Profile.
     *
     * @param error the last word of its type
     */
    static void profile(RoutingContext ctx, int status, String error, String detail) {
        send(ctx, status, error, detail, problem -> problem.put("type", PROFILE + error));
    }

    /** Whether the request's path is one of the Authorization API's own. */
    static boolean authzen(RoutingContext ctx) {
        String path = ctx.request().path();
        return path != null && path.startsWith("/access/v1/") && !path.startsWith(AccessRequestsHandler.PATH);
    }
}
