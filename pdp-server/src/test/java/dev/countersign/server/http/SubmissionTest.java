package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Access requests as they are submitted: what binds them to a denial, and what does not. */
@ExtendWith(PostgresExtension.class)
class SubmissionTest {
    private static final String UNBOUND = "invalid_denial_binding";

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

    private static ObjectNode denial(ObjectNode submission) {
        return (ObjectNode) submission.path("denial");
    }

    private static Reply taken(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        return reply;
    }

    private static String task(Reply reply) {
        return reply.json().at("/task/id").asText();
    }

    /** Submits a denied call with a token that says something else, truly signed. */
    private static Reply with(Consumer<ObjectNode> change, Consumer<ObjectNode> denialChange) throws Exception {
        ObjectNode body = at.submission(Asks.call("pay"));
        String token = body.at("/denial/binding_token").asText();
        ObjectNode claims = Tampering.claims(token);
        change.accept(claims);
        denial(body).put("binding_token", Tampering.signed(token, claims, Tampering.own(at.database())));
        denialChange.accept(denial(body));
        return at.submit(body);
    }

    @Test
    @DisplayName("AR-18: nobody submits without a key, without the role, or for another tenant")
    void authorized() {
        ObjectNode body = at.submission(Asks.call("pay"));
        assertThat(Asks.submit(server, "csk_nobody_nothing", body).status()).isEqualTo(401);
        assertThat(Asks.submit(server, server.key("author"), body).status()).isEqualTo(403);
        assertThat(Asks.submit(server, server.key("operator"), body).status()).isEqualTo(403);
        String stranger = server.addKey("stranger", "agent", "decide").secret();
        problem(Asks.submit(server, stranger, body), 400, UNBOUND);
        denial(body).remove("binding_token");
        problem(Asks.submit(server, stranger, body), 400, UNBOUND);
        denial(body).remove("expires_at");
        problem(at.submit(body), 400, UNBOUND);
    }

    @Test
    @DisplayName("AR-19: a submission has a subject and one call, or items that each have a denial of their own")
    void body() {
        for (String missing : new String[] {"subject", "resource", "action"}) {
            ObjectNode body = at.submission(Asks.call("pay"));
            body.remove(missing);
            assertThat(at.submit(body).status()).as(missing).isEqualTo(400);
        }
        ObjectNode both = at.submission(Asks.call("pay"));
        both.putArray("items").addObject();
        assertThat(at.submit(both).status()).isEqualTo(400);
        ObjectNode none = at.submission(Asks.call("pay"));
        none.remove("denial");
        problem(at.submit(none), 400, UNBOUND);
        ObjectNode items = bundle("one", "two");
        ((ObjectNode) items.at("/items/1")).remove("denial");
        problem(at.submit(items), 400, UNBOUND);
        taken(at.submit(bundle("one", "two")));
    }

    private static ObjectNode bundle(String... tools) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode items = JsonNodeFactory.instance.arrayNode();
        for (String tool : tools) {
            ObjectNode each = at.submission(Asks.call(tool));
            body.set("subject", each.remove("subject"));
            body.set("context", each.remove("context"));
            items.add(each);
        }
        return body.set("items", items);
    }

    @Test
    @DisplayName("AR-20, AR-64: a decision that was no requestable denial cannot be asked for")
    void notRequestable() throws IOException {
        ObjectNode sure = Asks.call("pay");
        sure.withObjectProperty("context").put("confidence", 0.99);
        JsonNode allowed = at.ask(sure);
        ObjectNode body = Asks.submission(sure, allowed);
        denial(body).put("expires_at", Instant.now().plusSeconds(600).toString());
        problem(at.submit(body), 400, "not_requestable");
        ObjectNode since = at.submission(Asks.call("pay"));
        try (var strict =
                server.another(Map.of("APPROVALS_DENYLIST", "pay"), RunningServer.checkout("rules/packs/base"))) {
            problem(Asks.submit(strict, at.agent(), since), 400, "not_requestable");
        }
    }

    @Test
    @DisplayName("AR-21, AR-64: a denial that nothing binds, or of which nobody knows, is none")
    void unbound() {
        for (String missing : new String[] {"expires_at", "evaluation_id"}) {
            ObjectNode body = at.byId(Asks.call("pay"));
            denial(body).remove(missing);
            problem(at.submit(body), 400, UNBOUND);
        }
        ObjectNode unknown = at.byId(Asks.call("pay"));
        denial(unknown).put("evaluation_id", "01980000-0000-7000-8000-000000000000");
        problem(at.submit(unknown), 400, UNBOUND);
        denial(unknown).put("evaluation_id", "eval_1");
        problem(at.submit(unknown), 400, UNBOUND);
    }

    @Test
    @DisplayName("AR-22: a token binds only if it is signed by us, for us, in time, about this call, and not spent")
    void tokens() throws Exception {
        problem(with(claims -> claims.put("aud", "https://other.example"), denial -> {}), 400, UNBOUND);
        problem(with(claims -> claims.remove("aud"), denial -> {}), 400, UNBOUND);
        problem(with(claims -> claims.put("iss", "https://other.example"), denial -> {}), 400, UNBOUND);
        problem(with(claims -> claims.put("binding_hash", "x"), denial -> {}), 400, UNBOUND);
        problem(with(claims -> claims.put("tenant", "other"), denial -> {}), 400, UNBOUND);
        problem(
                with(claims -> claims.put("exp", Instant.now().getEpochSecond() - 120), denial -> {}),
                410,
                "expired_denial");
        taken(with(
                claims -> claims.putArray("aud")
                        .add("https://other.example")
                        .add(claims.path("iss").asText()),
                denial -> {}));

        ObjectNode body = at.submission(Asks.call("pay"));
        String token = body.at("/denial/binding_token").asText();
        ObjectNode claims = Tampering.claims(token);
        ECKey stranger = Tampering.newKey();
        for (String bad : new String[] {
            Tampering.forged(token, claims),
            Tampering.signed(token, claims, stranger),
            Tampering.altered(token, claims.deepCopy().put("iat", 1)),
            Tampering.unsigned(claims),
            token + ".",
            "eval"
        }) {
            denial(body).put("binding_token", bad);
            problem(at.submit(body), 400, UNBOUND);
        }
        denial(body).put("binding_token", token);
        taken(at.submit(body));
        problem(Asks.submit(server, server.key("alice"), body), 400, UNBOUND);
    }

    @Test
    @DisplayName(
            "AR-23: the earlier of the token's expiry and the denial's counts, and what is echoed must be what was said")
    void deadline() throws Exception {
        problem(
                with(
                        claims -> {},
                        denial -> denial.put(
                                "expires_at", Instant.now().plusSeconds(3_600).toString())),
                400,
                UNBOUND);
        String past = Instant.now().minusSeconds(120).toString();
        problem(
                with(claims -> claims.put("denial_expires_at", past), denial -> denial.put("expires_at", past)),
                410,
                "expired_denial");
        problem(
                with(claims -> claims.put("exp", Instant.now().minusSeconds(120).getEpochSecond()), denial -> {}),
                410,
                "expired_denial");
        problem(
                with(
                        claims -> {
                            claims.remove("denial_expires_at");
                            claims.put("exp", Instant.now().plusSeconds(3_600).getEpochSecond());
                        },
                        denial -> {}),
                400,
                UNBOUND);
    }

    @Test
    @DisplayName("AR-24, AR-64: bound by its id, a denial ends when its record says, whatever is echoed")
    void recordedDeadline() throws Exception {
        ObjectNode late = at.byId(Asks.call("pay"));
        denial(late).put("expires_at", Instant.now().plusSeconds(36_000).toString());
        at.denialEnds(late.at("/denial/evaluation_id").asText(), -120);
        problem(at.submit(late), 410, "expired_denial");
        ObjectNode inTime = at.byId(Asks.call("pay"));
        denial(inTime).put("expires_at", "2020-01-01T00:00:00Z");
        taken(at.submit(inTime));
    }

    @Test
    @DisplayName(
            "AR-25: calls are compared value by value: 1 is 1.0 and not \"1\", nothing is not null, and order is order")
    void comparison() {
        ObjectNode call = Asks.call("pay");
        ObjectNode arguments = call.withObject("/resource/properties");
        arguments.put("amount", 1).putArray("to").add("a").add("b");
        ObjectNode subject = call.withObjectProperty("subject");
        subject.putObject("properties").put("team", "red").putObject("act").put("sub", "bot");
        for (boolean byId : new boolean[] {false, true}) {
            unlike(call, byId, same -> same.withObject("/resource/properties").put("amount", "1"));
            unlike(call, byId, same -> same.withObject("/resource/properties").putNull("memo"));
            unlike(
                    call,
                    byId,
                    same -> same.withObject("/resource/properties")
                            .putArray("to")
                            .add("b")
                            .add("a"));
            unlike(call, byId, same -> same.withObject("/resource/properties").remove("to"));
            unlike(call, byId, same -> same.withObject("/subject/properties").put("team", "re\u0301d"));
            unlike(call, byId, same -> same.withObject("/subject").remove("properties"));
            unlike(call, byId, same -> same.withObject("/action").put("name", "Pay"));
            ObjectNode same = byId ? at.byId(call) : at.submission(call);
            same.withObject("/resource/properties").put("amount", 1.0);
            same.withObject("/subject/properties").remove("act");
            taken(at.submit(same));
        }
    }

    private static void unlike(ObjectNode call, boolean byId, Consumer<ObjectNode> change) {
        ObjectNode body = byId ? at.byId(call) : at.submission(call);
        change.accept(body);
        problem(at.submit(body), 400, UNBOUND);
    }

    @Test
    @DisplayName("AR-26: the hash in a token is the one that anybody computes by the profile's construction")
    void hash() throws Exception {
        ObjectNode call = Asks.call("pay");
        call.withObjectProperty("subject")
                .putObject("properties")
                .putObject("act")
                .put("sub", "bot");
        call.withObjectProperty("context").put("time", "now");
        String canonical = "{\"action\":{\"name\":\"pay\"},\"context\":{\"confidence\":0.5},"
                + "\"resource\":{\"id\":\"pay\",\"properties\":{\"amount\":100},\"type\":\"tool\"},"
                + "\"subject\":{\"id\":\"planner\",\"properties\":{},\"type\":\"agent\"}}";
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(canonical.getBytes(StandardCharsets.UTF_8));
        String token = at.submission(call).at("/denial/binding_token").asText();
        assertThat(Tampering.claims(token).path("binding_hash").asText())
                .isEqualTo(Base64.getUrlEncoder().withoutPadding().encodeToString(digest));
    }

    @Test
    @DisplayName("AR-27: a binding token is a compact JWS, and is all that a submission needs")
    void compact() throws Exception {
        ObjectNode body = at.submission(Asks.call("pay"));
        denial(body).remove("evaluation_id");
        assertThat(Tampering.header(body.at("/denial/binding_token").asText())
                        .path("alg")
                        .asText())
                .isEqualTo("ES256");
        taken(at.submit(body));
    }

    @Test
    @DisplayName("AR-28: a submission may say more in its context, but not change, drop or add what rules read")
    void augmented() {
        ObjectNode more = at.submission(Asks.call("pay"));
        more.withObjectProperty("context")
                .put("business_justification", "the invoice is due")
                .put("ticket", "T-1");
        String id = task(taken(at.submit(more)));
        assertThat(at.seen(id).path("description").asText()).isEqualTo("the invoice is due");
        ObjectNode draft = at.submission(Asks.call("pay"));
        draft.withObjectProperty("context").put("mode", "draft");
        problem(at.submit(draft), 400, UNBOUND);
        ObjectNode dropped = at.submission(Asks.call("pay"));
        dropped.withObjectProperty("context").remove("confidence");
        problem(at.submit(dropped), 400, UNBOUND);
    }

    @Test
    @DisplayName(
            "AR-29, AR-64: one key means one task for one requester, whatever the order of members, also on another server")
    void idempotent() throws IOException {
        ObjectNode body = at.submission(Asks.call("pay"));
        Reply first = taken(at.submit(body, "Idempotency-Key", "k-1"));
        ObjectNode turned = JsonNodeFactory.instance.objectNode();
        for (String name : new String[] {"denial", "context", "resource", "action", "subject"}) {
            turned.set(name, body.get(name));
        }
        try (var restarted = server.another(Map.of(), RunningServer.checkout("rules/packs/base"))) {
            Reply again = Asks.submit(restarted, at.agent(), turned, "Idempotency-Key", "k-1");
            assertThat(again.status()).as(again.body()).isEqualTo(200);
            assertThat(task(again)).isEqualTo(task(first));
        }
        problem(at.submit(at.submission(Asks.call("pay")), "Idempotency-Key", "k-1"), 409, "duplicate_request");
        String another = at.service("another");
        ObjectNode others = Asks.submission(Asks.call("pay"), Asks.denied(server, another, Asks.call("pay")));
        Reply other = taken(Asks.submit(server, another, others, "Idempotency-Key", "k-1"));
        assertThat(task(other)).isNotEqualTo(task(first));
    }

    @Test
    @DisplayName("AR-30: whom a submission names as its actor is kept, and decides nothing")
    void claimedActor() {
        ObjectNode body = at.submission(Asks.call("pay"));
        body.putObject("client")
                .putObject("actor")
                .put("id", "alice")
                .putObject("act")
                .put("sub", "bob")
                .put("iss", "x");
        // Whom a requester names can only be kept from reviewing: here that leaves nobody.
        problem(at.submit(body), 400, "not_requestable");
        ObjectNode named = at.submission(Asks.call("pay"));
        named.putObject("client").putObject("actor").put("id", "dora");
        String id = task(taken(at.submit(named)));
        assertThat(at.seen(id).path("requested_by").asText()).isEqualTo("dora");
        assertThat(at.seen(id).path("requested_by_id").asText()).isNotEqualTo("dora");
    }

    @Test
    @DisplayName("AR-31: a task is bound to the call, the denial and the requester")
    void binds() {
        ObjectNode call = Asks.call("pay");
        ObjectNode body = at.submission(call);
        JsonNode seen = at.seen(task(taken(at.submit(body))));
        assertThat(seen.path("decision_id").asText())
                .isEqualTo(body.at("/denial/evaluation_id").asText());
        assertThat(seen.path("payload")).isEqualTo(call);
        assertThat(seen.path("digest").asText()).isNotEmpty();
        assertThat(seen.path("requested_by_id").asText()).isNotEmpty();
        assertThat(seen.path("bound_context")).extracting(JsonNode::asText).contains("confidence");
    }

    @Test
    @DisplayName("AR-32: a requester may want an approval for less long, and an emergency is nothing but a word")
    void requestedAccess() {
        ObjectNode body = at.submission(Asks.call("pay"));
        Instant until = Instant.now().plusSeconds(60);
        body.putObject("requested_access")
                .put("requested_until", until.toString())
                .put("emergency", true);
        String id = task(taken(at.submit(body)));
        assertThat(at.task(id).json().at("/task/status").asText()).isEqualTo("pending");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        Instant approved = Instant.parse(
                Asks.approval(server, at.agent(), id).path("approved_until").asText());
        assertThat(approved).isBeforeOrEqualTo(until);
        ObjectNode longer = at.submission(Asks.call("pay"));
        longer.putObject("requested_access")
                .put("requested_until", Instant.now().plusSeconds(864_000).toString());
        String other = task(taken(at.submit(longer)));
        assertThat(at.approve("alice", other).status()).isEqualTo(200);
        assertThat(Instant.parse(Asks.approval(server, at.agent(), other)
                        .path("approved_until")
                        .asText()))
                .isBefore(Instant.now().plusSeconds(3_600));
    }
}
