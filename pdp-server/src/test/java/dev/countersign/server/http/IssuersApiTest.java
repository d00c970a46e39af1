package dev.countersign.server.http;

import static dev.countersign.server.http.Issued.ISSUERS;
import static dev.countersign.server.http.Issued.ask;
import static dev.countersign.server.http.Issued.person;
import static dev.countersign.server.http.Issued.register;
import static dev.countersign.server.http.Issued.registration;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.server.issuers.Idp;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Issuers are registered, changed and disabled while servers run, and tokens let in by what is registered. */
@ExtendWith(PostgresExtension.class)
class IssuersApiTest {
    private static final ECKey KEY = Idp.ec("one");

    private static Idp idp;
    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        idp = new Idp(KEY);
        var outbound = Map.of("COUNTERSIGN_EGRESS", idp.origin() + ", keys.example");
        Path pack = RunningServer.checkout("examples/authzen-certification");
        server = RunningServer.start(database, database.port(), outbound, pack);
        other = server.another(outbound, pack);
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
        idp.close();
    }

    private static String admin() {
        return server.key("admin");
    }

    private static String token(String audience, String sub, String... roles) {
        return Idp.sign(KEY, idp.claims(audience, sub, roles).build());
    }

    private static Reply disable(RunningServer at, String id, boolean disabled) {
        return at.put(
                ISSUERS + "/" + id,
                admin(),
                Issued.terms(idp).put("disabled", disabled).toString());
    }

    @Test
    void aTokenOfARegisteredIssuerIsAsGoodAsAKeyOnEveryServer() {
        assertThat(ask(server, token("new", "bot", "agents")).status()).isEqualTo(401);
        register(server, admin(), registration(idp, "new"));
        String token = token("new", "bot", "agents");
        assertThat(ask(server, token).status()).isEqualTo(200);
        RunningServer.until("the other server takes it", () -> ask(other, token).status() == 200);
        Reply decided = ask(server, token);
        JsonNode record =
                server.record(decided.json().at("/context/evaluation_id").asText(), admin());
        assertThat(record.toString()).contains("jwt:");
    }

    @Test
    void theRolesAreWhatTheMapSaysAndNothingElse() {
        register(server, admin(), registration(idp, "mapped"));
        assertThat(ask(server, token("mapped", "bot", "decide", "admin", "operator"))
                        .status())
                .isEqualTo(403);
        assertThat(ask(server, token("mapped", "bot", "agents")).status()).isEqualTo(200);
        assertThat(server.get(ISSUERS, token("mapped", "bot", "agents")).status())
                .isEqualTo(403);
        assertThat(server.get(ISSUERS, token("mapped", "root", "admins")).status())
                .isEqualTo(200);
    }

    @Test
    void rolesAreFoundAtAPointerAndInATextWithSpaces() {
        ObjectNode nested = registration(idp, "nested").put("roles_claim", "/realm~1access/all");
        register(server, admin(), nested);
        String token = Idp.sign(
                KEY,
                idp.claims("nested", "bot")
                        .claim("realm/access", Map.of("all", "other agents"))
                        .build());
        assertThat(ask(server, token).status()).isEqualTo(200);
    }

    @Test
    void anAdministratorWithATokenChangesThingsAndIsWrittenDown() {
        String id = register(server, admin(), registration(idp, "admins"));
        String token = token("admins", "root", "admins");
        Reply made = server.post(Managing.KEYS, token, "{\"name\": \"by-token\", \"roles\": [\"decide\"]}");
        assertThat(Managing.made(made).path("created_by").asText()).startsWith("jwt:" + id + ":");
    }

    @Test
    void aDisabledIssuerIsObeyedAtOnceHereAndSoonEverywhereAndMayComeBack() {
        String id = register(server, admin(), registration(idp, "leaver"));
        String token = token("leaver", "bot", "agents");
        RunningServer.until("the other server takes it", () -> ask(other, token).status() == 200);
        assertThat(disable(server, id, true).json().path("disabled_by").asText())
                .isEqualTo(admin().substring(0, 12));
        assertThat(ask(server, token).status()).isEqualTo(401);
        RunningServer.until(
                "the other server refuses it", () -> ask(other, token).status() == 401);
        assertThat(disable(server, id, false).json().path("disabled").booleanValue())
                .isFalse();
        RunningServer.until("it is taken again", () -> ask(server, token).status() == 200);
    }

    @Test
    void aForgottenIssuerIsGoneAndItsAudienceFree() {
        String id = register(server, admin(), registration(idp, "gone"));
        person(server, id, "ann", "Ann", false);
        assertThat(server.delete(ISSUERS + "/" + id, admin()).status()).isEqualTo(200);
        assertThat(ask(server, token("gone", "ann", "agents")).status()).isEqualTo(401);
        assertThat(server.get(ISSUERS + "/" + id, admin()).status()).isEqualTo(404);
        assertThat(server.delete(ISSUERS + "/" + id, admin()).status()).isEqualTo(404);
        assertThat(server.get(Issued.subject(id, "ann"), admin()).status()).isEqualTo(404);
        register(server, admin(), registration(idp, "gone"));
    }

    @Test
    void oneIssuerAndAudienceIsOfOneTenant() {
        String theirs = Managing.tenant(server, "theirs");
        register(server, admin(), registration(idp, "mine"));
        Reply taken = server.post(ISSUERS, theirs, registration(idp, "mine").toString());
        assertThat(taken.status()).as(taken.body()).isEqualTo(409);
        assertThat(taken.body()).contains("issuer_taken");
        register(server, theirs, registration(idp, "yours"));
        assertThat(server.get(ISSUERS, token("yours", "root", "admins")).json().path("issuers"))
                .singleElement()
                .satisfies(one -> assertThat(one.path("audience").asText()).isEqualTo("yours"));
    }

    @Test
    void aSubjectIsThePersonThatAnAdministratorSaysAndIsSeen() {
        String id = register(server, admin(), registration(idp, "people"));
        for (String sub : new String[] {"auth0|1/2", "x y", "ä"}) {
            JsonNode said = person(server, id, sub, "Nina", true);
            assertThat(said.path("sub").asText()).isEqualTo(sub);
            assertThat(server.get(Issued.subject(id, sub), admin()).json()).isEqualTo(said);
        }
        JsonNode page =
                server.get(ISSUERS + "/" + id + "/subjects?limit=2", admin()).json();
        assertThat(page.path("subjects")).hasSize(2);
        assertThat(page.path("next").asText()).isEqualTo("x y");
        assertThat(page.at("/subjects/0/person")).isEqualTo(page.at("/subjects/1/person"));
        assertThat(server.delete(Issued.subject(id, "x y"), admin()).status()).isEqualTo(200);
        assertThat(server.get(Issued.subject(id, "x y"), admin()).status()).isEqualTo(404);
        assertThat(server.put(Issued.subject(id, "a\tb"), admin(), "{\"person\": \"Nina\"}")
                        .status())
                .isEqualTo(422);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "algorithms | [\"HS256\"]",
                "algorithms | [\"none\"]",
                "algorithms | []",
                "jwks_uri | \"http://keys.example/jwks\"",
                "jwks_uri | \"https://elsewhere.example/jwks\"",
                "jwks_uri | \"http://127.0.0.1:1/jwks\"",
                "jwks_uri | \"file:///etc/passwd\"",
                "jwks_uri | \"https://user@keys.example/jwks\"",
                "jwks_uri | \"not a URL\"",
                "roles_claim | null",
                "role_map | {}",
                "role_map | {\"x\": []}",
                "role_map | {\"x\": [\"operator\"]}",
                "role_map | {\"x\": [\"root\"]}",
                "role_map | {\"x\": \"decide\"}",
                "issuer | null",
                "audience | null",
                "tenant | \"demo\""
            })
    void whatCannotBeRegisteredIsRefused(String member, String value) {
        ObjectNode body = registration(idp, "refused");
        body.set(member, Reply.parse(value));
        Reply reply = server.post(ISSUERS, admin(), body.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(422);
        assertThat(reply.body()).contains(member);
    }
}
