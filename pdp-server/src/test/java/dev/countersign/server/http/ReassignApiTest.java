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
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A reviewer's place on one request goes to another person. */
@ExtendWith(PostgresExtension.class)
class ReassignApiTest {
    private static final String[] REVIEWER = {"approvals.read", "approvals.approve"};

    private static Approving at;
    private static RunningServer server;
    private static String tess;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path bank = RunningServer.pack(directory, """
                name: bank
                version: 1.0.0
                approvals:
                  treasury:
                    stages: [{name: treasury, roles: [treasury]}]
                    decide_within: 1h
                    use_within: 5m
                  pair:
                    stages: [{name: pair, quorum: 2, roles: [vault]}]
                    decide_within: 1h
                    use_within: 5m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package bank

                rule "wire"
                when
                  Request( action == "wire" )
                then
                  decision.requireApproval("WIRE", "treasury");
                end

                rule "vault"
                when
                  Request( action == "vault" )
                then
                  decision.requireApproval("VAULT", "pair");
                end
                """);
        at = Approving.start(database, bank);
        server = at.server();
        tess = at.person("tess", "tess", REVIEWER);
        at.entity("user/tess", "{\"roles\": [\"treasury\"]}");
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

    private static Reply reassign(String key, String id, String body) {
        return server.post(Asks.APPROVALS + "/" + id + "/reassign", key, body);
    }

    private static Reply to(String key, String id, String person) {
        return reassign(key, id, "{\"to\": \"" + person + "\"}");
    }

    private static void refused(Reply reply, int status, String kind, String reason) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.json().path("type").asText()).endsWith(":" + kind);
        assertThat(reply.json().path("reason").asText()).isEqualTo(reason);
    }

    private static List<String> could(String id) {
        var names = new ArrayList<String>();
        at.seen(id)
                .path("could_approve")
                .forEach(each -> names.add(each.path("name").asText()));
        return names;
    }

    @Test
    @DisplayName("anchor 8: who hands a place on reviews no more, who takes it does, and both are written down")
    void handedOn() {
        String id = at.requested(call("wire"));
        assertThat(could(id)).containsExactly("tess");
        ineligible(at.approve("alice", id), "lacks_role");
        Reply done = reassign(tess, id, "{\"to\": \" Alice\", \"note\": \"on leave\"}");
        assertThat(done.status()).as(done.body()).isEqualTo(200);
        JsonNode made = done.json().at("/reassignments/0");
        assertThat(made.path("note").asText()).isEqualTo("on leave");
        assertThat(made.path("by_person")).isEqualTo(made.path("from_person"));
        assertThat(could(id)).containsExactly("alice");
        ineligible(Asks.approve(server, tess, id), "handed_on");
        ineligible(Asks.reject(server, tess, id), "handed_on");
        refused(to(tess, id, "bob"), 403, "not_eligible", "handed_on");

        assertThat(to(server.key("alice"), id, "bob").status()).isEqualTo(200);
        ineligible(at.approve("alice", id), "handed_on");
        assertThat(at.approve("bob", id).status()).isEqualTo(200);
        JsonNode seen = at.seen(id);
        assertThat(seen.path("status").asText()).isEqualTo("approved");
        assertThat(seen.path("reassignments")).hasSize(2);
        assertThat(seen.at("/reviews/0/in_place_of")).isEqualTo(made.path("from_person"));
        assertThat(to(tess, id, "alice").status()).isEqualTo(409);

        JsonNode trail = server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("admin"))
                .json();
        assertThat(trail.at("/request/reassignments")).isEqualTo(seen.path("reassignments"));
        var told = new ArrayList<JsonNode>();
        trail.path("events").forEach(event -> {
            if (event.path("type").asText().equals("approval.reassigned")) {
                told.add(event.path("data"));
            }
        });
        assertThat(told).hasSize(2);
        assertThat(told.get(0).path("from_person")).isEqualTo(made.path("from_person"));
        assertThat(told.get(0).path("to_person")).isEqualTo(made.path("to_person"));
        assertThat(told.get(0).path("person")).isEqualTo(made.path("from_person"));
        assertThat(told.get(0).path("note").asText()).isEqualTo("on leave");
    }

    @Test
    @DisplayName("anchor 8: nobody of the requester's side takes a place, hands one on, or chooses who does")
    void side() throws SQLException {
        String carol = at.person("carol-2", "carol", "admin", "approvals.approve");
        String id = at.requested(call("wire"));
        refused(to(tess, id, "carol"), 422, "cannot_take", "requesters_side");
        refused(to(carol, id, "bob"), 403, "not_eligible", "requesters_side");
        refused(reassign(carol, id, "{\"from\": \"tess\", \"to\": \"bob\"}"), 403, "not_eligible", "requesters_side");

        at.person("joan", "joan", REVIEWER);
        assertThat(to(tess, id, "joan").status()).isEqualTo(200);
        at.delegate("carol", "tess");
        assertThat(could(id))
                .as("whose place it was belongs to the requester now")
                .isEmpty();
        at.sql("delete from delegations where to_person = (select id from persons where name = 'tess')");
        assertThat(could(id)).containsExactly("joan");
    }

    @Test
    @DisplayName("anchor 8: who is tied to the requester's side by a place does not say that a run did not happen")
    void tied() throws SQLException {
        ObjectNode call = call("wire");
        String id = at.requested(call);
        String june = at.person("june", "june", REVIEWER);
        assertThat(to(tess, id, "june").status()).isEqualTo(200);
        assertThat(Asks.approve(server, june, id).status()).isEqualTo(200);
        assertThat(Reply.decision(at.ask(Asks.with(call, Asks.approval(server, at.agent(), id), "tied-1"))))
                .isTrue();
        server.post("/api/v1/executions/tied-1/receipt", at.agent(), "{\"outcome\": \"unknown\"}");
        String resolve = Asks.APPROVALS + "/" + id + "/resolve";
        at.delegate("carol", "tess");
        assertThat(server.post(resolve, june, "{\"ran\": false}").status()).isEqualTo(403);
        at.sql("delete from delegations where to_person = (select id from persons where name = 'tess')");
        assertThat(server.post(resolve, june, "{\"ran\": false}").status()).isEqualTo(200);
    }

    @Test
    void onlyAPlaceThatOneHasIsHandedOnAndOnlyByItsHolderOrAnAdministrator() {
        String id = at.requested(call("wire"));
        refused(to(server.key("alice"), id, "bob"), 403, "not_eligible", "lacks_role");
        refused(reassign(tess, id, "{\"from\": \"bob\", \"to\": \"alice\"}"), 403, "forbidden", "");
        refused(to(tess, id, "nobody at all"), 422, "unknown_person", "");
        refused(to(tess, id, "tess"), 422, "cannot_take", "");
        assertThat(reassign(tess, id, "{}").status()).isEqualTo(422);
        String service = Managing.made(
                        server.post(Managing.KEYS, server.key("admin"), "{\"name\": \"ops\", \"roles\": [\"admin\"]}"))
                .path("secret")
                .asText();
        assertThat(to(service, id, "bob").status()).isEqualTo(422);
        assertThat(to(tess, "00000000-0000-0000-0000-000000000000", "bob").status())
                .isEqualTo(404);
        refused(reassign(server.key("admin"), id, "{\"from\": \"ghost\", \"to\": \"bob\"}"), 422, "unknown_person", "");
        at.person("reader", "reader", "approvals.read");
        refused(to(tess, id, "reader"), 422, "cannot_take", "not_a_reviewer");
        Reply forced = reassign(service, id, "{\"from\": \"tess\", \"to\": \"bob\"}");
        assertThat(forced.status()).as(forced.body()).isEqualTo(200);
        assertThat(could(id)).containsExactly("bob");
        assertThat(at.approve("bob", id).status()).isEqualTo(200);
    }

    @Test
    void aPlaceIsNotHandedToSomebodyWhoIsNeededInTheOwn() {
        String vic = at.person("vic", "vic", REVIEWER);
        String val = at.person("val", "val", REVIEWER);
        at.entity("user/vic", "{\"roles\": [\"vault\"]}");
        at.entity("user/val", "{\"roles\": [\"vault\"]}");
        String id = at.requested(call("vault"));
        refused(to(vic, id, "val"), 422, "cannot_take", "needed_later");
        assertThat(to(vic, id, "bob").status()).isEqualTo(200);
        assertThat(at.approve("bob", id).status()).isEqualTo(200);
        refused(to(val, id, "bob"), 422, "cannot_take", "voted_already");
        assertThat(Asks.approve(server, val, id).status()).isEqualTo(200);
        assertThat(at.seen(id).path("status").asText()).isEqualTo("approved");
    }

    @Test
    void aRequestThatRanOutOfTimeIsHandedToNobody() throws SQLException {
        String id = at.requested(call("wire"));
        at.sql("update approval_requests set decide_by = now() where id = '" + id + "'");
        assertThat(to(tess, id, "bob").status()).isEqualTo(409);
        assertThat(at.seen(id).path("status").asText()).isEqualTo("expired");
        assertThat(at.seen(id).path("reassignments")).isEmpty();
    }
}
