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
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What an approval is worth when its call is made. */
@ExtendWith(PostgresExtension.class)
class ReevaluationTest {
    private static final String UNVERIFIABLE = "approval_unverifiable";
    private static final String EXPIRED = "approval_expired";

    private static Approving at;
    private static RunningServer server;
    private static final ObjectNode CALL = Asks.call("pay");

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        at = Approving.start(database);
        server = at.server();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static void unused(JsonNode approval) {
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval)))).isTrue();
    }

    private static ObjectNode changed(JsonNode approval, String name, String value) {
        return approval.<ObjectNode>deepCopy().put(name, value);
    }

    private static void end(JsonNode approval, String set) throws SQLException {
        at.sql("update approvals set " + set + " where id = '"
                + approval.path("id").asText() + "'");
    }

    private static RunningServer strict(String action) {
        return server.another(Map.of("APPROVALS_DENYLIST", action), RunningServer.checkout("rules/packs/base"));
    }

    @Test
    @DisplayName("AR-47: a result asks for a new evaluation, with an approval that has an id and an end")
    void mode() {
        String id = at.requested(CALL);
        at.approve("alice", id);
        JsonNode result = at.task(id).json().path("result");
        assertThat(result.path("mode").asText()).isEqualTo("reevaluate");
        assertThat(UUID.fromString(result.at("/approval/id").asText()).version())
                .isEqualTo(4);
        assertThat(Instant.parse(result.at("/approval/approved_until").asText()))
                .isAfter(Instant.now());
        assertThat(at.task(id).json().path("result")).isEqualTo(result);
    }

    @Test
    @DisplayName("AR-49: an approval lifts what was asked for, and no rule that denies")
    void mandatory() throws IOException {
        JsonNode approval = at.approved(CALL);
        try (var strict = strict("pay")) {
            refused(Approving.ask(strict, at.agent(), Asks.with(CALL, approval)), "policy_denied", "none");
        }
        unused(approval);
    }

    @Test
    @DisplayName("AR-49: an approval does not lift what other rules ask for that it was not given for")
    void moreIsAsked() throws IOException {
        ObjectNode call = Asks.call("pay");
        call.withObjectProperty("context").put("app", "ledger");
        JsonNode approval = at.approved(call);
        Map<String, String> supervised = Map.of("MODE_SUPERVISED_APPS", "ledger");
        try (var strict = server.another(supervised, RunningServer.checkout("rules/packs/base"))) {
            refused(Approving.ask(strict, at.agent(), Asks.with(call, approval)), "out_of_scope", "request");
        }
        assertThat(Reply.decision(at.ask(Asks.with(call, approval)))).isTrue();
    }

    @Test
    @DisplayName("AR-50: an id alone lets nothing run: the caller, the call and the time must fit")
    void fits() throws SQLException {
        JsonNode approval = at.approved(CALL);
        refused(Approving.ask(server, server.key("alice"), Asks.with(CALL, approval)), UNVERIFIABLE, "none");
        refused(Approving.ask(server, at.service("thief"), Asks.with(CALL, approval)), UNVERIFIABLE, "none");
        String stranger = server.addKey("far", "agent", "decide").secret();
        refused(Approving.ask(server, stranger, Asks.with(CALL, approval)), UNVERIFIABLE, "none");
        ObjectNode other = Asks.call("refund");
        refused(at.ask(Asks.with(other, approval)), "out_of_scope", "request");
        ObjectNode subject = Asks.call("pay");
        subject.withObjectProperty("subject").put("id", "helper");
        refused(at.ask(Asks.with(subject, approval)), "out_of_scope", "request");
        ObjectNode bare = JsonNodeFactory.instance
                .objectNode()
                .put("id", approval.path("id").asText());
        refused(at.ask(Asks.with(other, bare)), "out_of_scope", "request");
        unused(approval);
        refused(at.ask(Asks.with(CALL, approval)), EXPIRED, "request");
        JsonNode late = at.approved(CALL);
        end(late, "use_by = now() - interval '1 second'");
        refused(at.ask(Asks.with(CALL, late)), EXPIRED, "request");
        refused(at.ask(Asks.with(CALL, changed(late, "approved_until", "2999-01-01T00:00:00Z"))), EXPIRED, "request");
    }

    @Test
    @DisplayName("AR-51: an id and a state that are not of one approval are of none")
    void mixed() {
        JsonNode one = at.approved(CALL);
        JsonNode two = at.approved(CALL);
        ObjectNode mixed = changed(one, "state", two.path("state").asText());
        refused(at.ask(Asks.with(CALL, mixed)), UNVERIFIABLE, "none");
        unused(one);
        unused(two);
    }

    @Test
    @DisplayName("AR-52: a state is a compact JWS by a published key, issued by us and meant for us")
    void state() throws Exception {
        JsonNode approval = at.approved(CALL);
        String state = approval.path("state").asText();
        ObjectNode claims = Tampering.claims(state);
        assertThat(Approving.names(claims)).contains("iss", "aud", "exp", "approval_id");
        String kid = Tampering.header(state).path("kid").asText();
        assertThat(server.get("/access/v1/jwks").json().path("keys"))
                .extracting(key -> key.path("kid").asText())
                .contains(kid);
        var own = Tampering.own(at.database());
        for (String bad : List.of(
                Tampering.signed(state, claims.deepCopy().put("aud", "https://other.example"), own),
                Tampering.signed(state, claims.deepCopy().put("iss", "https://other.example"), own),
                Tampering.signed(state, Tampering.without(claims, "aud"), own),
                Tampering.signed(state, claims, Tampering.newKey()),
                Tampering.forged(state, claims),
                Tampering.unsigned(claims),
                at.submission(CALL).at("/denial/binding_token").asText(),
                "")) {
            refused(at.ask(Asks.with(CALL, changed(approval, "state", bad))), UNVERIFIABLE, "none");
        }
        ObjectNode past = claims.deepCopy().put("exp", Instant.now().getEpochSecond() - 120);
        refused(
                at.ask(Asks.with(CALL, changed(approval, "state", Tampering.signed(state, past, own)))),
                EXPIRED,
                "request");
        unused(approval);
    }

    @Test
    @DisplayName("AR-53: an approval that was taken back is none, however long it was to last")
    void revoked() throws SQLException {
        JsonNode approval = at.approved(CALL);
        end(approval, "status = 'revoked', ended_at = now()");
        refused(at.ask(Asks.with(CALL, approval)), EXPIRED, "request");
    }

    @Test
    @DisplayName("AR-54: an approval is good for the very call, and for no other value of what is bound")
    void scope() {
        JsonNode approval = at.approved(CALL);
        List<Function<ObjectNode, ?>> changes = List.of(
                call -> call.withObject("/resource/properties").put("amount", 100.01),
                call -> call.withObject("/resource/properties").put("memo", "x"),
                call -> call.withObject("/resource/properties").remove("amount"),
                call -> call.withObject("/resource").put("id", "pay2"),
                call -> call.withObject("/action").putObject("properties").put("dry", true),
                call -> call.withObject("/subject").putObject("properties").put("team", "red"),
                call -> call.withObject("/context").put("confidence", 0.51),
                call -> call.withObject("/context").put("app", "ledger"));
        for (var change : changes) {
            ObjectNode call = CALL.deepCopy();
            change.apply(call);
            refused(at.ask(Asks.with(call, approval)), "out_of_scope", "request");
        }
        ObjectNode same = CALL.deepCopy();
        same.withObject("/resource/properties").put("amount", 100.0);
        same.withObject("/context").put("time", "10:00");
        assertThat(Reply.decision(at.ask(Asks.with(same, approval)))).isTrue();
    }

    @Test
    @DisplayName("AR-55: a refused approval says why and what next, and how to ask anew if that helps")
    void nextAction() {
        JsonNode approval = at.approved(CALL);
        ObjectNode other = CALL.deepCopy();
        other.withObject("/resource/properties").put("amount", 200);
        JsonNode answer = at.ask(Asks.with(other, approval));
        refused(answer, "out_of_scope", "request");
        Reply again = at.submit(Asks.submission(other, answer));
        assertThat(again.status()).as(again.body()).isEqualTo(202);
        ObjectNode unknown = JsonNodeFactory.instance
                .objectNode()
                .put("id", UUID.randomUUID().toString());
        refused(at.ask(Asks.with(CALL, unknown)), UNVERIFIABLE, "none");
        refused(at.ask(Asks.with(CALL, unknown.put("id", "apr_1"))), UNVERIFIABLE, "none");
    }

    @Test
    @DisplayName("AR-56: a call that runs by an approval is told until when")
    void until() {
        JsonNode approval = at.approved(CALL);
        JsonNode answer = at.ask(Asks.with(CALL, approval));
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.at("/context/approval/approved_until")).isEqualTo(approval.path("approved_until"));
    }

    @Test
    @DisplayName("AR-57: each approved item of a bundle is evaluated by itself, with its own approval")
    void items() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (String tool : List.of("first", "second")) {
            ObjectNode each = at.submission(Asks.call(tool));
            body.set("subject", each.remove("subject"));
            body.set("context", each.remove("context"));
            items.add(each);
        }
        String task = at.submit(body.set("items", items)).json().at("/task/id").asText();
        for (JsonNode each : server.get(Asks.APPROVALS + "?status=pending&limit=100", server.key("bob"))
                .json()
                .path("approvals")) {
            if (each.path("task_id").asText().equals(task)) {
                assertThat(at.approve("alice", each.path("id").asText()).status())
                        .isEqualTo(200);
            }
        }
        JsonNode done = at.task(task).json().at("/task/items");
        JsonNode first = done.at("/0/result/approval");
        JsonNode second = done.at("/1/result/approval");
        refused(at.ask(Asks.with(Asks.call("first"), second)), "out_of_scope", "request");
        assertThat(Reply.decision(at.ask(Asks.with(Asks.call("first"), first)))).isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(Asks.call("second"), second))))
                .isTrue();
    }

    @Test
    @DisplayName("AR-58: an approval ends, whether or not anybody looks at it")
    void ends() throws SQLException {
        JsonNode approval = at.approved(CALL);
        end(approval, "use_by = now() - interval '1 minute'");
        refused(at.ask(Asks.with(CALL, approval)), EXPIRED, "request");
        RunningServer.until(
                "it is told",
                () -> server.get("/api/v1/events?type=approval.lapsed&limit=100", server.key("admin"))
                        .body()
                        .contains(approval.path("id").asText()));
    }

    @Test
    @DisplayName(
            "AR-59: the record of an approval says what was approved, for whom, by whom, when and what became of it")
    void record() {
        ObjectNode submission = at.submission(CALL);
        String id = at.submit(submission).json().at("/task/id").asText();
        at.approve("alice", id);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        String used =
                at.ask(Asks.with(CALL, approval)).at("/context/evaluation_id").asText();
        JsonNode seen = at.seen(id);
        assertThat(seen.path("task_id").asText()).isEqualTo(id);
        assertThat(seen.path("decision_id")).isEqualTo(submission.at("/denial/evaluation_id"));
        assertThat(seen.path("payload")).isEqualTo(CALL);
        assertThat(seen.path("requested_by_id").asText()).isNotEmpty();
        assertThat(seen.at("/approval/id")).isEqualTo(approval.path("id"));
        assertThat(seen.at("/approval/status").asText()).isEqualTo("consumed");
        assertThat(seen.at("/approval/approved_at")).isEqualTo(approval.path("approved_at"));
        assertThat(seen.at("/approval/use_by")).isEqualTo(approval.path("approved_until"));
        assertThat(seen.at("/approval/used_at").asText()).isNotEmpty();
        assertThat(seen.at("/approval/decision_id").asText()).isEqualTo(used);
    }

    @Test
    @DisplayName("SU-1: an approval is for one use, and a second call like the first has to be asked for again")
    void once() {
        JsonNode approval = at.approved(CALL);
        unused(approval);
        refused(at.ask(Asks.with(CALL, approval)), EXPIRED, "request");
        JsonNode without = Asks.denied(server, at.agent(), CALL);
        assertThat(without.at("/context/reason").asText()).isEqualTo("approval_required");
    }

    @Test
    @DisplayName("SU-2: of 64 calls at once that present one approval, on two servers, one runs")
    void race() throws IOException {
        JsonNode approval = at.approved(CALL);
        try (var second = server.another(Map.of(), RunningServer.checkout("rules/packs/base"))) {
            List<CompletableFuture<JsonNode>> all = IntStream.range(0, 64)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> Approving.ask(
                            i % 2 == 0 ? server : second, server.key("agent"), Asks.with(CALL, approval, "race-" + i))))
                    .toList();
            assertThat(all.stream().map(CompletableFuture::join).filter(Reply::decision))
                    .hasSize(1);
        }
    }

    @Test
    @DisplayName("SU-2: a run that is asked about again is the same run; one that nobody reports is in doubt, not free")
    void lease() throws SQLException {
        JsonNode approval = at.approved(CALL);
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval, "lease-1")))).isTrue();
        assertThat(Reply.decision(at.ask(Asks.with(CALL, approval, "lease-1")))).isTrue();
        refused(at.ask(Asks.with(CALL, approval, "lease-2")), EXPIRED, "request");
        end(approval, "report_by = now() - interval '1 second'");
        refused(at.ask(Asks.with(CALL, approval, "lease-1")), EXPIRED, "request");
        refused(at.ask(Asks.with(CALL, approval, "lease-2")), EXPIRED, "request");
    }

    @Test
    @DisplayName("SU-3: a used approval is refused as expired, with a way to ask anew that works")
    void used() {
        JsonNode approval = at.approved(CALL);
        unused(approval);
        JsonNode answer = at.ask(Asks.with(CALL, approval));
        refused(answer, EXPIRED, "request");
        Reply again = at.submit(Asks.submission(CALL, answer));
        assertThat(again.status()).as(again.body()).isEqualTo(202);
    }

    @Test
    @DisplayName(
            "SU-4: the digest covers subject, action, resource and what rules read, and leaves out what is declared advisory")
    void digest() {
        Reply registered = server.agreedPut("/api/v1/actions/book", server.key("author"), """
                {"class": "tool_call", "reversible": true, "risk": "medium", "advisory": ["memo"], "volatile_context": ["zone"]}""");
        assertThat(registered.status()).as(registered.body()).isIn(200, 201);
        ObjectNode call = Asks.call("book");
        call.withObject("/resource/properties").put("memo", "one");
        call.withObject("/context").put("zone", "eu");
        JsonNode approval = at.approved(call);
        ObjectNode other = call.deepCopy();
        other.withObject("/resource/properties").put("memo", "two").put("amount", 101);
        refused(at.ask(Asks.with(other, approval)), "out_of_scope", "request");
        other.withObject("/resource/properties").put("amount", 100);
        other.withObject("/context").put("zone", "us");
        assertThat(Reply.decision(at.ask(Asks.with(other, approval)))).isTrue();
    }

    @Test
    @DisplayName("SU-5: reviewers and users have a clock each, and both are told")
    void clocks() throws SQLException {
        String id = at.requested(CALL);
        JsonNode pending = at.seen(id);
        Instant decideBy = Instant.parse(pending.path("decide_by").asText());
        assertThat(at.task(id).json().at("/task/display/description").asText()).contains(decideBy.toString());
        at.approve("alice", id);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        Instant useBy = Instant.parse(approval.path("approved_until").asText());
        assertThat(useBy).isBefore(decideBy);
        // The reviewers' clock ends; what they have approved can still be used.
        at.sql("update approval_requests set decide_by = now() - interval '1 second' where id = '" + id + "'");
        unused(approval);
    }
}
