package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What discovery says, and what a denial says that can be asked for. */
@ExtendWith(PostgresExtension.class)
class RequestableDenialTest {
    private static final String METADATA = "/.well-known/authzen-configuration";

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

    private static String path(JsonNode metadata, String member) {
        return metadata.path(member).asText().substring(server.url().length());
    }

    private static String token(JsonNode denied) {
        return denied.at("/context/access_request/binding_token").asText();
    }

    @Test
    @DisplayName(
            "AR-1: metadata names the endpoint that takes access requests, an https URL wherever others can reach it")
    void endpoint() throws IOException {
        JsonNode metadata = server.get(METADATA).json();
        ObjectNode call = Asks.call("pay");
        Reply submitted = server.post(
                path(metadata, "access_request_endpoint"),
                at.agent(),
                at.submission(call).toString());
        assertThat(submitted.status()).as(submitted.body()).isEqualTo(202);
        String url = "https://pdp.example.com/authz";
        try (var named = server.another(Map.of("PUBLIC_URL", url), RunningServer.checkout("rules/packs/base"))) {
            JsonNode said = named.get(METADATA).json();
            assertThat(said.path("access_request_endpoint").asText()).isEqualTo(url + Asks.REQUESTS);
            assertThat(said.path("jwks_uri").asText()).startsWith(url);
        }
    }

    @Test
    @DisplayName("AR-2: the capability is listed")
    void capability() {
        assertThat(server.get(METADATA).json().path("capabilities"))
                .extracting(JsonNode::asText)
                .contains("urn:openid:authzen:capability:access-request");
    }

    @Test
    @DisplayName("AR-3: whoever has the published keys can verify a token, and they are public keys alone")
    void keys() throws Exception {
        Reply keys = server.get(path(server.get(METADATA).json(), "jwks_uri"));
        assertThat(keys.status()).isEqualTo(200);
        assertThat(keys.header("Content-Type")).isEqualTo("application/jwk-set+json");
        for (JsonNode key : keys.json().path("keys")) {
            assertThat(Approving.names(key)).contains("kid", "use").doesNotContain("d");
            assertThat(key.path("use").asText()).isEqualTo("sig");
        }
        JWSObject token = JWSObject.parse(token(Asks.denied(server, at.agent(), Asks.call("pay"))));
        ECKey key = JWKSet.parse(keys.body())
                .getKeyByKeyId(token.getHeader().getKeyID())
                .toECKey();
        assertThat(token.verify(new ECDSAVerifier(key))).isTrue();
        assertThat(Reply.parse(token.getPayload().toString()).path("iss").asText())
                .isNotEmpty();
    }

    @Test
    @DisplayName("AR-4: a token of a key that this server has not seen yet is good once it has looked for it")
    void unknownKey() throws Exception {
        assertThat(server.get("/access/v1/jwks").header("Cache-Control")).contains("max-age=");
        ObjectNode submission = at.submission(Asks.call("pay"));
        String token = submission.at("/denial/binding_token").asText();
        ECKey next = Tampering.newKey();
        ObjectNode denial = (ObjectNode) submission.path("denial");
        denial.put("binding_token", Tampering.signed(token, Tampering.claims(token), next));
        problem(at.submit(submission), 400, "invalid_denial_binding");
        at.sql("""
                insert into signing_keys (kid, algorithm, public_jwk, private_jwk, sign_from, sign_until, publish_until)
                values ('%s', 'ES256', '%s', '%s', now() + interval '1 day', now() + interval '2 days', now() + interval '3 days')""".formatted(next.getKeyID(), next.toPublicJWK().toJSONString(), next.toJSONString()));
        Reply taken = at.submit(submission);
        assertThat(taken.status()).as(taken.body()).isEqualTo(202);
    }

    @Test
    @DisplayName("AR-5: only a denial that humans can lift says how to ask for it")
    void onlyRequestable() throws IOException {
        ObjectNode sure = Asks.call("pay");
        sure.withObjectProperty("context").put("confidence", 0.99);
        JsonNode allowed = at.ask(sure);
        assertThat(Reply.decision(allowed)).isTrue();
        assertThat(allowed.path("context").has("access_request")).isFalse();
        try (var strict =
                server.another(Map.of("APPROVALS_DENYLIST", "pay"), RunningServer.checkout("rules/packs/base"))) {
            JsonNode denied = Approving.ask(strict, at.agent(), Asks.call("pay"));
            assertThat(Reply.decision(denied)).isFalse();
            assertThat(denied.path("context").has("access_request")).isFalse();
        }
    }

    @Test
    @DisplayName("AR-6: a requestable denial says until when")
    void expires() {
        JsonNode denied = Asks.denied(server, at.agent(), Asks.call("pay"));
        Instant until =
                Instant.parse(denied.at("/context/access_request/expires_at").asText());
        assertThat(until)
                .isAfter(Instant.parse(denied.at("/context/evaluated_at").asText()));
    }

    @Test
    @DisplayName("AR-7: a requestable denial can be bound by its token, or by its id; an item of a batch by its id")
    void bound() {
        JsonNode denied = Asks.denied(server, at.agent(), Asks.call("pay"));
        assertThat(token(denied).split("\\.")).hasSize(3);
        ObjectNode batch = JsonNodeFactory.instance.objectNode();
        batch.putArray("evaluations").add(Asks.call("one")).add(Asks.call("two"));
        JsonNode items = server.post("/access/v1/evaluations", at.agent(), batch.toString())
                .json()
                .path("evaluations");
        assertThat(items).hasSize(2);
        Reply submitted = at.submit(Asks.submission(Asks.call("two"), items.get(1)));
        assertThat(submitted.status()).as(submitted.body()).isEqualTo(202);
    }

    @Test
    @DisplayName(
            "AR-8: the id of an evaluation stays the same and is no other's, and binds no longer than the denial says")
    void evaluationId() throws Exception {
        ObjectNode batch = JsonNodeFactory.instance.objectNode();
        ArrayNode items = batch.putArray("evaluations");
        for (int i = 0; i < 1_000; i++) {
            items.add(Asks.call("pay"));
        }
        var ids = new HashSet<String>();
        for (JsonNode item : server.post("/access/v1/evaluations", at.agent(), batch.toString())
                .json()
                .path("evaluations")) {
            ids.add(item.at("/context/evaluation_id").asText());
        }
        assertThat(ids).hasSize(1_000);
        ObjectNode submission = at.byId(Asks.call("pay"));
        String id = submission.at("/denial/evaluation_id").asText();
        assertThat(server.record(id, server.key("admin")).path("id").asText()).isEqualTo(id);
        at.denialEnds(id, -120);
        problem(at.submit(submission), 410, "expired_denial");
    }

    @Test
    @DisplayName("AR-9: a requestable denial says why, by a word, and when")
    void reason() {
        JsonNode context = Asks.denied(server, at.agent(), Asks.call("pay")).path("context");
        assertThat(context.path("reason").asText()).isEqualTo("approval_required");
        assertThat(UUID.fromString(context.path("evaluation_id").asText())).isNotNull();
        assertThat(Instant.parse(context.path("evaluated_at").asText())).isNotNull();
    }

    @Test
    @DisplayName("AR-11: no form, schema or catalogue is named that is not there")
    void noForms() {
        JsonNode asked = Asks.denied(server, at.agent(), Asks.call("pay")).at("/context/access_request");
        assertThat(Approving.names(asked)).containsExactlyInAnyOrder("template", "expires_at", "binding_token");
    }

    @Test
    @DisplayName("AR-12: the members of the context that bind stand in the token, and no others bind")
    void boundContext() throws Exception {
        ObjectNode call = Asks.call("pay");
        call.withObjectProperty("context").put("time", "09:00").put("app", "ledger");
        JsonNode denied = Asks.denied(server, at.agent(), call);
        assertThat(Tampering.claims(token(denied)).path("binding_context_members"))
                .extracting(JsonNode::asText)
                .contains("confidence", "app")
                .doesNotContain("time", "approval", "execution_id");

        ObjectNode later = Asks.submission(call, denied);
        later.withObjectProperty("context").put("time", "10:00").put("trace", "x");
        ObjectNode surer = Asks.submission(call, denied);
        surer.withObjectProperty("context").put("confidence", 0.6);
        ObjectNode elsewhere = Asks.submission(call, denied);
        elsewhere.withObjectProperty("context").remove("app");
        for (ObjectNode each : List.of(surer, elsewhere)) {
            problem(at.submit(each), 400, "invalid_denial_binding");
            ((ObjectNode) each.path("denial")).remove("binding_token");
            problem(at.submit(each), 400, "invalid_denial_binding");
        }
        assertThat(at.submit(later).status()).isEqualTo(202);
    }

    @Test
    @DisplayName(
            "AR-72: a denial that has just ended is taken all the same, as clocks differ, and one a minute later is not")
    void tolerance() throws Exception {
        ObjectNode just = at.byId(Asks.call("pay"));
        at.denialEnds(just.at("/denial/evaluation_id").asText(), -5);
        assertThat(at.submit(just).status()).isEqualTo(202);
        ObjectNode late = at.byId(Asks.call("pay"));
        at.denialEnds(late.at("/denial/evaluation_id").asText(), -61);
        problem(at.submit(late), 410, "expired_denial");
    }
}
