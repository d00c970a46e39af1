package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys are made, listed, rotated and revoked while servers run, each in its own plane. */
@ExtendWith(PostgresExtension.class)
class KeysApiTest {
    private static final String KEYS = "/api/v1/keys";
    private static final String TENANTS = "/api/v1/tenants";
    private static final String CALL = """
            {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1"}}""";

    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
        other = server.another(Map.of(), RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
    }

    private static Reply post(RunningServer to, String path, String secret, String body) {
        return to.send(to.request(path, secret)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    private static JsonNode made(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(201);
        return reply.json();
    }

    private static JsonNode key(String body) {
        return made(post(server, KEYS, server.key("admin"), body));
    }

    private static int decides(RunningServer at, JsonNode key) {
        return post(at, "/access/v1/evaluation", key.path("secret").asText(), CALL)
                .status();
    }

    private static String path(JsonNode key) {
        return KEYS + "/" + key.path("id").asText();
    }

    /** A tenant of its own, and its administrator's secret. */
    private static String tenant(String id) {
        return made(post(
                        server,
                        TENANTS,
                        server.key("operator"),
                        "{\"id\": \"" + id + "\", \"administrator\": \"Ada\"}"))
                .at("/key/secret")
                .asText();
    }

    @Test
    void aKeyWorksAtOnceWhereItWasMadeAndSoonEverywhere() {
        JsonNode key = key("{\"name\": \"invoices\", \"roles\": [\"decide\"]}");
        assertThat(decides(server, key)).isEqualTo(200);
        RunningServer.until("the other server knows the key", () -> decides(other, key) == 200);
        assertThat(key.path("secret").asText()).startsWith(key.path("id").asText() + "_");
        assertThat(key.has("person")).isFalse();
        assertThat(key.path("created_by").asText())
                .isEqualTo(server.key("admin").substring(0, 12));
    }

    @Test
    void aSecretIsShownOnceAndNeverAgain() {
        JsonNode key = key("{\"name\": \"once\", \"roles\": [\"decide\"]}");
        String secret = key.path("secret").asText();
        for (String path : List.of(path(key), KEYS + "?limit=200")) {
            Reply reply = server.get(path, server.key("admin"));
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).contains(key.path("id").asText()).doesNotContain(secret);
        }
    }

    @Test
    void aRevokedKeyIsRefusedAtOnceWhereItWasRevokedAndSoonEverywhere() {
        JsonNode key = key("{\"name\": \"leaver\", \"roles\": [\"decide\"]}");
        RunningServer.until("the other server knows the key", () -> decides(other, key) == 200);
        Reply reply = server.delete(path(key), server.key("admin"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.json().path("state").asText()).isEqualTo("revoked");
        assertThat(decides(server, key)).isEqualTo(401);
        RunningServer.until("the other server refuses the key", () -> decides(other, key) == 401);
        Reply again = other.delete(path(key), server.key("admin"));
        assertThat(again.json().path("revoked_at")).isEqualTo(reply.json().path("revoked_at"));
    }

    @Test
    void aRotatedKeyWorksBesideTheNewOneUntilTheOverlapIsOver() {
        JsonNode old =
                key("{\"name\": \"rota\", \"roles\": [\"decide\", \"approvals.approve\"], \"person\": \"Rita\"}");
        JsonNode next = made(post(server, path(old) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 3600}"));
        assertThat(decides(server, old)).isEqualTo(200);
        assertThat(decides(server, next)).isEqualTo(200);
        assertThat(next.path("replaces")).isEqualTo(old.path("id"));
        for (String same : List.of("name", "roles", "person")) {
            assertThat(next.path(same)).isEqualTo(old.path(same));
        }
        JsonNode ending = server.get(path(old), server.key("admin")).json();
        assertThat(Instant.parse(ending.path("expires_at").asText()))
                .isBetween(
                        Instant.parse(next.path("created_at").asText()).plusSeconds(3599),
                        Instant.parse(next.path("created_at").asText()).plusSeconds(3601));
        JsonNode last = made(post(server, path(next) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 0}"));
        assertThat(decides(server, next)).isEqualTo(401);
        assertThat(decides(server, last)).isEqualTo(200);
        failed(post(server, path(next) + "/rotate", server.key("admin"), "{}"), KEYS, 409);
    }

    @Test
    void aKeyStopsWorkingWhenItsTimeIsOver() {
        Instant soon = Instant.now().plusMillis(1_500);
        JsonNode key = key("{\"name\": \"short\", \"roles\": [\"decide\"], \"expires_at\": \"" + soon + "\"}");
        RunningServer.until("the key is refused", () -> decides(server, key) == 401);
        assertThat(Instant.now()).isAfterOrEqualTo(soon);
        assertThat(server.get(path(key), server.key("admin"))
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("expired");
    }

    @Test
    void keysOfOneHumanAreOfOnePersonHoweverTheNameIsSpelled() {
        JsonNode one = key("{\"name\": \"laptop\", \"roles\": [\"decide\"], \"person\": \"Grace Hopper\"}");
        JsonNode two = key("{\"name\": \"phone\", \"roles\": [\"decide\"], \"person\": \" grace hopper \"}");
        assertThat(two.path("person")).isEqualTo(one.path("person"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{}|`name` is missing",
                "{\"name\": \"x\"}|`roles` is missing",
                "{\"name\": \"x\", \"roles\": []}|`roles` is missing",
                "{\"name\": \" \", \"roles\": [\"decide\"]}|`name` is a text",
                "{\"name\": \"x\", \"roles\": \"decide\"}|`roles` is a list",
                "{\"name\": \"x\", \"roles\": [\"root\"]}|`roles` are of decide",
                "{\"name\": \"x\", \"roles\": [\"operator\"]}|`roles` are of decide",
                "{\"name\": \"x\", \"roles\": [\"decide\", 1]}|`roles` is a list of texts",
                "{\"name\": \"x\", \"roles\": [\"approvals.approve\"]}|services never approve",
                "{\"name\": \"x\", \"roles\": [\"approvals.break_glass\"]}|services never approve",
                "{\"name\": \"x\", \"roles\": [\"decide\"], \"tenant\": \"acme\"}|no member `tenant`",
                "{\"name\": \"x\", \"roles\": [\"decide\"], \"expires_at\": \"soon\"}|`expires_at` is a time",
                "{\"name\": \"x\", \"roles\": [\"decide\"], \"expires_at\": \"2020-01-01T00:00:00Z\"}|`expires_at` is over"
            })
    void aKeyThatCannotBeIsRefusedWithTheReason(String body, String reason) {
        Reply reply = post(server, KEYS, server.key("admin"), body);
        failed(reply, KEYS, 422);
        assertThat(reply.json().path("detail").asText()).contains(reason);
    }

    @Test
    void theLastKeyThatManagesKeysIsNotRevoked() {
        String admin = tenant("solo");
        String id = KEYS + "/" + admin.substring(0, 12);
        failed(server.delete(id, admin), KEYS, 409);
        made(post(server, KEYS, admin, "{\"name\": \"second\", \"roles\": [\"admin\"], \"person\": \"Ada\"}"));
        assertThat(server.delete(id, admin).status()).isEqualTo(200);
        assertThat(server.get(KEYS, admin).status()).isEqualTo(401);
    }

    @Test
    void theLastOperatorIsNotRevokedEither() {
        String operator = server.key("operator");
        failed(server.delete(KEYS + "/" + operator.substring(0, 12), operator), KEYS, 409);
        JsonNode second = made(post(server, KEYS, operator, "{\"name\": \"night shift\", \"roles\": [\"operator\"]}"));
        assertThat(server.get(TENANTS, second.path("secret").asText()).status()).isEqualTo(200);
        assertThat(server.delete(path(second), operator).status()).isEqualTo(200);
    }

    @Test
    void pagesHoldEveryKeyOnce() {
        String admin = tenant("pages");
        for (int i = 0; i < 5; i++) {
            made(post(server, KEYS, admin, "{\"name\": \"k" + i + "\", \"roles\": [\"decide\"]}"));
        }
        var ids = new java.util.TreeSet<String>();
        String next = "";
        int pages = 0;
        do {
            JsonNode page = server.get(KEYS + "?limit=2&after=" + next, admin).json();
            page.path("keys")
                    .forEach(key -> assertThat(ids.add(key.path("id").asText())).isTrue());
            next = page.path("next").asText();
            pages++;
        } while (!next.isEmpty());
        assertThat(ids).hasSize(6);
        assertThat(pages).isEqualTo(4);
        failed(server.get(KEYS + "?limit=0", admin), KEYS, 400);
    }

    @Test
    void aTenantNeitherSeesNorTouchesAnothersKeysAndTheOperatorSeesOnlyItsOwn() {
        String acme = tenant("acme");
        JsonNode key = made(post(server, KEYS, acme, "{\"name\": \"theirs\", \"roles\": [\"decide\"]}"));
        for (String stranger : List.of(server.key("admin"), server.key("operator"))) {
            assertThat(server.get(KEYS + "?limit=200", stranger).body())
                    .doesNotContain(key.path("id").asText());
            failed(server.get(path(key), stranger), KEYS, 404);
            failed(server.delete(path(key), stranger), KEYS, 404);
            failed(post(server, path(key) + "/rotate", stranger, "{}"), KEYS, 404);
        }
        assertThat(decides(server, key)).isEqualTo(200);
        for (String name : List.of("agent", "alice", "author", "publisher")) {
            failed(server.get(KEYS, server.key(name)), KEYS, 403);
            failed(post(server, KEYS, server.key(name), "{}"), KEYS, 403);
        }
    }

    @Test
    void tenantsAreTheOperatorsAlone() {
        String acme = tenant("elsewhere");
        for (String secret : List.of(server.key("admin"), acme)) {
            failed(server.get(TENANTS, secret), TENANTS, 403);
            failed(server.get(TENANTS + "/demo", secret), TENANTS, 403);
            failed(post(server, TENANTS, secret, "{}"), TENANTS, 403);
            failed(server.put(TENANTS + "/demo", secret, "{\"name\": \"x\"}"), TENANTS, 403);
            failed(post(server, TENANTS + "/demo/administrators", secret, "{}"), TENANTS, 403);
        }
    }

    @Test
    void aTenantIsMadeOnceAndItsAdministratorMakesItsKeys() {
        String admin = tenant("globex");
        JsonNode key = made(post(server, KEYS, admin, "{\"name\": \"bot\", \"roles\": [\"decide\"]}"));
        assertThat(decides(server, key)).isEqualTo(200);
        assertThat(server.get(KEYS, admin).json().at("/keys/0/person/name").asText()
                        + server.get(KEYS, admin)
                                .json()
                                .at("/keys/1/person/name")
                                .asText())
                .isEqualTo("Ada");
        Reply again = post(server, TENANTS, server.key("operator"), "{\"id\": \"globex\", \"administrator\": \"Eve\"}");
        failed(again, TENANTS, 409);
        assertThat(server.get(TENANTS + "?limit=200", server.key("operator")).body())
                .contains("\"globex\"", "\"demo\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"administrator\": \"Ada\"}|`id` is missing",
                "{\"id\": \"x\"}|`administrator` is missing",
                "{\"id\": \"Acme\", \"administrator\": \"Ada\"}|`id` has",
                "{\"id\": \"a_b\", \"administrator\": \"Ada\"}|`id` has",
                "{\"id\": \"-a\", \"administrator\": \"Ada\"}|`id` has",
                "{\"id\": \"a\", \"administrator\": \"Ada\", \"keys\": 1}|no member `keys`"
            })
    void aTenantThatCannotBeIsRefusedWithTheReason(String body, String reason) {
        Reply reply = post(server, TENANTS, server.key("operator"), body);
        failed(reply, TENANTS, 422);
        assertThat(reply.json().path("detail").asText()).contains(reason);
    }

    @Test
    void aSuspendedTenantsKeysAreRefusedUntilItMayGoOn() {
        String admin = tenant("paused");
        String path = TENANTS + "/paused";
        String operator = server.key("operator");
        RunningServer.until(
                "the other server knows the key", () -> other.get(KEYS, admin).status() == 200);
        JsonNode suspended = server.put(path, operator, "{\"name\": \"Paused\", \"suspended\": true}")
                .json();
        assertThat(suspended.path("suspended").asBoolean()).isTrue();
        assertThat(server.get(KEYS, admin).status()).isEqualTo(401);
        RunningServer.until(
                "the other server refuses the key", () -> other.get(KEYS, admin).status() == 401);
        assertThat(server.put(path, operator, "{\"name\": \"Paused\"}")
                        .json()
                        .path("suspended")
                        .asBoolean())
                .isFalse();
        assertThat(server.get(KEYS, admin).status()).isEqualTo(200);
        failed(server.put(TENANTS + "/nobody", operator, "{\"name\": \"x\"}"), TENANTS, 404);
    }

    @Test
    void theOperatorHelpsATenantThatHasLostItsKeys() {
        tenant("lost");
        Reply reply =
                post(server, TENANTS + "/lost/administrators", server.key("operator"), "{\"administrator\": \"Bo\"}");
        String admin = made(reply).at("/key/secret").asText();
        JsonNode keys = server.get(KEYS, admin).json();
        assertThat(keys.path("keys")).hasSize(2);
        assertThat(keys.toString()).contains(server.key("operator").substring(0, 12));
        failed(
                post(server, TENANTS + "/nobody/administrators", server.key("operator"), "{\"administrator\": \"x\"}"),
                TENANTS,
                404);
    }
}
