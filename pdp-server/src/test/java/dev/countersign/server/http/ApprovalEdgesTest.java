package dev.countersign.server.http;

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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is odd about approvals and must do no harm. */
@ExtendWith(PostgresExtension.class)
class ApprovalEdgesTest {
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
    @DisplayName("AR-22: a denial that stands twice in one bundle")
    void twiceInABundle() {
        ObjectNode one = at.submission(CALL);
        problem(at.submit(bundle(one, one)), 400, "invalid_denial_binding");
    }

    @Test
    @DisplayName("AR-32: an approval is not wanted for a time that is over")
    void wantedForThePast() {
        for (String until : List.of("1969-12-31T00:00:00Z", "2020-01-01T00:00:00Z")) {
            ObjectNode body = at.submission(CALL);
            body.putObject("requested_access").put("requested_until", until);
            assertThat(at.submit(body).status()).as(until).isEqualTo(400);
        }
    }

    @Test
    @DisplayName("AR-31: a subject or resource whose name holds a NUL")
    void nul() {
        for (String part : List.of("/subject", "/resource")) {
            ObjectNode call = CALL.deepCopy();
            call.withObject(part).put("id", "a\0b");
            Reply denied = server.post(Asks.EVALUATION, at.agent(), call.toString());
            if (denied.status() == 200
                    && denied.json().at("/context/access_request").isObject()) {
                Reply submitted = at.submit(Asks.submission(call, denied.json()));
                assertThat(submitted.status()).as(submitted.body()).isLessThan(500);
            }
        }
    }

    @Test
    @DisplayName("AR-29: what was submitted is the same task when its denial is over and rules have changed")
    void idempotentForLong() throws Exception {
        ObjectNode body = at.byId(CALL);
        Reply first = at.submit(body, "Idempotency-Key", "long");
        assertThat(first.status()).as(first.body()).isEqualTo(202);
        at.denialEnds(body.at("/denial/evaluation_id").asText(), -120);
        Reply again = at.submit(body, "Idempotency-Key", "long");
        assertThat(again.status()).as(again.body()).isEqualTo(200);
        assertThat(again.json().at("/task/id")).isEqualTo(first.json().at("/task/id"));
    }

    @Test
    @DisplayName("anchor 5: the name of a run is one run's: another approval does not share it")
    void executionTwice() {
        JsonNode one = at.approved(CALL);
        JsonNode two = at.approved(CALL);
        assertThat(Reply.decision(at.ask(Asks.with(CALL, one, "twin")))).isTrue();
        Reply shared = server.post(
                Asks.EVALUATION, at.agent(), Asks.with(CALL, two, "twin").toString());
        assertThat(shared.status() == 200 && shared.decision())
                .as(shared.body())
                .isFalse();
    }

    @Test
    @DisplayName("AR-38: after the time that a task names, it is gone")
    void goneWhenItSays() throws SQLException {
        String id = at.requested(CALL);
        at.sql("update approval_requests set decide_by = now() - interval '2 hours' where id = '" + id + "'");
        Reply task = at.task(id);
        if (task.status() == 200) {
            assertThat(Instant.parse(task.json().at("/task/expires_at").asText()))
                    .isAfter(Instant.now());
        } else {
            problem(task, 410, "task_expired");
        }
    }

    @Test
    @DisplayName("anchor 6: a list by status holds what has that status")
    void listed() throws SQLException {
        JsonNode used = at.approved(CALL);
        at.ask(Asks.with(CALL, used));
        at.approved(CALL);
        for (String status : List.of("approved", "applied", "pending")) {
            server.get(Asks.APPROVALS + "?limit=100&status=" + status, server.key("bob"))
                    .json()
                    .path("approvals")
                    .forEach(each -> assertThat(each.path("status").asText()).isEqualTo(status));
        }
    }

    @Test
    @DisplayName("SU-4: a call for another actor is another call")
    void actor() {
        ObjectNode call = CALL.deepCopy();
        call.withObject("/subject").putObject("properties").putObject("act").put("sub", "ann");
        JsonNode approval = at.approved(call);
        ObjectNode other = call.deepCopy();
        other.withObject("/subject/properties/act").put("sub", "ben");
        refused(at.ask(Asks.with(other, approval)), "out_of_scope", "request");
        assertThat(Reply.decision(at.ask(Asks.with(call, approval)))).isTrue();
    }

    @Test
    @DisplayName("AR-66: whom the denied call was made for does not review it, though the submission leaves that out")
    void forgottenActor() {
        ObjectNode call = CALL.deepCopy();
        call.withObject("/subject").putObject("properties").putObject("act").put("sub", "bob");
        for (boolean byToken : new boolean[] {true, false}) {
            JsonNode denied = Asks.denied(server, at.agent(), call);
            ObjectNode body = Asks.submission(call, denied);
            body.withObject("/subject/properties").remove("act");
            if (!byToken) {
                body.withObject("/denial").remove("binding_token");
            }
            Reply submitted = at.submit(body);
            assertThat(submitted.status()).as(submitted.body()).isEqualTo(202);
            String id = submitted.json().at("/task/id").asText();
            Reply refused = Asks.approve(server, server.key("bob"), id);
            assertThat(refused.status()).as(refused.body()).isEqualTo(403);
        }
    }

    @Test
    @DisplayName("anchor 5: it is not said again and again of one approval that its run did not start")
    void neverStarted() {
        JsonNode approval = at.approved(CALL);
        String receipt = "{\"outcome\": \"failed\", \"not_started\": true}";
        for (int i = 0; i < 4; i++) {
            assertThat(Reply.decision(at.ask(Asks.with(CALL, approval, "never-" + i))))
                    .isTrue();
            assertThat(server.post("/api/v1/executions/never-" + i + "/receipt", at.agent(), receipt)
                            .status())
                    .isEqualTo(200);
        }
        refused(at.ask(Asks.with(CALL, approval, "never-4")), "approval_expired", "request");
    }

    @Test
    @DisplayName("anchor 5: an item of a batch whose approval cannot be looked up is denied alone")
    void oneOfSeveral() throws SQLException {
        JsonNode first = at.approved(CALL);
        JsonNode second = at.approved(CALL);
        ObjectNode batch = JsonNodeFactory.instance.objectNode();
        batch.putArray("evaluations").add(Asks.with(CALL, first)).add(Asks.with(CALL, second));
        JsonNode answers;
        try (Connection busy = DriverManager.getConnection(
                        at.database().jdbcUrl(), at.database().jdbcProperties());
                PreparedStatement lock =
                        busy.prepareStatement("select 1 from approvals where id = ?::uuid for update")) {
            busy.setAutoCommit(false);
            lock.setString(1, second.path("id").asText());
            lock.executeQuery();
            answers = server.post(EvaluationHandler.BATCH, at.agent(), batch.toString())
                    .json()
                    .path("evaluations");
            busy.rollback();
        }
        assertThat(Reply.decision(answers.path(0))).as(answers.toString()).isTrue();
        assertThat(Reply.decision(answers.path(1))).as(answers.toString()).isFalse();
        assertThat(answers.at("/1/context/reason").asText()).isEqualTo("approval_unverifiable");
        Reply later =
                server.post(Asks.EVALUATION, at.agent(), Asks.with(CALL, second).toString());
        assertThat(Reply.decision(later.json())).as(later.body()).isTrue();
    }

    @Test
    @DisplayName(
            "AR-24: a denial is asked for by whoever got it, with any of its keys, and by nobody else of the tenant")
    void theirs() {
        String rival = at.service("rival");
        for (boolean byId : new boolean[] {false, true}) {
            ObjectNode body = byId ? at.byId(Asks.call("pay")) : at.submission(Asks.call("pay"));
            problem(Asks.submit(server, rival, body), 400, "invalid_denial_binding");
            assertThat(at.submit(body).status()).isEqualTo(202);
            ObjectNode own = Asks.submission(Asks.call("pay"), Asks.denied(server, rival, Asks.call("pay")));
            assertThat(Asks.submit(server, at.service("rival"), own).status()).isEqualTo(202);
        }
    }
}
