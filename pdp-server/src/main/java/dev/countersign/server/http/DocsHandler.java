package dev.countersign.server.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** {@code GET /openapi.yaml}, the contract of this server, and {@code GET /docs}, the same as a page. */
final class DocsHandler {
    private static final String UI = "META-INF/resources/webjars/swagger-ui/";
    /** The version of the webjar in pom.xml. */
    private static final String VERSION = "5.30.1";

    private static final Map<String, String> ASSETS = Map.of(
            "swagger-ui.css", "text/css; charset=utf-8",
            "swagger-ui-bundle.js", "text/javascript; charset=utf-8",
            "docs.js", "text/javascript; charset=utf-8");

    private static final Map<String, Buffer> ASSET_BYTES = ASSETS.keySet().stream()
            .collect(Collectors.toUnmodifiableMap(
                    name -> name,
                    name -> resource(name.equals("docs.js") ? "docs/docs.js" : UI + VERSION + "/" + name)));

    private final Buffer openapi = resource("openapi.yaml");
    private final Buffer page = resource("docs/index.html");

    DocsHandler() {}

    void openapi(RoutingContext ctx) {
        ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/yaml").end(openapi);
    }

    void page(RoutingContext ctx) {
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "text/html; charset=utf-8")
                .putHeader(
                        "Content-Security-Policy",
                        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'")
                .end(page);
    }

    void asset(RoutingContext ctx) {
        String name = ctx.pathParam("file");
        String type = name == null ? null : ASSETS.get(name);
        if (name == null || type == null) {
            ctx.next();
            return;
        }
        Buffer body = ASSET_BYTES.get(name);
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, type)
                .putHeader(HttpHeaders.CACHE_CONTROL, "public, max-age=3600")
                .end(body);
    }

    private static Buffer resource(String name) {
        try (InputStream in = DocsHandler.class.getClassLoader().getResourceAsStream(name)) {
            return Buffer.buffer(Objects.requireNonNull(in, name).readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
