package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.problem;
import static dev.countersign.server.http.RunningServer.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.webhooks.Receiver;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever submits may have a registered webhook called once the task has ended. */
@ExtendWith(PostgresExtension.class)
class CallbackTest {
    private static final String WEBHOOKS = "/api/v1/webhooks";

    private Receiver receiver;
    private RunningServer server;
    private Approving at;

    @BeforeEach
    void start(@AsOwner PostgresAddress database) throws IOException {
        receiver = new Receiver();
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_EGRESS", "http://127.0.0.1:" + receiver.port() + ",localhost:9443"),
                RunningServer.checkout("rules/packs/base"));
        at = new Approving(server, database);
        at.entity("agent/planner", "{\"owner\": \"carol\"}");
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        receiver.close();
    }

    /** Registers a webhook that is told of callbacks alone. */
    private JsonNode webhook(String url, String format) {
        String body = "{\"url\": \"%s\", \"types\": [\"callback\"], \"format\": \"%s\"}".formatted(url, format);
        Reply made = server.post(WEBHOOKS, server.key("admin"), body);
        assertThat(made.status()).as(made.body()).isEqualTo(201);
        return made.json();
    }

    private JsonNode webhook() {
        return webhook(receiver.url().toString(), "standard");
    }

    private ObjectNode submission(String endpoint) {
        ObjectNode body = at.submission(Asks.call("pay"));
        body.putObject("callback").put("endpoint", endpoint).put("state", "a\u0000\"b\" grüße 1.0");
        return body;
    }

    private ObjectNode submission() {
        return submission(receiver.url().toString());
    }

    private String taken(ObjectNode body, String... headers) {
        Reply reply = at.submit(body, headers);
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        return reply.json().at("/task/id").asText();
    }

    private Receiver.Got called() {
        until("somebody is called back", () -> !receiver.got.isEmpty());
        return receiver.got.element();
    }

    private void refused(ObjectNode body) {
        Reply reply = at.submit(body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.json().path("type").asText()).isEqualTo("urn:countersign:problem:callback_not_registered");
        assertThat(reply.json().path("detail").asText()).contains(WEBHOOKS);
    }

    @Test
    @DisplayName(
            "AR-60: an endpoint that is not a webhook of the tenant, enabled and for JSON, is refused, and nothing is made")
    void registered() {
        refused(submission());
        String elsewhere = server.addKey("stranger", "admin", "admin").secret();
        String url = receiver.url().toString();
        assertThat(server.post(WEBHOOKS, elsewhere, "{\"url\": \"%s\", \"types\": [\"*\"]}".formatted(url))
                        .status())
                .isEqualTo(201);
        refused(submission());
        webhook(url, "slack");
        refused(submission());
        String id = webhook().path("id").asText();
        server.post(WEBHOOKS + "/" + id + "/disable", server.key("admin"), "{}");
        refused(submission());
        server.post(WEBHOOKS + "/" + id + "/enable", server.key("admin"), "{}");
        for (String other : List.of(url + "/", url + "?a", url.toUpperCase(), "https://example.com/x", "a b", "")) {
            refused(submission(other));
        }
        ObjectNode body = submission("https://example.com/x");
        refused(body);
        body.withObjectProperty("callback").put("endpoint", url);
        taken(body);
    }

    @Test
    @DisplayName(
            "AR-60: a registered endpoint whose name leads to this machine or a private network is refused all the same")
    void internal() {
        webhook("https://localhost:9443/hook", "standard");
        refused(submission("https://localhost:9443/hook"));
        for (String url : List.of("https://127.0.0.1/hook", "https://169.254.169.254/latest", "https://[::1]/hook")) {
            refused(submission(url));
        }
    }

    @Test
    void whatIsWrittenWronglyInACallbackIsTheClientsMistake() {
        webhook();
        for (String wrong : List.of(
                "\"https://example.com\"",
                "{}",
                "{\"endpoint\": 7}",
                "{\"endpoint\": \"%s\", \"state\": {}}",
                "{\"endpoint\": \"%s\", \"events\": []}",
                "{\"endpoint\": \"%s\", \"events\": \"approved\"}",
                "{\"endpoint\": \"%s\", \"events\": [\"pending\"]}",
                "{\"endpoint\": \"%s\", \"state\": \"" + "x".repeat(1_001) + "\"}")) {
            ObjectNode body = at.submission(Asks.call("pay"));
            body.set("callback", Reply.parse(wrong.replace("%s", receiver.url().toString())));
            Reply reply = at.submit(body);
            assertThat(reply.status()).as(wrong).isEqualTo(400);
            assertThat(reply.json().path("detail").asText()).contains("`callback.");
        }
    }

    @Test
    @DisplayName(
            "AR-61: a callback is signed by the webhook's secret over id, time and body, and says which webhook's it is")
    void signed() throws Exception {
        JsonNode webhook = webhook();
        String id = taken(submission());
        String rotated = server.post(
                        WEBHOOKS + "/" + webhook.path("id").asText() + "/rotate", server.key("admin"), "{}")
                .json()
                .path("secret")
                .asText();
        at.approve("alice", id);
        Receiver.Got got = called();
        assertThat(got.signedWith(webhook.path("secret").asText())).isTrue();
        assertThat(got.signedWith(rotated)).isTrue();
        assertThat(got.signedWith("whsec_AAAA")).isFalse();
        assertThat(got.headers())
                .containsEntry("webhook-id", id)
                .containsEntry("webhook-key-id", webhook.path("id").asText())
                .containsEntry("content-type", "application/json");
        long sent = Long.parseLong(got.headers().get("webhook-timestamp"));
        assertThat(System.currentTimeMillis() / 1_000 - sent).isBetween(0L, 300L);
    }

    @Test
    @DisplayName("AR-62: the body has the task, its result once approved, and the state as it was given")
    void approved() {
        webhook();
        String id = taken(submission());
        at.approve("alice", id);
        JsonNode body = Reply.parse(called().body());
        JsonNode task = at.task(id).json();
        assertThat(Approving.names(body)).containsExactlyInAnyOrder("task", "result", "state");
        assertThat(body.path("state").asText()).isEqualTo("a\u0000\"b\" grüße 1.0");
        assertThat(body.path("task")).isEqualTo(task.path("task"));
        assertThat(body.at("/task/status").asText()).isEqualTo("approved");
        assertThat(body.path("result")).isEqualTo(task.path("result"));
        JsonNode again = at.ask(Asks.with(Asks.call("pay"), body.at("/result/approval")));
        assertThat(Reply.decision(again)).as(again.toString()).isTrue();
    }

    @Test
    @DisplayName("AR-62: what was not approved comes without a result, and without a state if none was given")
    void denied() {
        webhook();
        ObjectNode body = submission();
        body.withObjectProperty("callback").remove("state");
        String id = taken(body);
        Asks.reject(server, server.key("alice"), id);
        JsonNode told = Reply.parse(called().body());
        assertThat(Approving.names(told)).containsExactly("task");
        assertThat(told.at("/task/status").asText()).isEqualTo("denied");
        assertThat(told.at("/task/status_endpoint").asText()).endsWith(Asks.REQUESTS + "/" + id);
    }

    @Test
    @DisplayName("AR-62, AR-42: of a bundle one callback comes, once all has ended, and items are read at the task")
    void bundle() {
        webhook();
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (String tool : List.of("one", "two")) {
            ObjectNode each = at.submission(Asks.call(tool));
            body.set("subject", each.remove("subject"));
            body.set("context", each.remove("context"));
            items.add(each);
        }
        body.set("items", items);
        body.putObject("callback").put("endpoint", receiver.url().toString());
        String task = taken(body);
        JsonNode listed = server.get(Asks.APPROVALS, server.key("alice")).json();
        List<String> ids = StreamSupport.stream(listed.path("approvals").spliterator(), false)
                .map(each -> each.path("id").asText())
                .toList();
        at.approve("alice", ids.get(0));
        Asks.reject(server, server.key("alice"), ids.get(1));
        JsonNode told = Reply.parse(called().body());
        assertThat(told.path("task").properties().stream().map(Map.Entry::getKey))
                .containsExactlyInAnyOrder("id", "status", "status_endpoint", "expires_at");
        assertThat(told.at("/task/id").asText()).isEqualTo(task);
        assertThat(told.at("/task/status").asText()).isEqualTo("partial");
        assertThat(told.has("result")).isFalse();
        assertThat(receiver.got).hasSize(1);
    }

    @Test
    @DisplayName("AR-29, AR-60: the callback is part of what is submitted: another one is another submission")
    void idempotent() {
        String hook = webhook().path("id").asText();
        ObjectNode body = submission();
        String id = taken(body, "Idempotency-Key", "k1");
        server.delete(WEBHOOKS + "/" + hook, server.key("admin"));
        Reply again = at.submit(body, "Idempotency-Key", "k1");
        assertThat(again.status()).as(again.body()).isEqualTo(200);
        assertThat(again.json().at("/task/id").asText()).isEqualTo(id);
        ObjectNode other = body.deepCopy();
        other.withObjectProperty("callback").put("state", "another");
        problem(at.submit(other, "Idempotency-Key", "k1"), 409, "duplicate_request");
        other.remove("callback");
        problem(at.submit(other, "Idempotency-Key", "k1"), 409, "duplicate_request");
    }

    @Test
    @DisplayName(
            "AR-63: whatever the receiver answers, the task is what it was, and the attempts are there to read and replay")
    void apart() {
        String hook = webhook().path("id").asText();
        receiver.next(Receiver.Say.status(500), Receiver.Say.status(500));
        String id = taken(submission());
        at.approve("alice", id);
        called();
        String path = WEBHOOKS + "/" + hook + "/deliveries";
        until(
                "the failure is noted",
                () -> server.get(path, server.key("admin")).body().contains("\"last_status\":500"));
        JsonNode delivery = server.get(path, server.key("admin")).json().at("/deliveries/0");
        assertThat(delivery.path("type").asText()).isEqualTo("callback");
        assertThat(delivery.path("event_id").asText()).isEqualTo(id);
        assertThat(delivery.path("status").asText()).isEqualTo("waiting");
        assertThat(at.task(id).json().at("/task/status").asText()).isEqualTo("approved");
        String replay = "{\"event\": " + delivery.path("event").asLong() + "}";
        assertThat(server.post(WEBHOOKS + "/" + hook + "/replay", server.key("admin"), replay)
                        .json()
                        .path("queued")
                        .asInt())
                .isEqualTo(1);
        until("it is called again", () -> receiver.got.size() > 1);
        assertThat(receiver.got).extracting(Receiver.Got::id).containsOnly(id);
    }
}
