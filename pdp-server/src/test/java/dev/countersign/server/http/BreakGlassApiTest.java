package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.ineligible;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** In an emergency one person approves alone where a template says so, and another looks at it later. */
@ExtendWith(PostgresExtension.class)
class BreakGlassApiTest {
    private static final String WHY = "{\"reason\": \"the plant floods\"}";
    private static final String RIGHT = "{\"verdict\": \"justified\", \"note\": \"it did\"}";
    private static final String OPEN = Asks.APPROVALS + "/break-glass";

    private static Approving at;
    private static RunningServer server;
    private static String gwen;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path plant = RunningServer.pack(directory, """
                name: plant
                version: 1.0.0
                approvals:
                  valve:
                    stages: [{name: pair, quorum: 2, roles: [approvals.approve]}]
                    decide_within: 1h
                    use_within: 2h
                    break_glass: true
                  strict:
                    stages: [{name: one, roles: [approvals.approve]}]
                    decide_within: 1h
                    use_within: 5m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package plant

                rule "valve"
                when
                  Request( action in ("open", "both") )
                then
                  decision.requireApproval("VALVE", "valve");
                end

                rule "strict"
                when
                  Request( action == "both" )
                then
                  decision.requireApproval("STRICT", "strict");
                end
                """);
        at = Approving.start(database, plant);
        server = at.server();
        gwen = at.person("gwen", "gwen", "approvals.break_glass", "approvals.approve", "approvals.read");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static ObjectNode call(String action) {
        ObjectNode call = Asks.call(action);
        call.withObject("/context").put("confidence", 0.99);
        return call;
    }

    private static Reply alone(String key, String id) {
        return server.post(Asks.APPROVALS + "/" + id + "/break-glass", key, WHY);
    }

    private static Reply review(String key, String id, String body) {
        return server.post(Asks.APPROVALS + "/" + id + "/break-glass/review", key, body);
    }

    private static List<String> open() {
        var ids = new ArrayList<String>();
        server.get(OPEN, server.key("bob"))
                .json()
                .path("open")
                .forEach(each -> ids.add(each.path("request_id").asText()));
        return ids;
    }

    @Test
    @DisplayName(
            "anchor 8: one person approves alone for a short time, and it stays open until another has looked at it")
    void alone() {
        ObjectNode call = call("open");
        String id = at.requested(call);
        assertThat(at.seen(id).path("break_glass").asText()).isEqualTo("allowed");
        Reply done = alone(gwen, id);
        assertThat(done.status()).as(done.body()).isEqualTo(200);
        assertThat(done.json().path("status").asText()).isEqualTo("approved");
        JsonNode approval = done.json().path("approval");
        assertThat(Duration.between(
                        Instant.parse(approval.path("approved_at").asText()),
                        Instant.parse(approval.path("use_by").asText())))
                .isEqualTo(Duration.ofMinutes(15));
        assertThat(alone(gwen, id).status()).isEqualTo(409);
        assertThat(at.approve("alice", id).status()).isEqualTo(409);
        JsonNode used = at.ask(Asks.with(call, Asks.approval(server, at.agent(), id)));
        assertThat(Reply.decision(used)).as(used.toString()).isTrue();
        JsonNode again = at.ask(Asks.with(call, Asks.approval(server, at.agent(), id)));
        assertThat(Reply.decision(again)).isFalse();

        JsonNode seen = at.seen(id);
        assertThat(seen.path("break_glass").asText()).isEqualTo("used");
        assertThat(seen.path("reviews")).isEmpty();
        assertThat(seen.at("/emergency/reason").asText()).isEqualTo("the plant floods");
        assertThat(open()).contains(id);
        assertThat(review(gwen, id, RIGHT).status()).isEqualTo(403);
        assertThat(review(server.key("alice"), id, "{\"verdict\": \"fine\"}").status())
                .isEqualTo(422);
        Reply reviewed = review(server.key("alice"), id, RIGHT);
        assertThat(reviewed.status()).as(reviewed.body()).isEqualTo(200);
        assertThat(reviewed.json().at("/emergency/review/verdict").asText()).isEqualTo("justified");
        assertThat(review(server.key("bob"), id, RIGHT).status()).isEqualTo(409);
        assertThat(open()).doesNotContain(id);

        var told = new ArrayList<String>();
        JsonNode trail = server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("admin"))
                .json();
        trail.path("events").forEach(event -> told.add(event.path("type").asText()));
        assertThat(told)
                .containsExactly(
                        "approval.requested",
                        "approval.break_glass",
                        "approval.consumed",
                        "approval.break_glass_reviewed");
        assertThat(trail.at("/request/emergency/review/note").asText()).isEqualTo("it did");
        assertThat(server.get("/metrics", server.key("operator")).body())
                .containsPattern("countersign_approvals_break_glass_total [1-9]");
    }

    @Test
    @DisplayName("anchor 8: nobody of the requester's side approves alone, nor says whether that was right")
    void side() {
        String carol = at.person("carol-3", "carol", "approvals.break_glass", "approvals.approve");
        String id = at.requested(call("open"));
        ineligible(alone(carol, id), "requesters_side");
        assertThat(alone(gwen, id).status()).isEqualTo(200);
        ineligible(review(carol, id, RIGHT), "requesters_side");
        assertThat(open()).contains(id);
    }

    @Test
    @DisplayName("anchor 8: where nobody is known to answer for the agent, nobody approves alone")
    void unanswered() {
        ObjectNode call = call("open");
        call.withObject("/subject").put("id", "stray");
        String id = at.requested(call);
        assertThat(at.seen(id).has("break_glass")).isFalse();
        assertThat(alone(gwen, id).status()).isEqualTo(403);
        String answered = at.requested(call("open"));
        assertThat(server.delete("/api/v1/entities/agent/planner", server.key("admin"))
                        .status())
                .isEqualTo(200);
        assertThat(alone(gwen, answered).status()).isEqualTo(403);
        at.entity("agent/planner", "{\"owner\": \"carol\"}");
        assertThat(alone(gwen, answered).status()).isEqualTo(200);
    }

    @Test
    void onlyWhereEveryTemplateAllowsItAndTheKeyIsMeantForIt() throws SQLException {
        String both = at.requested(call("both"));
        assertThat(at.seen(both).has("break_glass")).isFalse();
        Reply refused = alone(gwen, both);
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.json().path("type").asText()).endsWith(":no_break_glass");
        assertThat(at.seen(both).path("status").asText()).isEqualTo("pending");

        String id = at.requested(call("open"));
        assertThat(alone(server.key("alice"), id).status()).isEqualTo(403);
        assertThat(server.post(Asks.APPROVALS + "/" + id + "/break-glass", gwen, "{\"reason\": \" \"}")
                        .status())
                .isEqualTo(422);
        assertThat(review(server.key("alice"), id, RIGHT).status()).isEqualTo(404);
        at.sql("update approval_requests set decide_by = now() where id = '" + id + "'");
        assertThat(alone(gwen, id).status()).isEqualTo(409);
        assertThat(at.seen(id).path("status").asText()).isEqualTo("expired");
        assertThat(open()).doesNotContain(id, both);
    }
}
