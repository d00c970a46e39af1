package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.issuers.Idp;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What tests do that have tokens let in. */
final class Issued {
    static final String ISSUERS = "/api/v1/issuers";

    private static final String CALL = """
            {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1"}}""";

    private Issued() {}

    /** How tokens of an issuer are judged in most tests. */
    static ObjectNode terms(Idp idp) {
        ObjectNode terms = JsonNodeFactory.instance.objectNode();
        terms.put("jwks_uri", idp.jwks());
        terms.putArray("algorithms").add("ES256").add("RS256");
        terms.put("roles_claim", Idp.ROLES);
        ObjectNode map = terms.putObject("role_map");
        map.putArray("agents").add("decide");
        map.putArray("reviewers").add("decide").add("approvals.read").add("approvals.approve");
        map.putArray("admins").add("admin");
        return terms;
    }

    static ObjectNode registration(Idp idp, String audience) {
        return terms(idp).put("issuer", idp.issuer()).put("audience", audience);
    }

    /** The id of an issuer that an administrator registers, once the server has read its keys. */
    static String register(RunningServer server, String admin, JsonNode registration) {
        String id = Managing.made(server.post(ISSUERS, admin, registration.toString()))
                .path("id")
                .asText();
        RunningServer.until(
                "the keys are read",
                () -> server.get(ISSUERS + "/" + id, admin)
                        .json()
                        .at("/keys/read_at")
                        .isTextual());
        return id;
    }

    static String subject(String issuer, String sub) {
        return ISSUERS + "/" + issuer + "/subjects/"
                + URLEncoder.encode(sub, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Has an administrator say who is behind a subject. */
    static JsonNode person(RunningServer server, String issuer, String sub, String person, boolean approves) {
        Reply reply = server.put(
                subject(issuer, sub),
                server.key("admin"),
                "{\"person\": \"" + person + "\", \"approves\": " + approves + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    /** The answer to a question of whoever shows a token. */
    static Reply ask(RunningServer at, String token) {
        return at.post("/access/v1/evaluation", token, CALL);
    }

    /** A pack by which the tool `pair` takes two persons. */
    static Path pairs(Path directory) throws IOException {
        return RunningServer.pack(directory, """
                name: pairs
                version: 1.0.0
                approvals:
                  two:
                    stages: [{name: pair, quorum: 2, roles: [approvals.approve]}]
                    decide_within: 1h
                    use_within: 15m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package pairs

                rule "pair"
                when
                  Request( action == "pair" )
                then
                  decision.requireApproval("PAIR", "two");
                end
                """);
    }
}
