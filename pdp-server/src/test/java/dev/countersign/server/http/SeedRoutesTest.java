package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The routes of seeds 000, 002 and 004, which share one core. */
@ExtendWith(PostgresExtension.class)
class SeedRoutesTest {
    private static RunningServer server;
    private static String agent;
    private static String alice;
    private static String bob;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path tools = Files.writeString(
                directory.resolve("tools.yaml"),
                "tools: {pay: {stub: echo}, free: {stub: fixed, result: {ok: true}},"
                        + " walled: {url: 'https://169.254.169.254/', method: POST}}");
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_TOOLS", tools.toString(), "APPROVALS_ALLOWLIST", "free,unrunnable"),
                RunningServer.checkout("rules/packs/base"));
        agent = server.key("agent");
        alice = server.key("alice");
        bob = server.key("bob");
        Reply owner = server.put("/api/v1/entities/agent/agent", server.key("admin"), "{\"owner\": \"alice\"}");
        assertThat(owner.status()).as(owner.body()).isEqualTo(201);
        server.put("/api/v1/entities/agent/planner", server.key("admin"), "{\"owner\": \"carol\"}");
        Reply denied =
                server.put("/api/v1/settings/approvals.denylist", server.key("admin"), "{\"value\": [\"forbidden\"]}");
        assertThat(denied.status()).as(denied.body()).isEqualTo(200);
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode ok(Reply reply, int status) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        return reply.json();
    }

    @Test
    void seed000RunsWhatIsAllowedAtOnceAndDeniesTheRestWith403() {
        JsonNode ran = ok(server.post("/actions/a-1/request", agent, "{\"action\": \"free\"}"), 200);
        assertThat(ran.path("executed").asBoolean()).as(ran.toString()).isTrue();
        assertThat(ran.at("/result/ok").asBoolean()).isTrue();
        JsonNode own = ok(server.post("/actions/a-2/request", agent, "{\"action\": \"unrunnable\"}"), 200);
        assertThat(own.path("executed").asBoolean()).isFalse();
        assertThat(own.path("status").asText()).isEqualTo("allowed");
        JsonNode denied = ok(server.post("/actions/a-3/request", agent, "{\"action\": \"forbidden\"}"), 403);
        assertThat(denied.path("decision").asText()).isEqualTo("deny");
    }

    @Test
    void seed000AsksAndThenExecutesWhatWasApprovedOnce() {
        String body = "{\"action\": \"pay\", \"params\": {\"amount\": 7}, \"reason\": \"invoice\"}";
        JsonNode asked = ok(server.post("/actions/b-1/request", agent, body), 202);
        String id = asked.path("approvalRequestId").asText();
        assertThat(ok(server.post("/actions/b-1/request", agent, body), 200)
                        .path("approvalRequestId")
                        .asText())
                .isEqualTo(id);
        ok(server.post("/actions/b-1/request", agent, body.replace("7", "8")), 409);
        String execution = "{\"action\": \"pay\", \"params\": {\"amount\": 7}, \"approvalRequestId\": \"" + id + "\"}";
        ok(server.post("/actions/b-1/execute", agent, execution), 403);
        JsonNode refused = ok(server.post("/approvals/" + id + "/approve", alice, "{}"), 403);
        assertThat(refused.path("reason").asText()).isEqualTo("requesters_side");
        assertThat(server.get("/approvals", bob).json().path("inbox").toString())
                .contains(id);
        assertThat(server.get("/approvals", agent).json().path("mine").toString())
                .contains(id);
        JsonNode approved = ok(server.post("/approvals/" + id + "/approve", bob, "{}"), 200);
        assertThat(approved.at("/approval/status").asText()).isEqualTo("approved");
        ok(server.post("/actions/b-1/execute", agent, execution.replace("7", "9")), 403);
        JsonNode ran = ok(server.post("/actions/b-1/execute", agent, execution), 200);
        assertThat(ran.path("success").asBoolean()).as(ran.toString()).isTrue();
        assertThat(ran.at("/result/amount").asInt()).isEqualTo(7);
        ok(server.post("/actions/b-1/execute", agent, execution), 403);
        JsonNode after = ok(server.get("/approvals/" + id, bob), 200);
        assertThat(after.path("status").asText()).isEqualTo("applied");
        assertThat(after.at("/approval/status").asText()).isEqualTo("consumed");
    }

    @Test
    void seed000DeniesWithAReason() {
        JsonNode asked = ok(server.post("/actions/c-1/request", agent, "{\"action\": \"pay\"}"), 202);
        String id = asked.path("approvalRequestId").asText();
        JsonNode denied = ok(server.post("/approvals/" + id + "/deny", bob, "{\"reason\": \"no\"}"), 200);
        assertThat(denied.at("/approval/status").asText()).isEqualTo("rejected");
        assertThat(denied.at("/approval/note").asText()).isEqualTo("no");
        ok(server.post("/approvals/" + id + "/approve", bob, "{}"), 409);
    }

    @Test
    void seed002ApprovesAndAppliesOnTheServerOrHandsThePayloadOut() {
        ObjectNode call = Asks.call("pay");
        String id = Asks.requested(server, agent, call);
        JsonNode applied =
                ok(server.post(Asks.APPROVALS + "/" + id + "/approve", bob, "{\"approve_and_apply\": true}"), 200);
        assertThat(applied.path("status").asText()).as(applied.toString()).isEqualTo("applied");
        assertThat(applied.at("/execution/status").asText()).isEqualTo("succeeded");
        assertThat(applied.at("/result/amount").asInt()).isEqualTo(100);
        ObjectNode other = Asks.call("elsewhere");
        String there = Asks.requested(server, agent, other);
        JsonNode handed =
                ok(server.post(Asks.APPROVALS + "/" + there + "/approve", bob, "{\"approve_and_apply\": true}"), 200);
        assertThat(handed.path("apply_client_side").asBoolean()).isTrue();
        assertThat(handed.path("payload")).isEqualTo(other);
    }

    @Test
    void seed002LeavesAnApprovalGoodWhoseRunOnTheServerReachedNoTool() {
        ObjectNode call = Asks.call("walled");
        String id = Asks.requested(server, agent, call);
        JsonNode tried =
                ok(server.post(Asks.APPROVALS + "/" + id + "/approve", bob, "{\"approve_and_apply\": true}"), 200);
        assertThat(tried.at("/execution/status").asText()).as(tried.toString()).isEqualTo("not_started");
        assertThat(tried.path("status").asText()).isEqualTo("approved");
        assertThat(tried.at("/approval/status").asText()).isEqualTo("active");
        call.withObject("/context").putObject("approval").set("id", tried.at("/approval/id"));
        JsonNode allowed = ok(server.post(EvaluationHandler.SINGLE, agent, call.toString()), 200);
        assertThat(allowed.path("decision").asBoolean()).as(allowed.toString()).isTrue();
    }

    @Test
    void seed002DecidesABatchItemByItem() {
        String first = Asks.requested(server, agent, Asks.call("one"));
        String second = Asks.requested(server, agent, Asks.call("two"));
        JsonNode results = ok(
                        server.post(
                                Asks.APPROVALS + "/batch",
                                bob,
                                "{\"items\": [{\"id\": \"" + first + "\", \"decision\": \"approve\"},"
                                        + " {\"id\": \"nothing\", \"decision\": \"approve\"},"
                                        + " {\"id\": \"" + second
                                        + "\", \"decision\": \"reject\", \"note\": \"no\"}]}"),
                        200)
                .path("results");
        assertThat(results).extracting(each -> each.path("status").asInt()).containsExactly(200, 404, 200);
        assertThat(results.at("/0/approval/status").asText()).isEqualTo("approved");
        assertThat(results.at("/2/approval/status").asText()).isEqualTo("rejected");
    }

    private static String gateway(String id, String type) {
        return "{\"action_id\": \"" + id + "\", \"action_type\": \"" + type + "\", \"description\": \"Deploy\","
                + " \"context\": {\"platform\": \"vercel\"}, \"run_id\": \"wf-" + id + "\","
                + " \"requested_by\": \"temporal-worker\", \"timeout_seconds\": 600}";
    }

    @Test
    void seed004CreatesListsDecidesAndCancelsByTheCallersOwnId() {
        JsonNode made = ok(server.post("/api/v1/approvals/", agent, gateway("deploy-1", "deploy")), 201);
        assertThat(made.path("action_id").asText()).isEqualTo("deploy-1");
        assertThat(made.path("requested_by").asText()).isEqualTo("temporal-worker");
        assertThat(made.at("/payload/resource/properties/platform").asText()).isEqualTo("vercel");
        ok(server.post("/api/v1/approvals/", agent, gateway("deploy-1", "deploy")), 200);
        ok(server.post("/api/v1/approvals/", agent, gateway("deploy-1", "deploys")), 409);
        JsonNode listed = ok(server.get("/api/v1/approvals/?run_id=wf-deploy-1&limit=50", alice), 200);
        assertThat(listed.path("approvals")).hasSize(1);
        JsonNode decided = ok(
                server.post(
                        "/api/v1/approvals/deploy-1/decide",
                        bob,
                        "{\"approved\": true, \"reason\": \"reviewed\", \"decided_by\": \"mallory@example.com\"}"),
                200);
        assertThat(decided.path("status").asText()).isEqualTo("approved");
        assertThat(decided.toString()).doesNotContain("mallory");
        ok(server.post("/api/v1/approvals/", agent, gateway("deploy-2", "deploy")), 201);
        ok(server.post("/api/v1/approvals/deploy-2/cancel?reason=Workflow+cancelled", bob, "{}"), 403);
        JsonNode cancelled =
                ok(server.post("/api/v1/approvals/deploy-2/cancel?reason=Workflow+cancelled", agent, "{}"), 200);
        assertThat(cancelled.path("status").asText()).isEqualTo("cancelled");
        assertThat(cancelled.path("note").asText()).isEqualTo("Workflow cancelled");
        assertThat(ok(server.get("/api/v1/approvals/deploy-1", agent), 200)
                        .path("status")
                        .asText())
                .isEqualTo("approved");
        ok(server.post("/api/v1/approvals/cleanup", bob, "{}"), 200);
    }

    @Test
    void seed004RefusesWhatRulesDoNotWantApproved() {
        JsonNode allowed = ok(server.post("/api/v1/approvals", agent, gateway("free-1", "free")), 409);
        assertThat(allowed.path("decision").asText()).isEqualTo("allow");
        JsonNode denied = ok(server.post("/api/v1/approvals", agent, gateway("no-1", "forbidden")), 409);
        assertThat(denied.path("decision").asText()).isEqualTo("deny");
    }
}
