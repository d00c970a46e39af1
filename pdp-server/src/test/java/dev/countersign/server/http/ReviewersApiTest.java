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
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Who decides: reviewers, and nobody on the side of whoever asks. */
@ExtendWith(PostgresExtension.class)
class ReviewersApiTest {
    private static final String[] REVIEWER = {"decide", "approvals.read", "approvals.approve"};
    private static final String SIDE = "requesters_side";

    private static Approving at;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path bank = RunningServer.pack(directory, """
                name: bank
                version: 1.0.0
                approvals:
                  both:
                    stages: [{name: anybody, quorum: 1, roles: [approvals.approve]}, {name: treasury, quorum: 1, roles: [approvals.approve, treasury]}]
                    decide_within: 30m
                    use_within: 5m
                  two:
                    stages: [{name: pair, quorum: 2, roles: [approvals.approve]}]
                    decide_within: 1h
                    use_within: 15m
                  nobody:
                    stages: [{name: board, quorum: 1, roles: [approvals.approve, chair]}]
                    decide_within: 1h
                    use_within: 15m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package bank

                rule "large"
                when
                  Request( action == "transfer" )
                then
                  decision.requireApproval("TRANSFER", "both");
                end

                rule "pair"
                when
                  Request( action == "pair" )
                then
                  decision.requireApproval("PAIR", "two");
                end

                rule "board"
                when
                  Request( action == "board" )
                then
                  decision.requireApproval("BOARD", "nobody");
                end
                """);
        at = Approving.start(database, bank);
        server = at.server();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** A call of a sure agent, of which only the pack above has something to say. */
    private static ObjectNode call(String action, String agent) {
        ObjectNode call = Asks.call(action);
        call.withObject("/subject").put("id", agent);
        call.withObject("/context").put("confidence", 0.99);
        return call;
    }

    private static ObjectNode by(String agent) {
        ObjectNode call = Asks.call("pay");
        call.withObject("/subject").put("id", agent);
        return call;
    }

    private static String status(String id) {
        return at.seen(id).path("status").asText();
    }

    private static List<String> could(String id) {
        var names = new ArrayList<String>();
        at.seen(id)
                .path("could_approve")
                .forEach(each -> names.add(each.path("name").asText()));
        return names;
    }

    @Test
    @DisplayName("AR-66, anchor 8: the person who asks does not approve, by no key of theirs")
    void self() {
        String mine = at.person("dora-1", "Dora", REVIEWER);
        String other = at.person("dora-2", " dora", "approvals.approve", "approvals.read");
        ObjectNode call = Asks.call("pay");
        JsonNode denied = Asks.denied(server, mine, call);
        String id = Asks.submit(server, mine, Asks.submission(call, denied))
                .json()
                .at("/task/id")
                .asText();
        ineligible(Asks.approve(server, mine, id), SIDE);
        ineligible(Asks.reject(server, mine, id), SIDE);
        ineligible(Asks.approve(server, other, id), SIDE);
        assertThat(could(id)).doesNotContain("Dora");
        assertThat(status(id)).isEqualTo("pending");
    }

    @Test
    @DisplayName(
            "AR-66, anchor 8: an agent's owner, the user it acts for and their delegates do not approve what it asks")
    void side() throws SQLException {
        String owner = at.person("erin", "erin", REVIEWER);
        String standIn = at.person("faye", "faye", REVIEWER);
        String second = at.person("gina", "gina", REVIEWER);
        String above = at.person("hugo", "hugo", REVIEWER);
        at.entity("agent/aide", "{\"owner\": \"erin\"}");
        at.delegate("erin", "faye");
        at.delegate("faye", "gina");
        at.delegate("hugo", "erin");
        String id = at.requested(by("aide"));
        for (String each : List.of(owner, standIn, second, above)) {
            ineligible(Asks.approve(server, each, id), SIDE);
        }
        assertThat(could(id)).contains("alice", "bob").doesNotContain("erin", "faye", "gina", "hugo");

        ObjectNode actsFor = Asks.call("pay");
        ObjectNode submission = at.submission(actsFor);
        submission.putObject("client").putObject("actor").put("id", "erin");
        String claimed = at.submit(submission).json().at("/task/id").asText();
        ineligible(Asks.approve(server, owner, claimed), SIDE);
        ineligible(Asks.approve(server, standIn, claimed), SIDE);
        assertThat(at.approve("alice", claimed).status()).isEqualTo(200);
    }

    @Test
    @DisplayName(
            "AR-66, anchor 8: who was on the requester's side when it was asked stays there, and who joins it later is there too")
    void sideStays() throws SQLException {
        String before = at.person("ivan", "ivan", REVIEWER);
        String after = at.person("jane", "jane", REVIEWER);
        at.person("kurt", "kurt", REVIEWER);
        at.entity("agent/porter", "{\"owner\": \"kurt\"}");
        at.delegate("kurt", "ivan");
        String id = at.requested(by("porter"));
        at.sql("update delegations set revoked_at = now(), revoked_by = 'test' where to_person ="
                + " (select id from persons where name = 'ivan')");
        at.delegate("kurt", "jane");
        ineligible(Asks.approve(server, before, id), SIDE);
        ineligible(Asks.approve(server, after, id), SIDE);
    }

    @Test
    @DisplayName("AR-66, anchor 9: roles are joined by and: each stage takes its own, and one person fills one place")
    void andOverRoles() {
        String treasurer = at.person("tess", "tess", REVIEWER);
        at.entity("user/tess", "{\"roles\": [\"treasury\"]}");
        String id = at.requested(call("transfer", "planner"));
        assertThat(at.seen(id).path("stages")).hasSize(2);
        ineligible(Asks.approve(server, treasurer, id), "needed_later");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("pending");
        ineligible(at.approve("alice", id), "voted_already");
        ineligible(at.approve("bob", id), "lacks_role");
        assertThat(could(id)).containsExactly("tess");
        assertThat(Asks.approve(server, treasurer, id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("approved");
        assertThat(at.seen(id).path("reviews")).hasSize(2);
    }

    @Test
    @DisplayName("AR-66: a second vote of one person, by another key or as another's delegate, counts for nothing")
    void twice() throws SQLException {
        String lena = at.person("lena", "lena", REVIEWER);
        String again = at.person("lena-2", "lena", REVIEWER);
        at.person("mona", "mona", REVIEWER);
        at.delegate("mona", "lena");
        String id = at.requested(call("pair", "planner"));
        assertThat(Asks.approve(server, lena, id).status()).isEqualTo(200);
        ineligible(Asks.approve(server, lena, id), "voted_already");
        ineligible(Asks.approve(server, again, id), "voted_already");
        assertThat(status(id)).isEqualTo("pending");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("approved");
    }

    @Test
    @DisplayName("AR-66: an agent for which nobody answers takes two persons")
    void unowned() {
        String id = at.requested(by("stray"));
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("pending");
        assertThat(at.approve("bob", id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("approved");
    }

    @Test
    @DisplayName("AR-67: decision, request, review, approval and use can be put together from what is kept")
    void audit() {
        ObjectNode call = Asks.call("pay");
        ObjectNode submission = at.submission(call);
        String id = at.submit(submission).json().at("/task/id").asText();
        at.approve("alice", id);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        String used =
                at.ask(Asks.with(call, approval)).at("/context/evaluation_id").asText();
        String denied = submission.at("/denial/evaluation_id").asText();
        assertThat(server.record(denied, server.key("admin")).path("id").asText())
                .isEqualTo(denied);
        JsonNode record = server.record(used, server.key("admin"));
        assertThat(record.toString()).contains(approval.path("id").asText());
        var steps = new ArrayList<String>();
        for (JsonNode event : events()) {
            if (event.path("subject").asText().equals(id)) {
                steps.add(event.path("type").asText());
                assertThat(event.at("/data/decision_id").asText()).isEqualTo(denied);
                assertThat(event.at("/data/task_id").asText()).isEqualTo(id);
            }
        }
        assertThat(steps).containsExactly("approval.requested", "approval.approved", "approval.consumed");
    }

    private static List<JsonNode> events() {
        var all = new ArrayList<JsonNode>();
        String after = "";
        while (true) {
            JsonNode page = server.get("/api/v1/events?after=" + after, server.key("admin"))
                    .json();
            if (page.path("events").isEmpty()) {
                return all;
            }
            page.path("events").forEach(all::add);
            after = page.path("next").asText();
        }
    }

    @Test
    @DisplayName("anchor 6: who decides is the person of the key, whatever the body says, and never a service")
    void fromTheKey() {
        String id = at.requested(Asks.call("pay"));
        Reply named = server.post(
                Asks.APPROVALS + "/" + id + "/approve",
                server.key("alice"),
                "{\"approver\": \"bob\", \"decided_by\": \"bob\"}");
        assertThat(named.status()).as(named.body()).isEqualTo(422);
        assertThat(Asks.approve(server, at.agent(), id).status()).isEqualTo(403);
        assertThat(Asks.approve(server, server.key("admin"), id).status()).isEqualTo(403);
        Reply service = server.post(
                Managing.KEYS, server.key("admin"), "{\"name\": \"bot\", \"roles\": [\"approvals.approve\"]}");
        assertThat(service.status()).isEqualTo(422);
        JsonNode done = at.approve("alice", id).json();
        JsonNode review = at.seen(id).at("/reviews/0");
        assertThat(review.path("person")).isEqualTo(done.path("decided_by_person"));
        assertThat(review.path("vote").asText()).isEqualTo("approve");
        assertThat(review.path("key").asText()).isNotEmpty();
    }

    @Test
    @DisplayName("anchor 7: reading decides nothing; only a POST with a reviewer's key does")
    void getShows() {
        String id = at.requested(Asks.call("pay"));
        for (String verb : List.of("approve", "reject")) {
            String path = Asks.APPROVALS + "/" + id + "/" + verb;
            assertThat(server.get(path, server.key("alice")).status()).isEqualTo(405);
            assertThat(server.get(path).status()).isEqualTo(405);
            Reply anonymous = server.send(server.request(path).POST(HttpRequest.BodyPublishers.ofString("{}")));
            assertThat(anonymous.status()).isEqualTo(401);
        }
        at.seen(id);
        assertThat(at.task(id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("pending");
    }

    @Test
    @DisplayName(
            "anchor 10: a request says who could approve it, and is refused at once, with the reason, if nobody can")
    void whoCould() {
        String id = at.requested(Asks.call("pay"));
        assertThat(could(id)).contains("alice", "bob").doesNotContain("carol");
        ObjectNode call = call("board", "planner");
        Reply hopeless = at.submit(at.submission(call));
        problem(hopeless, 400, "not_requestable");
        assertThat(hopeless.json().path("detail").asText()).contains("board", "chair");
    }

    @Test
    @DisplayName("anchor 20: how long reviewers have, and how long the approval lasts, is the rule's own")
    void perRule() {
        String transfer = at.requested(call("transfer", "planner"));
        String pair = at.requested(call("pair", "planner"));
        assertThat(minutes(transfer)).isEqualTo(30);
        assertThat(minutes(pair)).isEqualTo(60);
    }

    private static long minutes(String id) {
        JsonNode seen = at.seen(id);
        return java.time.Duration.between(
                        java.time.Instant.parse(seen.path("created_at").asText()),
                        java.time.Instant.parse(seen.path("decide_by").asText()))
                .toMinutes();
    }
}
