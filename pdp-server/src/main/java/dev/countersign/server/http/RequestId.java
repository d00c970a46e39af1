package dev.countersign.server.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/**
 * Echoes {@code X-Request-ID} unchanged on every response (Authorization API 1.0, section 10.1.3), if it is at most 256
 * visible ASCII characters; another one is left out.
 */
final class RequestId implements Handler<RoutingContext> {
    private static final CharSequence NAME = HttpHeaders.createOptimized("X-Request-ID");
    private static final int MAX = 256;

    @Override
    public void handle(RoutingContext ctx) {
        String id = ctx.request().headers().get(NAME);
        if (fit(id)) {
            ctx.response().putHeader(NAME, id);
        }
        ctx.next();
    }

    private static boolean fit(@Nullable String id) {
        if (id == null || id.isEmpty() || id.length() > MAX) {
            return false;
        }
        return id.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
    }
}
