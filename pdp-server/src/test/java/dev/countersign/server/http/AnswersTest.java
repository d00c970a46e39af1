package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whatever the server answers, the metrics know of it. */
@ExtendWith(PostgresExtension.class)
class AnswersTest {
    private static final String POLICY = "/v1/policy/evaluate";
    private static final String SINGLE = "/access/v1/evaluation";
    private static final String BATCH = "/access/v1/evaluations";
    private static final String DECISIONS = "/api/v1/decisions";
    private static final String CALL = """
            {"subject": {"type": "agent", "id": "a"}, "action": {"name": "x"}, "resource": {"type": "tool", "id": "t"}}""";
    private static final String LARGE = "x".repeat((1 << 20) + 1);
    private static final Pattern LINE =
            Pattern.compile("countersign_http_requests_total\\{route=\"([^\"]*)\",status=\"([^\"]*)\"\\} ([0-9.E]+)");

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** How often each route gave each status, but for the scrapes. */
    private static Map<String, Integer> counts() {
        var counts = new TreeMap<String, Integer>();
        LINE.matcher(server.get("/metrics", server.key("operator")).body())
                .results()
                .forEach(line ->
                        counts.put(line.group(1) + " " + line.group(2), (int) Double.parseDouble(line.group(3))));
        counts.remove("/metrics 200");
        return counts;
    }

    /** What the metrics have counted since {@code before}, once it is at least {@code expected} in number. */
    private static Map<String, Integer> counted(Map<String, Integer> before, int expected) {
        RunningServer.until(expected + " answers are counted", () -> sum(counts()) - sum(before) >= expected);
        Map<String, Integer> counted = new TreeMap<>(counts());
        before.forEach((key, count) -> counted.merge(key, -count, Integer::sum));
        counted.values().removeIf(count -> count == 0);
        return counted;
    }

    private static int sum(Map<String, Integer> counts) {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }

    private static int send(HttpRequest.Builder request) {
        return server.send(request).status();
    }

    private static HttpRequest.Builder agent(String path) {
        return server.request(path, server.key("agent"));
    }

    @Test
    void everyAnswerIsCountedOnceWithItsRouteAndItsStatus() {
        Map<String, Integer> before = counts();
        var json = BodyPublishers.ofString("{}");
        assertThat(server.post(SINGLE, CALL).status()).isEqualTo(200);
        assertThat(server.post(SINGLE + "/", CALL).status()).isEqualTo(200);
        assertThat(server.post(BATCH, CALL).status()).isEqualTo(200);
        assertThat(server.post(BATCH, "{\"evaluations\": [" + CALL + "]}").status())
                .isEqualTo(200);
        assertThat(server.post(POLICY, "{\"action\": \"x\"}").status()).isEqualTo(200);
        assertThat(server.post(POLICY, "{").status()).isEqualTo(400);
        assertThat(server.post(SINGLE, LARGE).status()).isEqualTo(400);
        assertThat(send(server.request(POLICY).POST(json))).isEqualTo(401);
        assertThat(send(server.request(POLICY, server.key("operator")).POST(json)))
                .isEqualTo(403);
        assertThat(send(agent(SINGLE).DELETE())).isEqualTo(405);
        assertThat(server.post(POLICY, LARGE).status()).isEqualTo(413);
        assertThat(send(agent(POLICY).header("Content-Type", "text/plain").POST(json)))
                .isEqualTo(415);
        assertThat(counted(before, 12))
                .isEqualTo(Map.of(
                        SINGLE + " 200", 2,
                        SINGLE + " 400", 1,
                        SINGLE + " 405", 1,
                        BATCH + " 200", 2,
                        POLICY + " 200", 1,
                        POLICY + " 400", 1,
                        POLICY + " 401", 1,
                        POLICY + " 403", 1,
                        POLICY + " 413", 1,
                        POLICY + " 415", 1));
    }

    @Test
    void whatIsNoDecisionCountsAsWell() throws IOException {
        Map<String, Integer> before = counts();
        String unknown = DECISIONS + "/019a0000-0000-7000-8000-000000000000";
        assertThat(server.get(DECISIONS, server.key("admin")).status()).isEqualTo(200);
        assertThat(server.get(unknown, server.key("admin")).status()).isEqualTo(404);
        assertThat(server.get(DECISIONS + "/hunter2/explain", server.key("admin"))
                        .status())
                .isEqualTo(400);
        assertThat(server.get("/metrics").status()).isEqualTo(401);
        assertThat(server.get("/healthz").status()).isEqualTo(200);
        assertThat(server.raw("HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
        assertThat(server.get("/docs/docs.js").status()).isEqualTo(200);
        assertThat(counted(before, 7))
                .isEqualTo(Map.of(
                        DECISIONS + " 200",
                        1,
                        DECISIONS + "/:id 404",
                        1,
                        DECISIONS + "/:id/explain 400",
                        1,
                        "/metrics 401",
                        1,
                        "/healthz 200",
                        1,
                        "/readyz 200",
                        1,
                        "/docs/:file 200",
                        1));
    }

    @Test
    void whatACallerMakesUpIsCountedWithoutBecomingALabel() throws IOException {
        Map<String, Integer> before = counts();
        assertThat(server.get("/hunter2").status()).isEqualTo(404);
        assertThat(server.get("/docs/hunter2").status()).isEqualTo(404);
        assertThat(send(agent("/hunter2").method("HUNTER2", BodyPublishers.ofString(LARGE))))
                .isEqualTo(413);
        assertThat(server.raw("hunter2\r\n\r\n")).startsWith("HTTP/1.0 400");
        assertThat(server.raw("GET /docs/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 400");
        assertThat(counted(before, 5)).isEqualTo(Map.of("none 404", 2, "none 413", 1, "none 400", 2));
        assertThat(server.get("/metrics", server.key("operator")).body()).doesNotContainIgnoringCase("hunter2");
    }
}
