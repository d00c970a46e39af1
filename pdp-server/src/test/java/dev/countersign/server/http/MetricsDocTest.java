package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.metrics.Metric;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The page about metrics is made from the enum, and the server serves what the enum names. */
@ExtendWith(PostgresExtension.class)
class MetricsDocTest {
    private static String page() {
        var page = new StringBuilder("""
                # Metrics

                `GET /metrics` with the operator's key answers with all of these in the text format of Prometheus, and with
                those of the JVM (`jvm_*`, `process_*`, `system_*`). This page is generated: run
                `mvn -pl pdp-server -am -Dtest=MetricsDocTest -Dsurefire.failIfNoSpecifiedTests=false -Dcountersign.write=true test`.

                A timer is three series: `_count`, `_sum` (in seconds) and `_bucket`, and a gauge `_max`.

                | name | type | labels | what it measures |
                |---|---|---|---|
                """);
        for (Metric metric : Metric.values()) {
            String labels =
                    metric.labels().stream().map(label -> "`" + label + "`").collect(Collectors.joining(", "));
            page.append("| `")
                    .append(metric.prometheus())
                    .append("` | ")
                    .append(metric.kind().name().toLowerCase(Locale.ROOT))
                    .append(" | ")
                    .append(labels)
                    .append(labels.isEmpty() ? "| " : " | ")
                    .append(metric.help())
                    .append(" |\n");
        }
        return page.toString();
    }

    @Test
    void thePageIsWhatTheEnumSays() throws IOException {
        Path file = RunningServer.checkout("docs/metrics.md");
        if (Boolean.getBoolean("countersign.write")) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, page());
        }
        assertThat(file)
                .as("docs/metrics.md is generated: run this test with -Dcountersign.write=true, and commit the file")
                .hasContent(page());
    }

    @Test
    void aScrapeHoldsEveryMetric(@AsOwner PostgresAddress database) throws IOException {
        try (var server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"))) {
            server.post("/v1/policy/evaluate", "{\"action\": \"summarize\"}");
            server.post("/v1/policy/evaluate", "{\"action\": \"x\", \"context\": {\"confidence\": 1}}");
            assertThat(server.get("/metrics").status()).isEqualTo(401);
            assertThat(server.get("/metrics", server.key("admin")).status()).isEqualTo(403);
            Reply scrape = server.get("/metrics", server.key("operator"));
            assertThat(scrape.status()).isEqualTo(200);
            assertThat(scrape.header("Content-Type")).startsWith("text/plain; version=0.0.4");
            // Even what has not happened, such as a failure of the log, is there at zero.
            for (Metric metric : Metric.values()) {
                String series = metric.prometheus() + (metric.kind() == Metric.Kind.TIMER ? "_count" : "");
                String line = scrape.body()
                        .lines()
                        .filter(candidate -> candidate.matches(series + "(\\{.*)? .*"))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("no " + series + " in the scrape"));
                metric.labels().forEach(label -> assertThat(line).contains(label + "=\""));
                assertThat(scrape.body()).contains("# HELP " + metric.prometheus() + " " + metric.help());
            }
            assertThat(scrape.body())
                    .contains("countersign_ready 1")
                    .contains("countersign_decisions_total{dialect=\"policy_evaluate\",outcome=\"require_approval\"} 1")
                    .doesNotContain(server.key("operator"), server.key("agent"));
        }
    }
}
