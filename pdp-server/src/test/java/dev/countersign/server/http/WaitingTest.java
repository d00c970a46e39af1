package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever waits for a decision learns of it at once, on whatever server it was made. */
@ExtendWith(PostgresExtension.class)
class WaitingTest {
    private static RunningServer server;
    private static RunningServer other;
    private static String agent;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = server.another(Map.of(), RunningServer.checkout("rules/packs/base"));
        agent = server.key("agent");
        server.put("/api/v1/entities/agent/planner", server.key("admin"), "{\"owner\": \"carol\"}");
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
    }

    @Test
    void aLongPollOnAnotherServerReturnsWithTheApproval()
            throws ExecutionException, InterruptedException, TimeoutException {
        List<String> ids = IntStream.range(0, 5)
                .mapToObj(i -> Asks.requested(server, agent, Asks.call("wait-" + i)))
                .toList();
        List<CompletableFuture<Reply>> waiting = ids.stream()
                .map(id -> CompletableFuture.supplyAsync(() -> other.get(Asks.REQUESTS + "/" + id + "?wait=30", agent)))
                .toList();
        for (String id : ids) {
            assertThat(Asks.approve(server, server.key("bob"), id).status()).isEqualTo(200);
        }
        for (CompletableFuture<Reply> each : waiting) {
            Reply reply = each.get(25, TimeUnit.SECONDS);
            assertThat(reply.json().at("/task/status").asText())
                    .as(reply.body())
                    .isEqualTo("approved");
            assertThat(reply.json().at("/result/approval/id").isTextual()).isTrue();
        }
    }

    @Test
    void aWaitThatIsOverSaysThatItIsStillPending() {
        String id = Asks.requested(server, agent, Asks.call("patience"));
        Reply reply = server.get(Asks.REQUESTS + "/" + id + "?wait=1", agent);
        assertThat(reply.json().at("/task/status").asText()).isEqualTo("pending");
        assertThat(reply.header("Retry-After")).isEqualTo("5");
        assertThat(server.get(Asks.REQUESTS + "/" + id + "?wait=51", agent).status())
                .isEqualTo(400);
        assertThat(server.get(Asks.APPROVALS + "/" + id + "?wait=1", server.key("bob"))
                        .json()
                        .path("status")
                        .asText())
                .isEqualTo("pending");
    }

    @Test
    void whoseKeyEndsMeanwhileIsToldNothing() throws ExecutionException, InterruptedException, TimeoutException {
        JsonNode key = Managing.made(
                server.post(Managing.KEYS, server.key("admin"), "{\"name\": \"leaver\", \"roles\": [\"decide\"]}"));
        String leaver = key.path("secret").asText();
        String id = Asks.requested(server, leaver, Asks.call("leave"));
        var waiting = CompletableFuture.supplyAsync(() -> other.get(Asks.REQUESTS + "/" + id + "?wait=30", leaver));
        assertThat(server.delete(Managing.path(key), server.key("admin")).status())
                .isEqualTo(200);
        assertThat(waiting.get(25, TimeUnit.SECONDS).status()).isEqualTo(401);
    }

    @Test
    void aStreamTellsEachStateAndEndsWithTheTask() throws IOException {
        String id = Asks.requested(server, agent, Asks.call("stream"));
        CompletableFuture<String> streamed = CompletableFuture.supplyAsync(() -> {
            try {
                return other.raw("GET " + Asks.REQUESTS + "/" + id + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + agent + "\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n");
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        assertThat(Asks.reject(server, server.key("bob"), id).status()).isEqualTo(200);
        assertThat(streamed.join())
                .startsWith("HTTP/1.1 200")
                .contains("text/event-stream", "event: task", "\"status\":\"denied\"");
    }
}
