package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PostgresExtension.class)
class DocsTest {
    @Test
    void thePageAndAllThatItLoadsComeFromThisServer(@AsOwner PostgresAddress database) throws IOException {
        try (var server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"))) {
            Reply page = server.get("/docs");
            assertThat(page.status()).isEqualTo(200);
            assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(page.header("Content-Security-Policy")).contains("default-src 'self'", "frame-ancestors 'none'");
            var loaded = new TreeMap<String, String>();
            var links = Pattern.compile("(?:src|href)=\"([^\"]+)\"").matcher(page.body());
            while (links.find()) {
                Reply asset = server.get(links.group(1));
                assertThat(asset.status()).as(links.group(1)).isEqualTo(200);
                assertThat(asset.body()).isNotBlank();
                loaded.put(links.group(1), asset.header("Content-Type"));
            }
            assertThat(loaded)
                    .isEqualTo(Map.of(
                            "/docs/swagger-ui.css", "text/css; charset=utf-8",
                            "/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8",
                            "/docs/docs.js", "text/javascript; charset=utf-8"));
            assertThat(page.body()).doesNotContain("<script>", "onload=");
            assertThat(server.get("/docs/docs.js").body()).contains("/openapi.yaml");
            Reply contract = server.get("/openapi.yaml");
            assertThat(contract.status()).isEqualTo(200);
            assertThat(contract.header("Content-Type")).isEqualTo("application/yaml");
            assertThat(contract.body()).startsWith("openapi: 3.1.0");
        }
    }
}
