package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What users of other systems for approvals complain about does not happen here. */
@ExtendWith(PostgresExtension.class)
class AnchorsTest {
    private static final ObjectNode CALL = Asks.call("pay");
    private static final String SUCCEEDED = "{\"outcome\": \"succeeded\"}";

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

    private static ObjectNode amount(int amount) {
        ObjectNode call = CALL.deepCopy();
        call.withObject("/resource/properties").put("amount", amount);
        return call;
    }

    private static Reply report(String execution) {
        return server.post("/api/v1/executions/" + execution + "/receipt", at.agent(), SUCCEEDED);
    }

    @Test
    @DisplayName("anchor 1: what was approved is compared, and the time looked at, when the call is made")
    void atDispatch() throws SQLException {
        JsonNode approval = at.approved(CALL);
        refused(at.ask(Asks.with(amount(101), approval)), "out_of_scope", "request");
        at.sql("update approvals set use_by = now() - interval '1 second' where id = '"
                + approval.path("id").asText() + "'");
        refused(at.ask(Asks.with(CALL, approval)), "approval_expired", "request");
    }

    @Test
    @DisplayName("anchor 2: arguments that are declared advisory do not bind, and no others are guessed to be")
    void advisory() {
        Reply registered = server.agreedPut("/api/v1/actions/mail", server.key("author"), """
                {"class": "tool_call", "reversible": true, "risk": "low", "advisory": ["reason", "/meta/trace"]}""");
        assertThat(registered.status()).as(registered.body()).isIn(200, 201);
        ObjectNode call = Asks.call("mail");
        ObjectNode arguments = call.withObject("/resource/properties");
        arguments.put("reason", "one").put("explanation", "one");
        arguments.putObject("meta").put("trace", "1").put("to", "x");
        JsonNode approval = at.approved(call);
        ObjectNode explained = call.deepCopy();
        explained.withObject("/resource/properties").put("explanation", "two");
        refused(at.ask(Asks.with(explained, approval)), "out_of_scope", "request");
        ObjectNode same = call.deepCopy();
        same.withObject("/resource/properties").put("reason", "two");
        same.withObject("/resource/properties/meta").put("trace", "2");
        assertThat(Reply.decision(at.ask(Asks.with(same, approval)))).isTrue();
    }

    @Test
    @DisplayName("anchor 3: a digest that the requester sends changes nothing: the server computes its own")
    void ownDigest() {
        String plain = at.seen(at.requested(CALL)).path("digest").asText();
        ObjectNode body = at.submission(amount(7));
        body.put("digest", plain).withObject("/denial").put("digest", plain).put("binding_hash", plain);
        String id = at.submit(body).json().at("/task/id").asText();
        assertThat(at.seen(id).path("digest").asText()).isNotEqualTo(plain);
        at.approve("alice", id);
        ObjectNode claimed = Asks.approval(server, at.agent(), id).deepCopy();
        claimed.put("digest", plain);
        refused(at.ask(Asks.with(CALL, claimed)), "out_of_scope", "request");
    }

    @Test
    @DisplayName("anchor 4: an edited call is another call: denied anew, asked for anew")
    void edited() {
        String first = at.requested(CALL);
        at.approve("alice", first);
        JsonNode approval = Asks.approval(server, at.agent(), first);
        JsonNode answer = at.ask(Asks.with(amount(50), approval));
        refused(answer, "out_of_scope", "request");
        String id = at.submit(Asks.submission(amount(50), answer))
                .json()
                .at("/task/id")
                .asText();
        assertThat(at.seen(id).path("digest")).isNotEqualTo(at.seen(first).path("digest"));
        at.approve("alice", id);
        JsonNode second = Asks.approval(server, at.agent(), id);
        assertThat(Reply.decision(at.ask(Asks.with(amount(50), second)))).isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval)))).isTrue();
    }

    @Test
    @DisplayName("anchor 5: going on after a break is the same run, and its report says which one it was")
    void resumed() {
        JsonNode one = at.approved(CALL);
        JsonNode two = at.approved(amount(5));
        assertThat(Reply.decision(at.ask(Asks.with(CALL, one, "resume-1")))).isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(amount(5), two, "resume-2"))))
                .isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(CALL, one, "resume-1")))).isTrue();
        Reply reported = report("resume-1");
        assertThat(reported.json().path("approval_id")).isEqualTo(one.path("id"));
        assertThat(report("resume-1").body()).isEqualTo(reported.body());
        assertThat(Reply.decision(at.ask(Asks.with(amount(5), two, "resume-2"))))
                .isTrue();
        assertThat(report("resume-2").json().path("approval_id")).isEqualTo(two.path("id"));
    }

    @Test
    @DisplayName(
            "anchor 11: until when reviewers decide and until when the approval lasts are told apart, and nobody extends them")
    void clocks() {
        String id = at.requested(CALL);
        String decideBy = at.seen(id).path("decide_by").asText();
        assertThat(at.task(id).body()).contains(decideBy);
        at.approve("alice", id);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        assertThat(at.seen(id).at("/approval/use_by")).isEqualTo(approval.path("approved_until"));
        assertThat(Instant.parse(decideBy))
                .isAfter(Instant.parse(approval.path("approved_until").asText()));
        assertThat(at.approve("bob", id).status()).isEqualTo(409);
        assertThat(Asks.approval(server, at.agent(), id)).isEqualTo(approval);
    }

    @Test
    @DisplayName("anchor 12: who asks is told that it is pending before anybody has decided, and when to ask again")
    void pendingAtOnce() {
        Reply reply = at.submit(at.submission(CALL));
        assertThat(reply.status()).isEqualTo(202);
        assertThat(reply.json().at("/task/status").asText()).isEqualTo("pending");
        Reply again = at.task(reply.json().at("/task/id").asText());
        assertThat(again.header("Retry-After")).isNotEmpty();
    }

    @Test
    @DisplayName("anchor 13: what nobody decides in time is expired, and runs nothing")
    void timeout() throws SQLException {
        String id = at.requested(CALL);
        at.sql("update approval_requests set decide_by = now() - interval '1 second' where id = '" + id + "'");
        assertThat(at.task(id).json().at("/task/status").asText()).isEqualTo("expired");
        assertThat(at.approve("alice", id).status()).isEqualTo(409);
        assertThat(at.task(id).json().has("result")).isFalse();
        assertThat(Reply.decision(at.ask(CALL))).isFalse();
    }

    @Test
    @DisplayName("anchor 14: of a bundle each item is decided, and used, by itself")
    void bundle() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (int each : List.of(11, 12, 13)) {
            ObjectNode one = at.submission(amount(each));
            body.set("subject", one.remove("subject"));
            body.set("context", one.remove("context"));
            items.add(one);
        }
        String task = at.submit(body.set("items", items)).json().at("/task/id").asText();
        for (JsonNode each : server.get(Asks.APPROVALS + "?status=pending&limit=100", server.key("bob"))
                .json()
                .path("approvals")) {
            if (each.path("task_id").asText().equals(task)) {
                String id = each.path("id").asText();
                boolean second = each.at("/payload/resource/properties/amount").asInt() == 12;
                Reply voted = second ? Asks.reject(server, server.key("alice"), id) : at.approve("alice", id);
                assertThat(voted.status()).as(voted.body()).isEqualTo(200);
            }
        }
        JsonNode done = at.task(task).json().at("/task/items");
        assertThat(done.at("/1/status").asText()).isEqualTo("denied");
        JsonNode third = done.at("/2/result/approval");
        refused(at.ask(Asks.with(amount(12), third)), "out_of_scope", "request");
        assertThat(Reply.decision(at.ask(Asks.with(amount(13), third)))).isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(amount(11), done.at("/0/result/approval")))))
                .isTrue();
    }

    @Test
    @DisplayName("anchor 15: that one approval is taken back ends no other of the same call")
    void revokedAlone() throws SQLException {
        JsonNode one = at.approved(CALL);
        JsonNode two = at.approved(CALL);
        at.sql("update approvals set status = 'revoked', ended_at = now() where id = '"
                + one.path("id").asText() + "'");
        refused(at.ask(Asks.with(CALL, one)), "approval_expired", "request");
        assertThat(Reply.decision(at.ask(Asks.with(CALL, two)))).isTrue();
    }

    @Test
    @DisplayName("anchor 16: a gate in shadow mode gets the same answer as one that enforces")
    void shadow() {
        String body = """
                {"principal": {"type": "agent", "id": "planner"}, "action": "pay", "tool": "pay", "params": {"amount": 100},
                 "context": {"confidence": 0.5}, "enforcement_mode": "shadow"}""";
        Reply shadow = server.post("/v1/authorize/tool-call", at.agent(), body);
        assertThat(shadow.status()).as(shadow.body()).isEqualTo(200);
        Reply enforced = server.post("/v1/authorize/tool-call", at.agent(), body.replace("shadow", "enforce"));
        assertThat(shadow.json().path("decision")).isEqualTo(enforced.json().path("decision"));
        assertThat(shadow.json().path("decision").asText()).isEqualTo("require_approval");
    }

    @Test
    @DisplayName("anchor 17: denied calls are in the log, with the approval that they presented")
    void deniedIsLogged() {
        JsonNode approval = at.approved(CALL);
        String id = at.ask(Asks.with(amount(999), approval))
                .at("/context/evaluation_id")
                .asText();
        JsonNode record = server.record(id, server.key("admin"));
        assertThat(record.path("decision").asText()).isNotEqualTo("allow");
        assertThat(record.toString()).contains(approval.path("id").asText(), "out_of_scope");
    }

    @Test
    @DisplayName("SU-1: an approval that a call does not need is not spent")
    void notNeeded() throws IOException {
        JsonNode approval = at.approved(CALL);
        var base = RunningServer.checkout("rules/packs/base");
        try (var lenient = server.another(Map.of("APPROVALS_ALLOWLIST", "pay"), base)) {
            assertThat(Reply.decision(Approving.ask(lenient, at.agent(), Asks.with(CALL, approval))))
                    .isTrue();
        }
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval)))).isTrue();
    }

    @Test
    @DisplayName("SU-1, SU-2: in one batch, too, an approval is used once, and a run is one run")
    void batch() {
        JsonNode one = at.approved(CALL);
        ObjectNode twice = JsonNodeFactory.instance.objectNode();
        twice.putArray("evaluations").add(Asks.with(CALL, one)).add(Asks.with(CALL, one));
        assertThat(decisions(twice)).containsExactly(true, false);
        JsonNode two = at.approved(CALL);
        ObjectNode run = JsonNodeFactory.instance.objectNode();
        run.putArray("evaluations")
                .add(Asks.with(CALL, two, "batch-1"))
                .add(Asks.with(CALL, two, "batch-1"))
                .add(Asks.with(CALL, two, "batch-2"));
        assertThat(decisions(run)).containsExactly(true, true, false);
    }

    private static List<Boolean> decisions(JsonNode batch) {
        var decisions = new ArrayList<Boolean>();
        server.post("/access/v1/evaluations", at.agent(), batch.toString())
                .json()
                .path("evaluations")
                .forEach(each -> decisions.add(Reply.decision(each)));
        return decisions;
    }

    @Test
    @DisplayName("AR-29: the same submission sixteen times at once is one task")
    void idempotentAtOnce() {
        ObjectNode body = at.submission(CALL);
        List<CompletableFuture<Reply>> all = IntStream.range(0, 16)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> at.submit(body, "Idempotency-Key", "at-once")))
                .toList();
        List<Reply> replies = all.stream().map(CompletableFuture::join).toList();
        assertThat(replies).extracting(Reply::status).containsOnlyOnce(202).containsOnly(200, 202);
        assertThat(replies.stream().map(reply -> reply.json().at("/task/id")).distinct())
                .hasSize(1);
    }

    @Test
    @DisplayName("anchor 5: a run is reported by whoever was let run it, and by nobody else")
    void reportedByOthers() {
        JsonNode approval = at.approved(CALL);
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval, "mine-1")))).isTrue();
        String path = "/api/v1/executions/mine-1/receipt";
        assertThat(server.post(path, at.service("other"), SUCCEEDED).status()).isEqualTo(404);
        assertThat(report("mine-1").status()).isEqualTo(200);
        assertThat(server.post(path, at.agent(), "{\"outcome\": \"failed\"}").status())
                .isEqualTo(409);
    }

    @Test
    @DisplayName("anchor 18: who says yes within seconds shows, and how many requests nobody decides")
    void considered() throws SQLException {
        String dora = at.person("dora's", "dora", "approvals.approve", "approvals.read");
        String later = at.requested(CALL);
        at.sql("update approval_requests set created_at = created_at - interval '1 minute' where id = '" + later + "'");
        for (String id : List.of(at.requested(CALL), later)) {
            assertThat(Asks.approve(server, dora, id).status()).isEqualTo(200);
        }
        JsonNode stats = server.get(Asks.APPROVALS + "/stats?days=1", dora).json();
        JsonNode hers = null;
        for (JsonNode each : stats.path("by_user")) {
            hers = each.path("user").asText().equals("dora") ? each : hers;
        }
        assertThat(hers).as(stats.toString()).isNotNull();
        assertThat(hers.path("approved").asInt()).isEqualTo(2);
        assertThat(hers.path("hasty_approvals").asInt()).isEqualTo(1);
        assertThat(hers.path("median_seconds").asDouble()).isBetween(30.0, 60.0);
        assertThat(stats.at("/by_channel/0/channel").asText()).isEqualTo("key");
        assertThat(stats.path("approval_rate").asDouble()
                        + stats.path("rejection_rate").asDouble())
                .isEqualTo(1);
        assertThat(stats.path("abandoned_rate").isNumber()).isTrue();
    }

    @Test
    @DisplayName("anchor 19: what waits is listed by its risk, and page by page")
    void triage() throws SQLException {
        ObjectNode call = CALL.deepCopy();
        call.withObject("/context").put("run_id", "triage");
        for (String risk : List.of("medium", "critical", "low", "high", "critical")) {
            at.sql("update approval_requests set risk = '" + risk + "' where id = '" + at.requested(call) + "'");
        }
        String list = Asks.APPROVALS + "?run_id=triage";
        JsonNode first =
                server.get(list + "&sort=risk&limit=3", server.key("bob")).json();
        assertThat(risks(first)).containsExactly("critical", "critical", "high");
        String next = first.path("next").asText();
        assertThat(risks(server.get(list + "&sort=risk&limit=3&after=" + next, server.key("bob"))
                        .json()))
                .containsExactly("medium", "low");
        assertThat(risks(server.get(list + "&risk=high", server.key("bob")).json()))
                .containsExactly("high");
        for (String wrong : List.of("&risk=huge", "&sort=size")) {
            assertThat(server.get(list + wrong, server.key("bob")).status()).isEqualTo(400);
        }
    }

    private static List<String> risks(JsonNode page) {
        var risks = new ArrayList<String>();
        page.path("approvals").forEach(each -> risks.add(each.path("risk").asText()));
        return risks;
    }
}
