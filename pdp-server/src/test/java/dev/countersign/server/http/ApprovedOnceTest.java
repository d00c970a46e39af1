package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An approved call runs once, and no other call runs because of it. */
@ExtendWith(PostgresExtension.class)
class ApprovedOnceTest {
    private static RunningServer server;
    private static String agent;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        agent = server.key("agent");
        Reply owner = owned("planner", "carol");
        assertThat(owner.status()).as(owner.body()).isEqualTo(201);
    }

    private static Reply owned(String agent, String owner) {
        return server.put("/api/v1/entities/agent/" + agent, server.key("admin"), "{\"owner\": \"" + owner + "\"}");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode approved(JsonNode call) {
        String id = Asks.requested(server, agent, call);
        Reply approved = Asks.approve(server, server.key("alice"), id);
        assertThat(approved.status()).as(approved.body()).isEqualTo(200);
        return Asks.approval(server, agent, id);
    }

    private static JsonNode ask(JsonNode call) {
        Reply reply = server.post(Asks.EVALUATION, agent, call.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private static void refused(JsonNode answer, String reason, String next) {
        assertThat(Reply.decision(answer)).isFalse();
        assertThat(answer.at("/context/reason").asText()).isEqualTo(reason);
        assertThat(answer.at("/context/next_action").asText()).isEqualTo(next);
        assertThat(answer.at("/context/access_request").isObject())
                .as(answer.toString())
                .isEqualTo(next.equals("request"));
    }

    @Test
    void anApprovedCallIsAllowedOnceAndRefusedTheSecondTime() {
        ObjectNode call = Asks.call("pay");
        JsonNode approval = approved(call);
        JsonNode answer = ask(Asks.with(call, approval));
        assertThat(Reply.decision(answer)).as(answer.toString()).isTrue();
        assertThat(answer.at("/context/approval/id").asText())
                .isEqualTo(approval.path("id").asText());
        assertThat(answer.at("/context/approval/approved_until").asText())
                .isEqualTo(approval.path("approved_until").asText());
        refused(ask(Asks.with(call, approval)), "approval_expired", "request");
    }

    @Test
    void aChangedArgumentOrContextMemberIsAnotherCall() {
        ObjectNode call = Asks.call("pay");
        JsonNode approval = approved(call);
        ObjectNode more = call.deepCopy();
        more.withObject("/resource/properties").put("amount", 101);
        refused(ask(Asks.with(more, approval)), "out_of_scope", "request");
        ObjectNode surer = call.deepCopy();
        surer.withObjectProperty("context").put("confidence", 0.6);
        refused(ask(Asks.with(surer, approval)), "out_of_scope", "request");
        ObjectNode volatileOnly = call.deepCopy();
        volatileOnly.withObjectProperty("context").put("time", "now");
        assertThat(Reply.decision(ask(Asks.with(volatileOnly, approval)))).isTrue();
    }

    @Test
    void aCallThatWillBeReportedGetsTheSameAnswerUntilItIs() {
        ObjectNode call = Asks.call("pay");
        JsonNode approval = approved(call);
        assertThat(Reply.decision(ask(Asks.with(call, approval, "run-1")))).isTrue();
        assertThat(Reply.decision(ask(Asks.with(call, approval, "run-1")))).isTrue();
        refused(ask(Asks.with(call, approval, "run-2")), "approval_expired", "request");
        String receipt = "{\"outcome\": \"succeeded\", \"attempts\": 1}";
        Reply reported = server.post("/api/v1/executions/run-1/receipt", agent, receipt);
        assertThat(reported.status()).as(reported.body()).isEqualTo(200);
        assertThat(server.post("/api/v1/executions/run-1/receipt", agent, receipt)
                        .body())
                .isEqualTo(reported.body());
        refused(ask(Asks.with(call, approval, "run-1")), "approval_expired", "request");
    }

    @Test
    void whatDidNotStartCanBeTriedAgain() {
        ObjectNode call = Asks.call("pay");
        JsonNode approval = approved(call);
        assertThat(Reply.decision(ask(Asks.with(call, approval, "try-1")))).isTrue();
        Reply reported = server.post(
                "/api/v1/executions/try-1/receipt", agent, "{\"outcome\": \"failed\", \"not_started\": true}");
        assertThat(reported.json().path("status").asText()).as(reported.body()).isEqualTo("not_started");
        assertThat(Reply.decision(ask(Asks.with(call, approval, "try-2")))).isTrue();
    }

    @Test
    void anApprovalThatIsTakenBackLetsNothingRunAndTakesNoOtherWithIt() {
        ObjectNode call = Asks.call("pay");
        String id = Asks.requested(server, agent, call);
        Asks.approve(server, server.key("alice"), id);
        JsonNode approval = Asks.approval(server, agent, id);
        JsonNode other = approved(call);
        String path = Asks.APPROVALS + "/" + id + "/revoke";
        assertThat(server.post(path, server.key("author"), "{}").status()).isEqualTo(403);
        Reply revoked = server.post(path, server.key("bob"), "{\"reason\": \"wrong account\"}");
        assertThat(revoked.json().at("/approval/status").asText())
                .as(revoked.body())
                .isEqualTo("revoked");
        assertThat(server.post(path, server.key("bob"), "{}").status()).isEqualTo(409);
        refused(ask(Asks.with(call, approval)), "approval_expired", "request");
        assertThat(Reply.decision(ask(Asks.with(call, other)))).isTrue();
    }

    @Test
    void aRunThatNobodyKnowsOfIsInDoubtUntilAHumanSaysWhatBecameOfIt() {
        assertThat(owned("wanderer", "carol").status()).isEqualTo(201);
        ObjectNode call = Asks.call("pay");
        call.withObject("/subject").put("id", "wanderer");
        String id = Asks.requested(server, agent, call);
        Asks.approve(server, server.key("alice"), id);
        JsonNode approval = Asks.approval(server, agent, id);
        assertThat(Reply.decision(ask(Asks.with(call, approval, "lost-1")))).isTrue();
        server.post("/api/v1/executions/lost-1/receipt", agent, "{\"outcome\": \"unknown\", \"attempts\": 1}");
        JsonNode seen = server.get(Asks.APPROVALS + "/" + id, server.key("bob")).json();
        assertThat(seen.at("/approval/status").asText()).as(seen.toString()).isEqualTo("in_doubt");
        refused(ask(Asks.with(call, approval, "lost-1")), "approval_expired", "request");
        String path = Asks.APPROVALS + "/" + id + "/resolve";
        assertThat(server.post(path, agent, "{\"ran\": false}").status()).isEqualTo(403);
        // Whoever has come to answer for the agent since is on its side now.
        assertThat(owned("wanderer", "alice").status()).isEqualTo(200);
        assertThat(server.post(path, server.key("alice"), "{\"ran\": false}").status())
                .isEqualTo(403);
        Reply resolved = server.post(path, server.key("bob"), "{\"ran\": false, \"note\": \"the bank has nothing\"}");
        assertThat(resolved.json().at("/approval/status").asText())
                .as(resolved.body())
                .isEqualTo("active");
        assertThat(Reply.decision(ask(Asks.with(call, approval, "lost-2")))).isTrue();
    }
}
