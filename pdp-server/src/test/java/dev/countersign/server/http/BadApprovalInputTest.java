package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.ineligible;
import static dev.countersign.server.http.Approving.problem;
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
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is wrong about approvals is refused, each in the words of its kind, and lets nothing run. */
@ExtendWith(PostgresExtension.class)
class BadApprovalInputTest {
    private static final ObjectNode CALL = Asks.call("pay");

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

    private static ObjectNode bundle(ObjectNode... submissions) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (ObjectNode each : submissions) {
            ObjectNode item = each.deepCopy();
            body.set("subject", item.remove("subject"));
            body.set("context", item.remove("context"));
            items.add(item);
        }
        return body.set("items", items);
    }

    @Test
    @DisplayName("AR-54: a changed argument")
    void changedArgument() {
        JsonNode approval = at.approved(CALL);
        ObjectNode more = CALL.deepCopy();
        more.withObject("/resource/properties").put("amount", 1_000_000);
        refused(at.ask(Asks.with(more, approval)), "out_of_scope", "request");
    }

    @Test
    @DisplayName("AR-50: another subject")
    void otherSubject() {
        JsonNode approval = at.approved(CALL);
        ObjectNode other = CALL.deepCopy();
        other.withObject("/subject").put("id", "someone");
        refused(at.ask(Asks.with(other, approval)), "out_of_scope", "request");
    }

    @Test
    @DisplayName("AR-50, AR-39: another tenant sees neither approval nor task nor request")
    void otherTenant() {
        String admin = Managing.tenant(server, "rival");
        String body =
                "{\"name\": \"agent\", \"person\": \"Rita\", \"roles\": [\"decide\", \"approvals.read\", \"approvals.approve\"]}";
        String rival = Managing.made(server.post(Managing.KEYS, admin, body))
                .path("secret")
                .asText();
        String id = at.requested(CALL);
        problem(server.get(Asks.REQUESTS + "/" + id, rival), 404, "unknown_task");
        problem(at.cancel(rival, id), 404, "unknown_task");
        assertThat(server.get(Asks.APPROVALS + "/" + id, rival).status()).isEqualTo(404);
        assertThat(Asks.approve(server, rival, id).status()).isEqualTo(404);
        assertThat(server.get(Asks.APPROVALS, rival).json().path("approvals")).isEmpty();
        at.approve("alice", id);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        refused(Approving.ask(server, rival, Asks.with(CALL, approval)), "approval_unverifiable", "none");
    }

    @Test
    @DisplayName("AR-58, AR-53: an expired, a revoked and a consumed approval")
    void over() throws SQLException {
        for (String set : List.of(
                "status = 'expired', ended_at = now()",
                "use_by = now()",
                "status = 'revoked', ended_at = now()",
                "status = 'consumed', used_at = now()",
                "status = 'in_doubt', used_at = now()")) {
            JsonNode approval = at.approved(CALL);
            at.sql("update approvals set " + set + " where id = '"
                    + approval.path("id").asText() + "'");
            refused(at.ask(Asks.with(CALL, approval)), "approval_expired", "request");
            refused(at.ask(Asks.with(CALL, approval, "x-1")), "approval_expired", "request");
        }
    }

    @Test
    @DisplayName(
            "AR-22: a denial that was asked for is not asked for again, by token or by id, by the same or by another")
    void replayed() {
        ObjectNode body = at.submission(CALL);
        assertThat(at.submit(body).status()).isEqualTo(202);
        ObjectNode more = body.deepCopy();
        more.withObject("/context").put("business_justification", "again");
        problem(at.submit(more), 400, "invalid_denial_binding");
        ((ObjectNode) more.path("denial")).remove("binding_token");
        problem(at.submit(more), 400, "invalid_denial_binding");
        problem(Asks.submit(server, at.service("replayer"), body), 400, "invalid_denial_binding");
    }

    @Test
    @DisplayName("AR-22, AR-52: a forged signature, and one for another audience")
    void forged() throws Exception {
        ObjectNode body = at.submission(CALL);
        String token = body.at("/denial/binding_token").asText();
        ObjectNode denial = (ObjectNode) body.path("denial");
        denial.put("binding_token", Tampering.forged(token, Tampering.claims(token)));
        problem(at.submit(body), 400, "invalid_denial_binding");
        ObjectNode elsewhere = Tampering.claims(token).put("aud", "https://elsewhere.example");
        denial.put("binding_token", Tampering.signed(token, elsewhere, Tampering.own(at.database())));
        problem(at.submit(body), 400, "invalid_denial_binding");

        ObjectNode approval = at.approved(CALL).deepCopy();
        String state = approval.path("state").asText();
        approval.put("state", Tampering.forged(state, Tampering.claims(state)));
        refused(at.ask(Asks.with(CALL, approval)), "approval_unverifiable", "none");
        ObjectNode other = Tampering.claims(state).put("aud", "https://elsewhere.example");
        approval.put("state", Tampering.signed(state, other, Tampering.own(at.database())));
        refused(at.ask(Asks.with(CALL, approval)), "approval_unverifiable", "none");
    }

    @Test
    @DisplayName("AR-64: an unknown task, and a cancellation that comes too late")
    void unknownAndLate() throws SQLException {
        problem(at.task(UUID.randomUUID().toString()), 404, "unknown_task");
        problem(at.cancel(at.agent(), UUID.randomUUID().toString()), 404, "unknown_task");
        assertThat(at.approve("alice", UUID.randomUUID().toString()).status()).isEqualTo(404);
        String id = at.requested(CALL);
        at.sql("update approval_requests set decide_by = now() - interval '1 minute' where id = '" + id + "'");
        problem(at.cancel(at.agent(), id), 409, "invalid_task_state");
        assertThat(at.approve("alice", id).status()).isEqualTo(409);
    }

    @Test
    @DisplayName("AR-66: the second vote of one person, and the vote of a delegate of the requester")
    void votes() throws SQLException {
        ObjectNode stray = CALL.deepCopy();
        stray.withObject("/subject").put("id", "stray");
        String two = at.requested(stray);
        assertThat(at.approve("alice", two).status()).isEqualTo(200);
        ineligible(at.approve("alice", two), "voted_already");
        at.person("carol", "carol", "approvals.approve");
        String delegate = at.person("dan", "dan", "approvals.approve");
        at.delegate("carol", "dan");
        ineligible(Asks.approve(server, delegate, at.requested(CALL)), "requesters_side");
    }

    @Test
    @DisplayName("AR-50: an approval that is none in form is refused before anything is decided")
    void malformed() {
        for (String approval : List.of("\"apr_1\"", "7", "[]", "true")) {
            ObjectNode call = CALL.deepCopy();
            call.withObjectProperty("context").set("approval", Reply.parse(approval));
            assertThat(server.post(Asks.EVALUATION, at.agent(), call.toString()).status())
                    .as(approval)
                    .isEqualTo(400);
        }
        ObjectNode named = Asks.with(CALL, Reply.parse("{\"id\": \"x\"}"), "a b");
        assertThat(server.post(Asks.EVALUATION, at.agent(), named.toString()).status())
                .isEqualTo(400);
        for (String approval : List.of("{}", "{\"id\": 7}", "{\"id\": \"x\", \"state\": {}}")) {
            refused(at.ask(Asks.with(CALL, Reply.parse(approval))), "approval_unverifiable", "none");
        }
        JsonNode good = at.approved(CALL);
        ObjectNode odd = good.deepCopy();
        odd.putObject("state");
        refused(at.ask(Asks.with(CALL, odd)), "approval_unverifiable", "none");
    }

    @Test
    @DisplayName("AR-19: what is written wrongly in a submission is refused as the client's mistake")
    void mistakes() {
        ObjectNode callback = at.submission(CALL);
        callback.putObject("callback").put("url", "http://169.254.169.254/");
        ObjectNode until = at.submission(CALL);
        until.putObject("requested_access").put("requested_until", "tomorrow");
        ObjectNode time = at.submission(CALL);
        time.withObject("/denial").put("expires_at", "soon");
        ObjectNode items = JsonNodeFactory.instance.objectNode();
        items.putArray("items");
        ObjectNode nul = at.submission(CALL);
        nul.putObject("client").putObject("actor").put("id", "a\0b");
        for (ObjectNode each : List.of(callback, until, time, items, nul)) {
            assertThat(at.submit(each).status()).as(each.toString()).isEqualTo(400);
        }
        String longKey = "k".repeat(201);
        assertThat(at.submit(at.submission(CALL), "Idempotency-Key", longKey).status())
                .isEqualTo(400);
    }
}
