package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.server.decision.Body;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads request bodies, JSON objects, strictly; and sends answers of JSON. */
final class Bodies {
    /** The largest request body, in bytes. */
    static final long MAX_BYTES = 1 << 20;

    private Bodies() {}

    /** The JSON object in the body; else the refusal is sent and the answer is null. */
    static @Nullable Body object(RoutingContext ctx) {
        String type = ctx.request().headers().get(HttpHeaders.CONTENT_TYPE);
        if (type == null || !json(type)) {
            // AuthZEN's certification wants 400 where HTTP has 415.
            Problems.send(
                    ctx,
                    Problems.authzen(ctx) ? 400 : 415,
                    "unsupported_media_type",
                    "the body must be JSON, with Content-Type: application/json");
            return null;
        }
        Buffer body = ctx.body().buffer();
        try {
            if (body == null || body.length() == 0) {
                throw new BadCall("the body is empty");
            }
            byte[] text = body.getBytes();
            JsonNode node = StrictJson.read(text);
            if (!node.isObject()) {
                throw new BadCall("the request must be a JSON object");
            }
            return new Body(node, text);
        } catch (BadCall e) {
            bad(ctx, e);
            return null;
        }
    }

    /** Answers with a JSON body. */
    static void send(RoutingContext ctx, int status, JsonNode body) {
        ctx.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(body.toString());
    }

    /** Answers 201 with what holds a secret: nobody on the way is to keep it. */
    static void sendSecret(RoutingContext ctx, JsonNode body) {
        ctx.response().putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        send(ctx, 201, body);
    }

    static void bad(RoutingContext ctx, BadCall cause) {
        Problems.send(ctx, 400, "invalid_request", String.valueOf(cause.getMessage()));
    }

    private static boolean json(String type) {
        int end = type.indexOf(';');
        String media = (end < 0 ? type : type.substring(0, end)).trim();
        return media.toLowerCase(Locale.ROOT).equals("application/json");
    }
}
