package dev.countersign.server.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;

/** {@code GET /openapi.yaml}, the contract of this server, and {@code GET /docs}, the same as a page. */
final class DocsHandler {
    private static final String UI = "META-INF/resources/webjars/swagger-ui/";
    /** The version of the webjar in pom.xml. */
    private static final String VERSION = "5.30.1";

    private record Asset(String type, Buffer body) {}

    private static final Map<String, Asset> ASSETS = Map.of(
            "swagger-ui.css", new Asset("text/css; charset=utf-8", resource(UI + VERSION + "/swagger-ui.css")),
            "swagger-ui-bundle.js",
                    new Asset("text/javascript; charset=utf-8", resource(UI + VERSION + "/swagger-ui-bundle.js")),
            "docs.js", new Asset("text/javascript; charset=utf-8", resource("docs/docs.js")));

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
        Asset asset = name == null ? null : ASSETS.get(name);
        if (asset == null) {
            ctx.next();
            return;
        }
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, asset.type())
                .putHeader(HttpHeaders.CACHE_CONTROL, "public, max-age=3600")
                .end(asset.body());
    }

    private static Buffer resource(String name) {
        try (InputStream in = DocsHandler.class.getClassLoader().getResourceAsStream(name)) {
            return Buffer.buffer(Objects.requireNonNull(in, name).readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
