package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The task that an access request becomes: what it says, to whom, and how it ends. */
@ExtendWith(PostgresExtension.class)
class TaskTest {
    private static Approving at;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        at = Approving.start(database);
        server = at.server();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static Reply submitted(String... tools) {
        if (tools.length == 1) {
            return at.submit(at.submission(Asks.call(tools[0])));
        }
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (String tool : tools) {
            ObjectNode each = at.submission(Asks.call(tool));
            body.set("subject", each.remove("subject"));
            body.set("context", each.remove("context"));
            items.add(each);
        }
        Reply reply = at.submit(body.set("items", items));
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        return reply;
    }

    private static String id(Reply reply) {
        return reply.json().at("/task/id").asText();
    }

    private static String status(String task) {
        return at.task(task).json().at("/task/status").asText();
    }

    /** The requests of a bundle, in the order of its items. */
    private static List<String> requests(String task, int many) {
        String[] found = new String[many];
        JsonNode all = server.get(Asks.APPROVALS + "?limit=100", server.key("bob"))
                .json()
                .path("approvals");
        for (JsonNode each : all) {
            if (each.path("task_id").asText().equals(task)) {
                found[each.path("action_type").asText().charAt(0) - 'a'] =
                        each.path("id").asText();
            }
        }
        return List.of(found);
    }

    private static void late(String request) throws SQLException {
        at.sql("update approval_requests set decide_by = now() - interval '1 minute' where id = '" + request + "'");
    }

    private static Reply delete(String path) {
        return server.delete(path, at.agent());
    }

    @Test
    @DisplayName("AR-33: a submission answers 202 with a task whose id says nothing, and its address twice the same")
    void handle() {
        Reply reply = submitted("pay");
        assertThat(reply.status()).isEqualTo(202);
        JsonNode task = reply.json().path("task");
        assertThat(UUID.fromString(task.path("id").asText()).version()).isEqualTo(4);
        assertThat(task.path("status").asText()).isEqualTo("pending");
        assertThat(task.path("status_endpoint").asText()).isEqualTo(reply.header("Location"));
        assertThat(task.path("status_endpoint").asText()).isEqualTo(server.url() + Asks.REQUESTS + "/" + id(reply));
        assertThat(Instant.parse(task.path("expires_at").asText())).isAfter(Instant.now());
    }

    @Test
    @DisplayName("AR-35: a task ends once, and nothing moves it after that")
    void terminal() throws SQLException {
        String approved = id(submitted("pay"));
        assertThat(at.approve("alice", approved).status()).isEqualTo(200);
        String denied = id(submitted("pay"));
        assertThat(Asks.reject(server, server.key("alice"), denied).status()).isEqualTo(200);
        String cancelled = id(submitted("pay"));
        assertThat(at.cancel(at.agent(), cancelled).status()).isEqualTo(200);
        String expired = id(submitted("pay"));
        late(expired);
        List<String> all = List.of(approved, denied, cancelled, expired);
        List<String> words = List.of("approved", "denied", "cancelled", "expired");
        for (int i = 0; i < all.size(); i++) {
            String task = all.get(i);
            assertThat(at.approve("bob", task).status()).isEqualTo(409);
            assertThat(Asks.reject(server, server.key("bob"), task).status()).isEqualTo(409);
            problem(at.cancel(at.agent(), task), 409, "invalid_task_state");
            assertThat(status(task)).isEqualTo(words.get(i));
        }
    }

    @Test
    @DisplayName(
            "AR-35: of an approval, a refusal and a cancellation at once, one comes first and the others come too late")
    void races() {
        for (int i = 0; i < 8; i++) {
            String task = id(submitted("pay"));
            List<CompletableFuture<Reply>> all = List.of(
                    CompletableFuture.supplyAsync(() -> at.approve("alice", task)),
                    CompletableFuture.supplyAsync(() -> Asks.reject(server, server.key("bob"), task)),
                    CompletableFuture.supplyAsync(() -> at.cancel(at.agent(), task)));
            List<Integer> answers =
                    all.stream().map(CompletableFuture::join).map(Reply::status).toList();
            assertThat(answers).containsOnlyOnce(200).containsOnly(200, 409);
            String end = List.of("approved", "denied", "cancelled").get(answers.indexOf(200));
            assertThat(status(task)).isEqualTo(end);
        }
    }

    @Test
    @DisplayName("AR-37: an approved task has a result, and no other has")
    void result() throws SQLException {
        Reply pending = submitted("pay");
        assertThat(pending.json().has("result")).isFalse();
        assertThat(at.task(id(pending)).json().has("result")).isFalse();
        assertThat(at.approve("alice", id(pending)).status()).isEqualTo(200);
        assertThat(at.task(id(pending)).json().at("/result/approval/id").asText())
                .isNotEmpty();
        String denied = id(submitted("pay"));
        Asks.reject(server, server.key("alice"), denied);
        String expired = id(submitted("pay"));
        late(expired);
        for (String task : List.of(denied, expired)) {
            assertThat(at.task(task).json().has("result")).isFalse();
        }
    }

    @Test
    @DisplayName("AR-38, AR-64: a task whose time is long over is gone, and one that never was is unknown")
    void gone() throws SQLException {
        String task = id(submitted("pay"));
        at.sql("update approval_requests set decide_by = now() - interval '3 days' where id = '" + task + "'");
        problem(at.task(task), 410, "task_expired");
        problem(at.task(UUID.randomUUID().toString()), 404, "unknown_task");
        problem(at.task("arq_1"), 404, "unknown_task");
    }

    @Test
    @DisplayName(
            "AR-39: a task is its requester's by any key, and for others of the tenant and elsewhere it does not exist")
    void whose() {
        String task = id(submitted("pay"));
        String sameService = at.service("agent");
        String otherService = at.service("passer-by");
        String stranger = server.addKey("elsewhere", "agent", "decide").secret();
        String path = Asks.REQUESTS + "/" + task;
        assertThat(server.get(path, sameService).status()).isEqualTo(200);
        problem(server.get(path, otherService), 404, "unknown_task");
        problem(server.get(path, stranger), 404, "unknown_task");
        assertThat(server.get(path).status()).isEqualTo(401);
        problem(at.cancel(otherService, task), 404, "unknown_task");
        problem(at.cancel(stranger, task), 404, "unknown_task");
        assertThat(at.cancel(sameService, task).status()).isEqualTo(200);
    }

    @Test
    @DisplayName("AR-40: a task names no reviewer, no role and no rule")
    void discreet() {
        Reply reply = submitted("pay");
        String pending = at.task(id(reply)).body();
        JsonNode voted = at.approve("alice", id(reply)).json();
        String approved = at.task(id(reply)).body();
        String person = voted.path("decided_by_person").asText();
        assertThat(person).isNotEmpty();
        for (String shown : List.of(reply.body(), pending, approved)) {
            assertThat(shown)
                    .doesNotContain(
                            "alice", "bob", person, "approvals.approve", "LOW_CONFIDENCE", "threshold", "base/");
        }
        assertThat(Reply.parse(pending).at("/task/progress").has("awaiting")).isFalse();
    }

    @Test
    @DisplayName("AR-41: a task that is pending says after how long to ask again, and one that has ended does not")
    void retryAfter() {
        String task = id(submitted("pay"));
        assertThat(Integer.parseInt(at.task(task).header("Retry-After"))).isBetween(1, 60);
        at.cancel(at.agent(), task);
        assertThat(at.task(task).header("Retry-After")).isEmpty();
    }

    @Test
    @DisplayName(
            "AR-42: a bundle is pending while an item is, then as all items are, or else partial; no item has another's result")
    void aggregate() {
        Reply reply = submitted("a-pay", "b-pay", "c-pay");
        String task = id(reply);
        assertThat(reply.json().at("/task/items")).hasSize(3);
        List<String> items = requests(task, 3);
        at.approve("alice", items.get(0));
        assertThat(status(task)).isEqualTo("pending");
        assertThat(at.task(task).json().at("/task/items/0/status").asText()).isEqualTo("approved");
        Asks.reject(server, server.key("alice"), items.get(1));
        at.approve("alice", items.get(2));
        JsonNode whole = at.task(task).json();
        assertThat(whole.at("/task/status").asText()).isEqualTo("partial");
        assertThat(whole.has("result")).isFalse();
        assertThat(whole.at("/task/items/0/result/approval/id").asText()).isNotEmpty();
        assertThat(whole.at("/task/items/1").has("result")).isFalse();
        assertThat(whole.at("/task/items/2/result/approval/id"))
                .isNotEqualTo(whole.at("/task/items/0/result/approval/id"));

        String same = id(submitted("a-pay", "b-pay"));
        requests(same, 2).forEach(each -> at.approve("alice", each));
        assertThat(status(same)).isEqualTo("approved");
    }

    @Test
    @DisplayName("AR-43: a request that nobody decides in time expires, on every way to look at it")
    void expires() throws SQLException {
        String task = id(submitted("pay"));
        late(task);
        assertThat(status(task)).isEqualTo("expired");
        assertThat(at.seen(task).path("status").asText()).isEqualTo("expired");
        RunningServer.until(
                "it is told",
                () -> server.get("/api/v1/events?type=approval.expired&limit=100", server.key("admin"))
                        .body()
                        .contains(task));
    }

    @Test
    @DisplayName("AR-44, AR-64: a pending task links to its cancellation, which takes POST and DELETE, once")
    void cancel() {
        Reply reply = submitted("pay");
        String link = reply.json().at("/task/links/cancel").asText();
        assertThat(link).isEqualTo(reply.header("Location") + "/cancel");
        Reply cancelled = server.post(
                link.substring(server.url().length()),
                at.agent(),
                "{\"reason\": \"obsolete\", \"comment\": \"paid by hand\"}");
        assertThat(cancelled.status()).as(cancelled.body()).isEqualTo(200);
        assertThat(cancelled.json().at("/task/status").asText()).isEqualTo("cancelled");
        assertThat(cancelled.json().path("task").has("links")).isFalse();
        assertThat(at.seen(id(reply)).path("note").asText()).isEqualTo("paid by hand");
        problem(at.cancel(at.agent(), id(reply)), 409, "invalid_task_state");
        String other = id(submitted("pay"));
        assertThat(delete(Asks.REQUESTS + "/" + other + "/cancel").status()).isEqualTo(200);
        problem(delete(Asks.REQUESTS + "/" + other + "/cancel"), 409, "invalid_task_state");
        Reply without = server.send(server.request(Asks.REQUESTS + "/" + id(submitted("pay")) + "/cancel", at.agent())
                .POST(HttpRequest.BodyPublishers.noBody()));
        assertThat(without.status()).as(without.body()).isEqualTo(200);
    }

    @Test
    @DisplayName(
            "AR-45: whoever may submit or review does not for that stop what another has asked for; the administrator does")
    void whoCancels() {
        String task = id(submitted("pay"));
        problem(at.cancel(server.key("alice"), task), 404, "unknown_task");
        problem(at.cancel(at.service("submitter"), task), 404, "unknown_task");
        assertThat(at.cancel(server.key("author"), task).status()).isEqualTo(403);
        assertThat(status(task)).isEqualTo("pending");
        assertThat(at.cancel(server.key("admin"), task).status()).isEqualTo(200);
    }

    @Test
    @DisplayName("AR-46: cancelling a bundle cancels what is still pending, and leaves what has ended")
    void cancelBundle() {
        String task = id(submitted("a-pay", "b-pay", "c-pay"));
        at.approve("alice", requests(task, 3).get(1));
        JsonNode after = at.cancel(at.agent(), task).json().path("task");
        assertThat(after.path("status").asText()).isEqualTo("partial");
        assertThat(after.path("items"))
                .extracting(item -> item.path("status").asText())
                .containsExactly("cancelled", "approved", "cancelled");
        problem(at.cancel(at.agent(), task), 409, "invalid_task_state");
        String all = id(submitted("a-pay", "b-pay"));
        assertThat(at.cancel(at.agent(), all).json().at("/task/status").asText())
                .isEqualTo("cancelled");
    }

    @Test
    @DisplayName("AR-65: a task has members of the profile alone, and members that it does not name are ignored")
    void members() {
        ObjectNode body = at.submission(Asks.call("pay"));
        body.put("com.example.colour", "red").withObjectProperty("denial").put("com.example.more", 1);
        Reply reply = at.submit(body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        assertThat(Approving.names(reply.json())).containsExactly("task");
        assertThat(Approving.names(reply.json().path("task")))
                .isSubsetOf("id", "status", "status_endpoint", "progress", "expires_at", "display", "links", "items");
        at.approve("alice", id(reply));
        JsonNode done = at.task(id(reply)).json();
        assertThat(Approving.names(done)).containsExactly("task", "result");
        assertThat(Approving.names(done.path("result"))).containsExactly("mode", "approval");
    }

    @Test
    @DisplayName(
            "AR-68: what a requester writes about templates, access or display changes nothing that reviewers decide")
    void wishes() {
        ObjectNode body = at.submission(Asks.call("pay"));
        body.withObjectProperty("denial").put("template", "base/none");
        body.put("template", "base/none").putObject("display").put("title", "Approved already");
        body.putObject("requested_access").put("scope", "everything").put("quorum", 0);
        Reply reply = at.submit(body);
        assertThat(reply.body()).doesNotContain("Approved already");
        JsonNode plain = at.seen(id(submitted("pay")));
        assertThat(at.seen(id(reply)).path("stages")).isEqualTo(plain.path("stages"));
        assertThat(at.seen(id(reply)).path("status").asText()).isEqualTo("pending");
    }
}
