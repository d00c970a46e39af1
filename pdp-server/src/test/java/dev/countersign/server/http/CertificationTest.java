package dev.countersign.server.http;

import static dev.countersign.server.http.Asking.batch;
import static dev.countersign.server.http.Asking.call;
import static dev.countersign.server.http.Asking.empty;
import static dev.countersign.server.http.Asking.entity;
import static dev.countersign.server.http.Asking.with;
import static dev.countersign.server.http.Asking.without;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The AuthZEN 1.0 certification scenario over HTTP, but for search and discovery; each name begins with the scenario's own id. */
@ExtendWith(PostgresExtension.class)
class CertificationTest {
    private static final String EVALUATION = "/access/v1/evaluation";
    private static final String EVALUATIONS = "/access/v1/evaluations";

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @Test
    @DisplayName("c-2-1: the evaluation endpoint is at its default path, and metadata names the same")
    void endpoint() {
        assertThat(evaluate(call("alice", "read", "record-1"))).isTrue();
        assertThat(metadata().path("access_evaluation_endpoint").asText()).isEqualTo(server.url() + EVALUATION);
    }

    @Test
    @DisplayName("c-2-2-1: alice reads record-1")
    void rule1() {
        assertThat(evaluate(call("alice", "read", "record-1"))).isTrue();
    }

    @Test
    @DisplayName("c-2-2-2: bob does not write record-1, and that is a 200")
    void rule4() {
        Reply reply = server.post(EVALUATION, call("bob", "write", "record-1").toString());
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isFalse();
    }

    @Test
    @DisplayName("c-2-2-3: a context changes nothing")
    void context() {
        ObjectNode call = call("alice", "read", "record-1");
        call.putObject("context").put("time", "2025-06-27T18:03-07:00").put("ip", "192.168.1.1");
        assertThat(evaluate(call)).isTrue();
    }

    @Test
    @DisplayName("c-2-2-4: alice does not write what is archived")
    void rule5() {
        assertThat(evaluate(with(call("alice", "write", "record-2"), "resource", "status", "archived")))
                .isFalse();
    }

    @Test
    @DisplayName("c-2-2-5: an administrator writes what is archived")
    void rule6() {
        ObjectNode call = with(call("bob", "write", "record-2"), "resource", "status", "archived");
        assertThat(evaluate(with(call, "subject", "role", "admin"))).isTrue();
    }

    @Test
    @DisplayName("c-2-2-6: alice deletes softly")
    void rule7() {
        assertThat(evaluate(with(call("alice", "delete", "record-1"), "action", "soft", true)))
                .isTrue();
    }

    @Test
    @DisplayName("c-2-2-7: alice does not delete for good")
    void rule8() {
        assertThat(evaluate(with(call("alice", "delete", "record-1"), "action", "soft", false)))
                .isFalse();
    }

    @Test
    @DisplayName("c-2-2-8: properties that no rule reads change nothing")
    void extraProperties() {
        ObjectNode call = with(call("alice", "read", "record-1"), "subject", "department", "Sales");
        assertThat(evaluate(with(with(call, "resource", "owner", "x"), "action", "via", "api")))
                .isTrue();
    }

    @Test
    @DisplayName("c-2-2-9: unknown members are ignored, on every level")
    void unknownMembers() {
        ObjectNode call = call("alice", "read", "record-1");
        call.put("foo", "bar").putObject("future").put("a", 1);
        for (String entity : List.of("subject", "action", "resource")) {
            ((ObjectNode) call.get(entity)).put("unknown", true).putArray("more");
        }
        assertThat(evaluate(call)).isTrue();
    }

    @Test
    @DisplayName("c-2-3-1, c-2-3-2: decision is a boolean and context an object, for a yes and for a no")
    void shape() {
        for (String user : List.of("alice", "mallory")) {
            Reply reply = server.post(EVALUATION, call(user, "read", "record-1").toString());
            assertThat(reply.header("Content-Type")).isEqualTo("application/json");
            assertThat(reply.decision()).isEqualTo(user.equals("alice"));
            assertThat(reply.json().path("context").isObject()).isTrue();
        }
    }

    @ParameterizedTest(name = "c-2-4-1: without {0}")
    @ValueSource(strings = {"subject", "action", "resource"})
    void missingMembersAreBadRequests(String member) {
        refused(without(call("alice", "read", "record-1"), member).toString(), member);
    }

    @ParameterizedTest(name = "c-2-4-2: without {0}")
    @ValueSource(strings = {"subject.type", "subject.id", "action.name", "resource.type", "resource.id"})
    void incompleteEntitiesAreBadRequests(String member) {
        refused(without(call("alice", "read", "record-1"), member).toString(), member);
    }

    @ParameterizedTest(name = "c-2-4-3: content type {0}")
    @ValueSource(strings = {"text/plain", "application/xml", "application/json-patch+json"})
    void anotherContentTypeIsABadRequest(String type) {
        Reply reply = server.send(server.request(EVALUATION, server.key("agent"))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(call("alice", "read", "record-1").toString())));
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("application/json");
    }

    @Test
    @DisplayName("c-2-4-4: malformed JSON is a bad request")
    void malformed() {
        refused("{\"subject\": {", "not valid JSON");
    }

    @Test
    @DisplayName("c-2-4-5: an empty body is a bad request")
    void emptyBody() {
        refused("", "empty");
    }

    @Test
    @DisplayName("c-2-4-6: a subject that is a string and an action name that is a number are bad requests")
    void wrongTypes() {
        refused(call("alice", "read", "record-1").put("subject", "alice").toString(), "subject");
        ObjectNode call = call("alice", "read", "record-1");
        call.putObject("action").put("name", 123);
        refused(call.toString(), "action.name");
    }

    @Test
    @DisplayName("c-2-5-1, c-2-5-2: a request id comes back, and none is needed")
    void requestId() {
        Reply reply = server.send(server.request(EVALUATION, server.key("agent"))
                .header("Content-Type", "application/json")
                .header("X-Request-ID", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716")
                .POST(BodyPublishers.ofString(call("alice", "read", "record-1").toString())));
        assertThat(reply.header("X-Request-ID")).isEqualTo("bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
        assertThat(reply.decision()).isTrue();
        Reply without =
                server.post(EVALUATION, call("alice", "read", "record-1").toString());
        assertThat(without.status()).isEqualTo(200);
        assertThat(without.headers().firstValue("X-Request-ID")).isEmpty();
    }

    @Test
    @DisplayName("c-2-6: the same request gets the same decision")
    void repeatable() {
        for (int i = 0; i < 5; i++) {
            assertThat(evaluate(call("alice", "read", "record-1"))).isTrue();
            assertThat(evaluate(call("bob", "write", "record-1"))).isFalse();
        }
    }

    @Test
    @DisplayName("c-3-1: the evaluations endpoint is at its default path, and metadata names the same")
    void batchEndpoint() {
        assertThat(decisions(batch(call("alice", "read", "record-1")))).containsExactly(true);
        assertThat(metadata().path("access_evaluations_endpoint").asText()).isEqualTo(server.url() + EVALUATIONS);
    }

    @Test
    @DisplayName("c-3-2-1: two items, two decisions")
    void twoDecisions() {
        ObjectNode batch = batch(resource("record-1"), resource("record-2"));
        batch.set("subject", entity("user", "alice"));
        batch.putObject("action").put("name", "read");
        assertThat(decisions(batch)).containsExactly(true, true);
    }

    @Test
    @DisplayName("c-3-2-2: actions differ by item")
    void itemActions() {
        ObjectNode batch = batch(action("read"), action("write"));
        batch.set("subject", entity("user", "bob"));
        batch.set("resource", entity("record", "record-1"));
        assertThat(decisions(batch)).containsExactly(true, false);
    }

    @Test
    @DisplayName("c-3-2-3: the resource's properties differ by item")
    void itemResourceProperties() {
        ObjectNode batch = batch(resource("record-1", "active"), resource("record-2", "archived"));
        batch.set("subject", entity("user", "alice"));
        batch.putObject("action").put("name", "write");
        assertThat(decisions(batch)).containsExactly(true, false);
    }

    @Test
    @DisplayName("c-3-2-4: the subject's properties differ by item")
    void itemSubjectProperties() {
        ObjectNode alice = empty();
        alice.set("subject", entity("user", "alice"));
        ObjectNode admin = empty();
        admin.set("subject", entity("user", "bob"));
        ObjectNode batch = batch(alice, with(admin, "subject", "role", "admin"));
        batch.putObject("action").put("name", "write");
        batch.set("resource", resource("record-2", "archived").get("resource"));
        assertThat(decisions(batch)).containsExactly(false, true);
    }

    @Test
    @DisplayName("c-3-2-5: complete items need no defaults")
    void noDefaults() {
        assertThat(decisions(batch(call("alice", "read", "record-1"), call("bob", "write", "record-1"))))
                .containsExactly(true, false);
    }

    @Test
    @DisplayName("c-3-2-6: a context may be a default and an item's own")
    void contexts() {
        ObjectNode own = call("alice", "read", "record-1");
        own.putObject("context").put("ip", "10.0.0.1");
        ObjectNode batch = batch(call("alice", "read", "record-1"), own);
        batch.putObject("context").put("time", "2025-06-27T18:03-07:00");
        assertThat(decisions(batch)).containsExactly(true, true);
    }

    @Test
    @DisplayName("c-3-2-7: an empty item inherits everything, an item's own entity replaces the whole default")
    void inheritance() {
        ObjectNode batch = batch(empty(), resource("record-2", "archived"));
        batch.set("subject", entity("user", "alice"));
        batch.putObject("action").put("name", "write");
        batch.set("resource", resource("record-1", "active").get("resource"));
        assertThat(decisions(batch)).containsExactly(true, false);
    }

    @Test
    @DisplayName("c-3-3-1 to c-3-3-4: as many decisions as items, in their order, none on top")
    void batchShape() {
        var items = new ArrayList<ObjectNode>();
        var expected = new ArrayList<Boolean>();
        for (int i = 0; i < 200; i++) {
            boolean yes = i % 3 == 0 || i % 7 == 0;
            items.add(call(yes ? "alice" : "mallory", "read", "record-1"));
            expected.add(yes);
        }
        ObjectNode batch = batch(items.toArray(ObjectNode[]::new));
        assertThat(decisions(batch)).isEqualTo(expected);
        JsonNode answer = server.post(EVALUATIONS, batch.toString()).json();
        assertThat(answer.properties()).extracting(member -> member.getKey()).containsExactly("evaluations");
    }

    @Test
    @DisplayName("c-3-4-1: an incomplete item is denied by itself, with its error")
    void incompleteItem() {
        ObjectNode batch =
                batch(call("alice", "read", "record-1"), without(call("alice", "read", "record-1"), "resource"));
        batch.putObject("options").put("evaluations_semantic", "execute_all");
        JsonNode answer = server.post(EVALUATIONS, batch.toString()).json();
        assertThat(decisions(answer)).containsExactly(true, false);
        JsonNode error = answer.path("evaluations").path(1).path("context").path("error");
        assertThat(error.path("status").asInt()).isEqualTo(400);
        assertThat(error.path("message").asText()).contains("resource");
    }

    @Test
    @DisplayName("c-3-4-2: without evaluations the answer is a single one")
    void noItems() {
        Reply reply = server.post(EVALUATIONS, call("alice", "read", "record-1").toString());
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isTrue();
        assertThat(reply.json().has("evaluations")).isFalse();
    }

    @Test
    @DisplayName("c-3-4-3: with an empty array of evaluations the answer is a single one")
    void emptyItems() {
        ObjectNode call = call("alice", "read", "record-1");
        call.putArray("evaluations");
        Reply reply = server.post(EVALUATIONS, call.toString());
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isTrue();
        assertThat(reply.json().has("evaluations")).isFalse();
    }

    @Test
    @DisplayName("c-5: JSON in and out, 400 for what is no request, ids echoed, the unknown ignored")
    void transport() {
        ObjectNode call = call("alice", "read", "record-1").put("unknown", 1);
        Reply reply = server.send(server.request(EVALUATION, server.key("agent"))
                .header("Content-Type", "application/json")
                .header("X-Request-ID", "r-1")
                .POST(BodyPublishers.ofString(call.toString())));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        assertThat(reply.header("X-Request-ID")).isEqualTo("r-1");
        refused("[]", "object");
    }

    private static JsonNode metadata() {
        return server.get("/.well-known/authzen-configuration").json();
    }

    private static boolean evaluate(ObjectNode call) {
        Reply reply = server.post(EVALUATION, call.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.decision();
    }

    private static List<Boolean> decisions(ObjectNode batch) {
        Reply reply = server.post(EVALUATIONS, batch.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        return decisions(reply.json());
    }

    private static List<Boolean> decisions(JsonNode answer) {
        var decisions = new ArrayList<Boolean>();
        answer.path("evaluations").forEach(item -> decisions.add(Reply.decision(item)));
        return decisions;
    }

    private static void refused(String body, String named) {
        Reply reply = server.post(EVALUATION, body);
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains(named).doesNotContain("\"decision\"");
    }

    private static ObjectNode action(String name) {
        ObjectNode item = empty();
        item.putObject("action").put("name", name);
        return item;
    }

    private static ObjectNode resource(String id) {
        ObjectNode item = empty();
        item.set("resource", entity("record", id));
        return item;
    }

    private static ObjectNode resource(String id, String status) {
        return with(resource(id), "resource", "status", status);
    }
}
