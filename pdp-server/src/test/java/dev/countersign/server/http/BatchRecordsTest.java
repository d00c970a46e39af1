package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The items of a batch are judged by one state of the policies, and each has a whole record of its own. */
@ExtendWith(PostgresExtension.class)
class BatchRecordsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String EVALUATIONS = "/access/v1/evaluations";
    private static final String DENYLIST = "/api/v1/settings/approvals.denylist";
    private static final Path BASE = RunningServer.checkout("rules/packs/base");

    @Test
    void theRecordOfEachItemHoldsWhatItTookFromTheDefaultsAndNoCredential(@AsOwner PostgresAddress database)
            throws IOException {
        try (var server = RunningServer.start(database, BASE)) {
            Reply reply = server.post(EVALUATIONS, """
                    {"subject": {"type": "agent", "id": "é", "properties": {"token": "s3cret-of-all"}},
                     "action": {"name": "read"}, "context": {"confidence": 0.9},
                     "evaluations": [
                       {"resource": {"type": "document", "id": "one"}},
                       {"resource": {"type": "document", "id": "two"},
                        "subject": {"type": "agent", "id": "own", "properties": {"token": "s3cret-of-one"}}},
                       {"resource": {"type": "document", "id": "three"}},
                       {"resource": {"type": "document", "id": "four"}, "context": {"confidence": 0.95}},
                       {"resource": {"type": "document", "id": "five"}}],
                     "options": {"context": "full"}}""");
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            List<JsonNode> records = new ArrayList<>();
            for (JsonNode item : reply.json().path("evaluations")) {
                String id = item.at("/context/evaluation_id").asText();
                records.add(server.record(id, server.key("admin")).path("request"));
            }
            assertThat(records.stream()
                            .map(request -> request.at("/resource/id").asText()))
                    .containsExactly("one", "two", "three", "four", "five");
            assertThat(records.stream().map(request -> request.at("/subject/id").asText()))
                    .containsExactly("é", "own", "é", "é", "é");
            assertThat(records.stream()
                            .map(request -> request.at("/action/name").asText()))
                    .containsOnly("read");
            assertThat(records.stream()
                            .map(request -> request.at("/context/confidence").asDouble()))
                    .containsExactly(0.9, 0.9, 0.9, 0.95, 0.9);
            assertThat(records)
                    .allSatisfy(request -> assertThat(request.at("/subject/properties/token/sha256")
                                    .asText())
                            .hasSize(64));
            assertThat(server.get("/api/v1/decisions", server.key("admin")).body())
                    .contains("sha256")
                    .doesNotContain("s3cret");
        }
    }

    @Test
    void noBatchIsJudgedByTheOldValuesAndTheNew(@AsOwner PostgresAddress database) throws IOException {
        try (var server = RunningServer.start(database, BASE)) {
            String items = ("," + "{}".repeat(400).replace("}{", "},{")).substring(1);
            String batch = "{\"subject\": {\"type\": \"agent\", \"id\": \"a\"}, \"action\": {\"name\": \"read\"},"
                    + " \"resource\": {\"type\": \"document\", \"id\": \"d\"}, \"context\": {\"confidence\": 0.9},"
                    + " \"evaluations\": [" + items + "]}";
            var changing = new AtomicBoolean(true);
            var answered = new AtomicInteger();
            CompletableFuture<Void> client = CompletableFuture.runAsync(() -> {
                while (changing.get()) {
                    var outcomes = new TreeSet<String>();
                    decisions(server.post(EVALUATIONS, batch)).forEach(item -> outcomes.add(item.toString()));
                    assertThat(outcomes).hasSize(1);
                    answered.incrementAndGet();
                }
            });
            try {
                for (int round = 0; round < 40; round++) {
                    String value = round % 2 == 0 ? "[\"read\"]" : "[]";
                    Reply reply = server.agreedPut(DENYLIST, server.key("admin"), "{\"value\": " + value + "}");
                    assertThat(reply.status()).as(reply.body()).isEqualTo(200);
                    int before = answered.get();
                    RunningServer.until(
                            "a batch is asked in between",
                            () -> answered.get() > before + 1 || client.isCompletedExceptionally());
                }
            } finally {
                changing.set(false);
            }
            client.join();
        }
    }

    private static Iterable<JsonNode> decisions(Reply reply) {
        try {
            var each = new ArrayList<JsonNode>();
            JSON.readTree(reply.body()).path("evaluations").forEach(item -> each.add(item.path("decision")));
            assertThat(each).hasSize(400);
            return each;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
