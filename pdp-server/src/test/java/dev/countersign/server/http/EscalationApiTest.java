package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.ineligible;
import static dev.countersign.server.http.Approving.problem;
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

/** A stage that takes long opens to others as well, by the clock alone. */
@ExtendWith(PostgresExtension.class)
class EscalationApiTest {
    private static final String[] REVIEWER = {"approvals.read", "approvals.approve"};

    private static Approving at;
    private static RunningServer server;
    private static String director;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path bank = RunningServer.pack(directory, """
                name: bank
                version: 1.0.0
                approvals:
                  slow:
                    stages:
                      - {name: treasury, roles: [treasury], escalate: {after: 30m, to: [director]}}
                      - {name: sign, roles: [approvals.approve], escalate: {after: 40m, to: [director, board]}}
                    decide_within: 1h
                    use_within: 5m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package bank

                rule "slow"
                when
                  Request( action == "wire" )
                then
                  decision.requireApproval("WIRE", "slow");
                end
                """);
        at = Approving.start(database, bank);
        server = at.server();
        director = at.person("dirk", "dirk", REVIEWER);
        at.entity("user/dirk", "{\"roles\": [\"director\"]}");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static ObjectNode wire() {
        ObjectNode call = Asks.call("wire");
        call.withObject("/context").put("confidence", 0.99);
        return call;
    }

    /** Has the request be older by so much. */
    private static void age(String id, int minutes) throws SQLException {
        at.sql(
                "update approval_requests set created_at = created_at - interval '%1$d min', decide_by = decide_by - interval '%1$d min', escalates_at = escalates_at - interval '%1$d min' where id = '%2$s'"
                        .formatted(minutes, id));
    }

    private static List<String> could(String id) {
        var names = new ArrayList<String>();
        at.seen(id)
                .path("could_approve")
                .forEach(each -> names.add(each.path("name").asText()));
        return names;
    }

    private static List<JsonNode> told(String id) {
        var told = new ArrayList<JsonNode>();
        server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("admin"))
                .json()
                .path("events")
                .forEach(event -> {
                    if (event.path("type").asText().equals("approval.escalated")) {
                        told.add(event);
                    }
                });
        return told;
    }

    @Test
    @DisplayName(
            "anchor 10: a request that only they could approve to whom it escalates is taken, says when, and is theirs then")
    void escalates() throws SQLException {
        ObjectNode call = wire();
        String id = at.requested(call);
        JsonNode seen = at.seen(id);
        assertThat(Duration.between(
                        Instant.parse(seen.path("created_at").asText()),
                        Instant.parse(seen.path("escalates_at").asText())))
                .isEqualTo(Duration.ofMinutes(30));
        assertThat(seen.path("escalated").isBoolean()).isTrue();
        assertThat(seen.path("escalated").booleanValue()).isFalse();
        assertThat(seen.at("/stages/0/escalate").toString()).isEqualTo("{\"after\":\"PT30M\",\"to\":[\"director\"]}");
        assertThat(could(id)).isEmpty();
        ineligible(Asks.approve(server, director, id), "lacks_role");

        age(id, 31);
        assertThat(at.seen(id).path("escalated").booleanValue()).isTrue();
        assertThat(could(id)).containsExactly("dirk");
        ineligible(at.approve("alice", id), "lacks_role");
        assertThat(Asks.approve(server, director, id).status()).isEqualTo(200);
        JsonNode next = at.seen(id);
        assertThat(next.path("status").asText()).as("the quorum stays").isEqualTo("pending");
        assertThat(next.path("stage").asInt()).isEqualTo(2);
        assertThat(next.path("escalated").booleanValue()).isFalse();
        ineligible(Asks.approve(server, director, id), "voted_already");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        JsonNode done = at.seen(id);
        assertThat(done.path("status").asText()).isEqualTo("approved");
        assertThat(done.has("escalates_at")).isFalse();
        JsonNode used = at.ask(Asks.with(call, Asks.approval(server, at.agent(), id)));
        assertThat(Reply.decision(used)).as(used.toString()).isTrue();
    }

    @Test
    @DisplayName("anchor 8: whoever asks is not among those to whom it escalates, whatever roles they hold")
    void ownSide() throws SQLException {
        String mine = at.person("dirk-2", "dirk", "decide");
        ObjectNode call = wire();
        JsonNode denied = Asks.denied(server, mine, call);
        Reply alone = Asks.submit(server, mine, Asks.submission(call, denied));
        problem(alone, 400, "not_requestable");
        assertThat(alone.json().path("detail").asText())
                .contains("`treasury` needs a person with treasury, or later with director,", "there are 0");

        at.person("dina", "dina", REVIEWER);
        at.entity("user/dina", "{\"roles\": [\"director\"]}");
        String id = Asks.requested(server, mine, call);
        age(id, 31);
        assertThat(could(id)).containsExactly("dina");
        ineligible(Asks.approve(server, director, id), "requesters_side");
        at.entity("user/dina", "{}");
    }

    @Test
    @DisplayName("anchor 13: that it has escalated is told once, and who may approve does not depend on that")
    void toldOnce() throws SQLException {
        String id = at.requested(wire());
        age(id, 31);
        RunningServer.until("it is told", () -> !told(id).isEmpty());
        JsonNode data = told(id).get(0).path("data");
        assertThat(data.path("stage").asText()).isEqualTo("treasury");
        assertThat(data.path("escalated_to").asText()).isEqualTo("director");
        assertThat(data.path("escalated_at")).isEqualTo(at.seen(id).path("escalates_at"));
        assertThat(Asks.approve(server, director, id).status()).isEqualTo(200);
        age(id, 10);
        RunningServer.until("the next stage's is told", () -> told(id).size() > 1);
        assertThat(told(id).get(1).at("/data/escalated_to").asText()).isEqualTo("director and board");
        age(id, 30);
        RunningServer.until(
                "it has expired", () -> at.seen(id).path("status").asText().equals("expired"));
        assertThat(told(id)).hasSize(2);
        assertThat(at.approve("alice", id).status()).isEqualTo(409);
    }
}
