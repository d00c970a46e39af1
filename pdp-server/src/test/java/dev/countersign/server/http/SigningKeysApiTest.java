package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The operator rotates the keys that sign, for every server on the database. */
@ExtendWith(PostgresExtension.class)
class SigningKeysApiTest {
    private static final String PATH = "/api/v1/signing-keys";

    private static Approving at;
    private static RunningServer one;
    private static RunningServer two;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        at = Approving.start(database);
        one = at.server();
        two = one.another(Map.of(), RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        two.close();
        one.close();
    }

    private static JsonNode rotate(String body) {
        Reply reply = one.post(PATH + "/rotate", one.key("operator"), body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().path("signing_keys");
    }

    private static List<String> published(RunningServer server) {
        return server.get("/access/v1/jwks").json().findValuesAsText("kid");
    }

    private static String kid(ObjectNode submission) throws Exception {
        return Tampering.header(submission.at("/denial/binding_token").asText())
                .path("kid")
                .asText();
    }

    private static Reply submit(RunningServer server, JsonNode submission) {
        return Asks.submit(server, at.agent(), submission);
    }

    @Test
    void whatTheKeyBeforeHasSignedIsTakenByEveryServerAfterARotation() throws Exception {
        ObjectNode first = at.submission(Asks.call("first"));
        ObjectNode second = at.submission(Asks.call("second"));
        JsonNode keys = rotate("{}");
        assertThat(keys.path(0).path("id").asText()).isNotEqualTo(kid(first));
        assertThat(keys.path(1).path("id").asText()).isEqualTo(kid(first));
        assertThat(kid(at.submission(Asks.call("third"))))
                .isEqualTo(keys.path(0).path("id").asText());
        assertThat(submit(one, first).status()).isEqualTo(202);
        assertThat(submit(two, second).status()).isEqualTo(202);
        assertThat(published(one)).contains(kid(first));
    }

    @Test
    void whatRevokedKeysHaveSignedIsTakenByNoServer() throws Exception {
        ObjectNode leaked = at.submission(Asks.call("leaked"));
        JsonNode keys = rotate("{\"revoke\": true}");
        String next = keys.path(0).path("id").asText();
        assertThat(keys.path(1).path("state").asText()).isEqualTo("revoked");
        assertThat(keys.path(1).path("revoked_by").asText())
                .isEqualTo(one.key("operator").substring(0, 12));
        problem(submit(one, leaked), 400, "invalid_denial_binding");
        RunningServer.until(
                "the other server has heard of it", () -> published(two).equals(List.of(next)));
        problem(submit(two, leaked), 400, "invalid_denial_binding");
        assertThat(published(one)).containsExactly(next);
        ObjectNode fresh = at.submission(Asks.call("fresh"));
        assertThat(kid(fresh)).isEqualTo(next);
        assertThat(submit(two, fresh).status()).isEqualTo(202);
    }

    @Test
    void anApprovalIsStillGoodByItsIdAndNoMoreByWhatARevokedKeyHasSigned() {
        JsonNode call = Asks.call("granted");
        ObjectNode approval = (ObjectNode) at.approved(call);
        rotate("{\"revoke\": true}");
        JsonNode signed = at.ask(Asks.with(call, approval));
        assertThat(Reply.decision(signed)).isFalse();
        assertThat(signed.at("/context/reason").asText()).isEqualTo("approval_unverifiable");
        approval.remove("state");
        assertThat(Reply.decision(at.ask(Asks.with(call, approval)))).isTrue();
    }

    @Test
    void nobodyButTheOperatorSeesOrRotatesThem() {
        assertThat(one.get(PATH, one.key("operator")).status()).isEqualTo(200);
        assertThat(one.get(PATH, one.key("admin")).status()).isEqualTo(403);
        assertThat(one.post(PATH + "/rotate", one.key("admin"), "{}").status()).isEqualTo(403);
        assertThat(one.post(PATH + "/rotate", one.key("operator"), "{\"revoke\": \"yes\"}")
                        .status())
                .isEqualTo(422);
    }
}
