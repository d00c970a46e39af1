package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Decisions read what the store holds of the subject, the resource, and what the arguments name. */
@ExtendWith(PostgresExtension.class)
class EntitiesInForceTest {
    private static final String PACK = """
            name: shop
            entities:
              order: {type: order, id: arguments.order}
            attributes:
              order.total: {type: number, from: entities.order.total}
              department: {type: text, from: subject.properties.department}
            """;
    private static final String RULES = """
            package shop
            rule "clerks refund" when Request( action == "refund", roles contains "clerk" )
              then decision.allow("CLERK"); end
            rule "large refunds" when Request( action == "refund", order.total > 100 )
              then decision.deny("TOO_LARGE"); end
            rule "books read" when Request( action == "read", department == "books" )
              then decision.allow("BOOKS"); end
            """;
    private static final String ENTITIES = "/api/v1/entities";

    @TempDir
    static Path directory;

    private static Cable cable;
    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        Path pack = RunningServer.pack(directory, PACK, RULES);
        server = RunningServer.start(database, pack);
        cable = new Cable(database.host(), database.port());
        other = RunningServer.start(database, cable.port(), Map.of(), pack);
        put("user/ann", "{\"roles\": [\"clerk\"], \"attributes\": {\"department\": \"toys\"}}");
        put("order/small", "{\"attributes\": {\"total\": 20}}");
        put("order/large", "{\"attributes\": {\"total\": 200}}");
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        cable.close();
        server.close();
    }

    private static void put(String entity, String body) {
        Reply reply = server.put(ENTITIES + "/" + entity, server.key("admin"), body);
        assertThat(reply.status()).as(reply.body()).isLessThan(300);
    }

    private static String refund(String user, String properties, String order) {
        return """
                {"subject": {"type": "user", "id": "%s", "properties": %s}, "action": {"name": "refund"},
                 "resource": {"type": "tool", "id": "refund", "properties": {"order": "%s"}}}""".formatted(user, properties, order);
    }

    private static JsonNode ask(RunningServer at, String body) {
        Reply reply = at.post("/access/v1/evaluation", server.key("agent"), body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private static boolean allowed(RunningServer at, String body) {
        return Reply.decision(ask(at, body));
    }

    @Test
    void rolesAreTheStoresWhateverTheCallerSays() {
        assertThat(allowed(server, refund("ann", "{}", "small"))).isTrue();
        assertThat(allowed(server, refund("ann", "{\"roles\": []}", "small"))).isTrue();
        assertThat(allowed(server, refund("bob", "{\"roles\": [\"clerk\"]}", "small")))
                .isFalse();
    }

    @Test
    void whatAnArgumentNamesIsLookedUp() {
        assertThat(allowed(server, refund("ann", "{}", "large"))).isFalse();
        JsonNode unknown = ask(server, refund("ann", "{}", "nowhere"));
        assertThat(Reply.decision(unknown)).isFalse();
        assertThat(unknown.toString()).contains("missing_attribute");
    }

    @Test
    void whatTheCallerDoesNotSayTheStoreDoes() {
        String read = """
                {"subject": {"type": "user", "id": "ann"%s}, "action": {"name": "read"},
                 "resource": {"type": "page", "id": "1"}}""";
        assertThat(allowed(server, read.formatted(""))).isFalse();
        assertThat(allowed(server, read.formatted(", \"properties\": {\"department\": \"books\"}")))
                .isTrue();
    }

    @Test
    void theItemsOfABatchAreResolvedToo() {
        Reply reply = server.post("/access/v1/evaluations", server.key("agent"), """
                {"subject": {"type": "user", "id": "ann"}, "action": {"name": "refund"}, "evaluations": [
                  {"resource": {"type": "tool", "id": "refund", "properties": {"order": "small"}}},
                  {"resource": {"type": "tool", "id": "refund", "properties": {"order": "large"}}},
                  {"resource": {"type": "tool"}}]}""");
        var decisions = reply.json().path("evaluations");
        assertThat(decisions).hasSize(3);
        assertThat(Reply.decision(decisions.get(0))).isTrue();
        assertThat(Reply.decision(decisions.get(1))).isFalse();
        assertThat(Reply.decision(decisions.get(2))).isFalse();
    }

    @Test
    void theRecordHoldsWhatTheStoreSaidAndItsExplanationIsByThat() {
        put("user/cid", "{\"roles\": [\"clerk\"], \"attributes\": {\"secret_plan\": \"unread\"}}");
        JsonNode answer = ask(server, refund("cid", "{}", "small"));
        assertThat(Reply.decision(answer)).isTrue();
        String id = answer.at("/context/evaluation_id").asText();
        put("user/cid", "{\"roles\": []}");
        RunningServer.until("he is no clerk any more", () -> !allowed(server, refund("cid", "{}", "small")));
        JsonNode record = server.record(id, server.key("admin"));
        JsonNode subject = record.path("entities").get(0);
        assertThat(subject.path("as").asText()).isEqualTo("subject");
        assertThat(subject.at("/properties/roles/0").asText()).isEqualTo("clerk");
        assertThat(record.toString()).doesNotContain("secret_plan");
        assertThat(record.path("entities").toString())
                .contains("\"as\":\"order\"")
                .contains("\"total\":20");
        JsonNode explained = server.get("/api/v1/decisions/" + id + "/explain", server.key("admin"))
                .json();
        assertThat(explained.path("same_decision").asBoolean())
                .as(explained.toString())
                .isTrue();
    }

    @Test
    void anotherServerKnowsOfAChangeSoonAndDeniesWhatItCannotAsk() throws IOException {
        put("user/dan", "{\"roles\": []}");
        assertThat(allowed(other, refund("dan", "{}", "small"))).isFalse();
        put("user/dan", "{\"roles\": [\"clerk\"]}");
        RunningServer.until("the other server knows", () -> allowed(other, refund("dan", "{}", "small")));
        cable.cut();
        assertThat(allowed(other, refund("dan", "{}", "small")))
                .as("it is in memory")
                .isTrue();
        JsonNode unknown = ask(other, refund("eve", "{}", "small"));
        assertThat(Reply.decision(unknown)).isFalse();
        cable.mend();
        RunningServer.until("it asks again", () -> allowed(other, refund("ann", "{}", "small")));
    }
}
