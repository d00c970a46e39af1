package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tenants have others told of what happens, and tools run outside, where the operator lets the server call. */
@ExtendWith(PostgresExtension.class)
class WebhooksApiTest {
    /** What the receiver got. */
    private record Got(String id, String timestamp, String signature, String body) {}

    private static final ConcurrentLinkedQueue<Got> GOT = new ConcurrentLinkedQueue<>();
    private static HttpServer receiver;
    private static RunningServer server;
    private static String admin;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        receiver = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        receiver.createContext("/hook", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            var headers = exchange.getRequestHeaders();
            GOT.add(new Got(
                    headers.getFirst("webhook-id"),
                    headers.getFirst("webhook-timestamp"),
                    headers.getFirst("webhook-signature"),
                    body));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        receiver.createContext("/tool", exchange -> {
            byte[] answer = ("{\"got\": " + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)
                            + ", \"key\": \"" + exchange.getRequestHeaders().getFirst("Idempotency-Key") + "\"}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        receiver.start();
        Path tools = Files.writeString(directory.resolve("tools.yaml"), "tools: {pay: {url: '" + at("/tool") + "'}}");
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_EGRESS", at(""), "COUNTERSIGN_TOOLS", tools.toString()),
                RunningServer.checkout("rules/packs/base"));
        admin = server.key("admin");
        server.put("/api/v1/entities/agent/planner", admin, "{\"owner\": \"carol\"}");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        receiver.stop(0);
    }

    private static String at(String path) {
        return "http://127.0.0.1:" + receiver.getAddress().getPort() + path;
    }

    private static String signature(String secret, Got got) throws GeneralSecurityException {
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret.substring("whsec_".length())), "HmacSHA256"));
        byte[] signed = (got.id() + "." + got.timestamp() + "." + got.body()).getBytes(StandardCharsets.UTF_8);
        return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(signed));
    }

    @Test
    void aWebhookIsToldOfEachStepSignedAndNeverOfTheArguments() throws GeneralSecurityException {
        Reply made = server.post(
                "/api/v1/webhooks", admin, "{\"url\": \"" + at("/hook") + "\", \"types\": [\"approval.*\"]}");
        assertThat(made.status()).as(made.body()).isEqualTo(201);
        String secret = made.json().path("secret").asText();
        String id = Asks.requested(server, server.key("agent"), Asks.call("told"));
        Asks.reject(server, server.key("bob"), id);
        RunningServer.until(
                "both steps were told",
                () -> GOT.stream().filter(got -> got.body().contains(id)).count() == 2);
        for (Got got : GOT) {
            assertThat(got.signature()).isEqualTo(signature(secret, got));
            JsonNode event = Reply.parse(got.body());
            assertThat(event.path("id").asText()).isEqualTo(got.id());
            assertThat(event.path("type").asText()).startsWith("approval.");
            assertThat(got.body()).doesNotContain("amount");
        }
        String path = made.header("Location");
        RunningServer.until(
                "the deliveries are noted",
                () -> server.get(path + "/deliveries?status=delivered", admin)
                                .json()
                                .path("deliveries")
                                .size()
                        >= 2);
        assertThat(server.get("/api/v1/webhooks", admin).body()).doesNotContain(secret);
        assertThat(server.delete(path, admin).status()).isEqualTo(200);
        assertThat(server.get(path, admin).status()).isEqualTo(404);
    }

    @Test
    void nobodyIsToldWhereTheOperatorDoesNotLetTheServerCall() {
        for (String url : new String[] {
            "https://example.com/hook",
            "http://169.254.169.254/latest",
            "https://127.0.0.1:1/x",
            "ftp://x/y",
            "nonsense"
        }) {
            Reply refused = server.post("/api/v1/webhooks", admin, "{\"url\": \"" + url + "\", \"types\": [\"*\"]}");
            assertThat(refused.status()).as(url + ": " + refused.body()).isEqualTo(422);
        }
    }

    @Test
    void aToolThatIsAnHttpCallRunsThroughTheSameDoorWithItsOwnKey() {
        String id = Asks.requested(server, server.key("agent"), Asks.call("pay"));
        Reply applied =
                server.post(Asks.APPROVALS + "/" + id + "/approve", server.key("bob"), "{\"approve_and_apply\": true}");
        assertThat(applied.json().at("/execution/status").asText())
                .as(applied.body())
                .isEqualTo("succeeded");
        assertThat(applied.json().at("/result/got/amount").asInt()).isEqualTo(100);
        assertThat(applied.json().at("/result/key").asText())
                .isEqualTo(applied.json().at("/execution/execution_id").asText());
    }

    @Test
    void aPersonReviewsInAnothersPlaceForATimeAndSpendsBothVotes() {
        String soon = "\"valid_until\": \"2099-01-01T00:00:00Z\"";
        Reply made = server.post("/api/v1/delegations", server.key("alice"), "{\"to\": \"bob\", " + soon + "}");
        assertThat(made.status()).as(made.body()).isEqualTo(201);
        String id = Asks.requested(server, server.key("agent"), Asks.call("delegated"));
        assertThat(server.get(Asks.APPROVALS + "/" + id, server.key("bob"))
                        .json()
                        .path("could_approve")
                        .toString())
                .contains("bob");
        assertThat(server.post("/api/v1/delegations", server.key("alice"), "{\"to\": \"nobody here\", " + soon + "}")
                        .status())
                .isEqualTo(422);
        assertThat(server.post(
                                "/api/v1/delegations",
                                server.key("alice"),
                                "{\"from\": \"bob\", \"to\": \"alice\", " + soon + "}")
                        .status())
                .isEqualTo(403);
        String path = made.header("Location");
        assertThat(server.delete(path, server.key("author")).status()).isEqualTo(403);
        Reply ended = server.delete(path, server.key("bob"));
        assertThat(ended.json().has("revoked_at")).as(ended.body()).isTrue();
        assertThat(server.get("/api/v1/delegations", server.key("alice")).json().path("delegations"))
                .hasSize(1);
    }
}
