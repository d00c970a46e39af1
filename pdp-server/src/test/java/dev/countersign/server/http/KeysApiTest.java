package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.KEYS;
import static dev.countersign.server.http.Managing.TENANTS;
import static dev.countersign.server.http.Managing.decides;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.path;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.sql.DriverManager;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys are made, listed, rotated and revoked while servers run. */
@ExtendWith(PostgresExtension.class)
class KeysApiTest {
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

    private static JsonNode key(String body) {
        return made(server.post(KEYS, server.key("admin"), body));
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
        JsonNode next = made(server.post(path(old) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 3600}"));
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
        JsonNode last = made(server.post(path(next) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 0}"));
        assertThat(decides(server, next)).isEqualTo(401);
        assertThat(decides(server, last)).isEqualTo(200);
        failed(server.post(path(next) + "/rotate", server.key("admin"), "{}"), KEYS, 409);
    }

    @Test
    void aKeyStopsWorkingWhenItsTimeIsOver() {
        Instant soon = Instant.now().plusSeconds(3);
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
        Reply reply = server.post(KEYS, server.key("admin"), body);
        failed(reply, KEYS, 422);
        assertThat(reply.json().path("detail").asText()).contains(reason);
    }

    @Test
    void theLastKeyThatManagesKeysIsNotRevoked() {
        String admin = tenant(server, "solo");
        String id = KEYS + "/" + admin.substring(0, 12);
        failed(server.delete(id, admin), KEYS, 409);
        made(server.post(KEYS, admin, "{\"name\": \"second\", \"roles\": [\"admin\"], \"person\": \"Ada\"}"));
        assertThat(server.delete(id, admin).status()).isEqualTo(200);
        assertThat(server.get(KEYS, admin).status()).isEqualTo(401);
    }

    @Test
    void theLastKeyIsTheLastThatLasts() {
        String admin = tenant(server, "lasting");
        String own = KEYS + "/" + admin.substring(0, 12);
        Instant soon = Instant.now().plusSeconds(3_600);
        made(server.post(
                KEYS, admin, "{\"name\": \"guest\", \"roles\": [\"admin\"], \"expires_at\": \"" + soon + "\"}"));
        failed(server.delete(own, admin), KEYS, 409);
        JsonNode next = made(server.post(own + "/rotate", admin, "{}"));
        failed(server.delete(path(next), next.path("secret").asText()), KEYS, 409);
        assertThat(server.delete(own, next.path("secret").asText()).status()).isEqualTo(200);
    }

    @Test
    void theOnlyKeyThatManagesKeysKeepsAnOverlap() {
        String admin = tenant(server, "overlapping");
        failed(
                server.post(KEYS + "/" + admin.substring(0, 12) + "/rotate", admin, "{\"overlap_seconds\": 0}"),
                KEYS,
                409);
        assertThat(server.get(KEYS, admin).status()).isEqualTo(200);
    }

    @Test
    void aKeyIsRotatedOnceUnlessItsSuccessorIsRevoked() {
        JsonNode old = key("{\"name\": \"twice\", \"roles\": [\"decide\"]}");
        JsonNode next = made(server.post(path(old) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 600}"));
        Reply again = server.post(path(old) + "/rotate", server.key("admin"), "{}");
        failed(again, KEYS, 409);
        assertThat(again.json().path("detail").asText()).contains("revoke that one first");
        assertThat(server.delete(path(next), server.key("admin")).status()).isEqualTo(200);
        JsonNode second = made(server.post(path(old) + "/rotate", server.key("admin"), "{}"));
        assertThat(second.has("expires_at")).isFalse();
    }

    @Test
    void theSuccessorOfAKeyThatExpiresLivesAsLong() {
        Instant expires = Instant.now().plusSeconds(86_400);
        JsonNode old = key("{\"name\": \"daily\", \"roles\": [\"decide\"], \"expires_at\": \"" + expires + "\"}");
        JsonNode next = made(server.post(path(old) + "/rotate", server.key("admin"), "{\"overlap_seconds\": 60}"));
        assertThat(life(next)).isBetween(life(old) - 2, life(old) + 2);
        JsonNode third = made(server.post(path(next) + "/rotate", server.key("admin"), "{}"));
        assertThat(life(third)).isBetween(life(old) - 2, life(old) + 2);
        JsonNode never = key("{\"name\": \"9999\", \"roles\": [\"decide\"], \"expires_at\": \"9999-12-31T23:59:59Z\"}");
        made(server.post(path(never) + "/rotate", server.key("admin"), "{}"));
    }

    private static long life(JsonNode key) {
        return java.time.Duration.between(
                        Instant.parse(key.path("created_at").asText()),
                        Instant.parse(key.path("expires_at").asText()))
                .toSeconds();
    }

    @Test
    void anAnswerWithASecretIsKeptByNobodyOnTheWay() {
        Reply reply = server.post(KEYS, server.key("admin"), "{\"name\": \"private\", \"roles\": [\"decide\"]}");
        assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    }

    @Test
    void anIdThatCanBeNoneIsNotFound() {
        failed(server.get(KEYS + "/%00", server.key("admin")), KEYS, 404);
        failed(server.delete(KEYS + "/%00", server.key("admin")), KEYS, 404);
        failed(server.post(KEYS + "/%00/rotate", server.key("admin"), "{}"), KEYS, 404);
        failed(server.get(TENANTS + "/%00", server.key("operator")), TENANTS, 404);
    }

    @ParameterizedTest
    @CsvSource({"-1", "2592001", "1.5", "true"})
    void anOverlapIsAWholeNumberOfSecondsUpToThirtyDays(String overlap) {
        JsonNode key = key("{\"name\": \"overlap\", \"roles\": [\"decide\"]}");
        String body = "{\"overlap_seconds\": " + overlap + "}";
        failed(server.post(path(key) + "/rotate", server.key("admin"), body), KEYS, 422);
    }

    @Test
    void administratorsWhoRevokeOneAnotherAtOnceLeaveOne() {
        for (int round = 0; round < 8; round++) {
            String one = tenant(server, "duel-" + round);
            String two = made(server.post(KEYS, one, "{\"name\": \"two\", \"roles\": [\"admin\"]}"))
                    .path("secret")
                    .asText();
            RunningServer.until(
                    "the other server knows both",
                    () -> other.get(KEYS, one).status() == 200
                            && other.get(KEYS, two).status() == 200);
            var first = CompletableFuture.supplyAsync(() -> server.delete(KEYS + "/" + two.substring(0, 12), one));
            var second = CompletableFuture.supplyAsync(() -> other.delete(KEYS + "/" + one.substring(0, 12), two));
            assertThat(List.of(first.join().status(), second.join().status())).containsExactlyInAnyOrder(200, 401);
            assertThat(server.get(KEYS, one).status() == 200
                            ^ server.get(KEYS, two).status() == 200)
                    .isTrue();
        }
    }

    @Test
    void aKeyThatIsRevokedMakesNoOtherWhateverItsServerHasHeard(@AsOwner PostgresAddress database) throws Exception {
        JsonNode admin = key("{\"name\": \"leaked\", \"roles\": [\"admin\"]}");
        String secret = admin.path("secret").asText();
        assertThat(server.get(KEYS, secret).status()).isEqualTo(200);
        Sql.execute(database, "alter table api_keys disable trigger api_keys_revision");
        Sql.execute(
                database,
                "update api_keys set revoked_at = now() where id = '"
                        + admin.path("id").asText() + "'");
        Sql.execute(database, "alter table api_keys enable trigger api_keys_revision");
        assertThat(server.get(KEYS, secret).status())
                .as("nobody has told the server")
                .isEqualTo(200);
        failed(server.post(KEYS, secret, "{\"name\": \"x\", \"roles\": [\"decide\"]}"), KEYS, 401);
        Reply setting = server.put("/api/v1/settings/log.redaction", secret, "{\"value\": []}");
        failed(setting, KEYS, 401);
    }

    @Test
    void aChangeThatIsHeldUpIsRefusedAndNotMade(@AsOwner PostgresAddress database) throws Exception {
        String admin = tenant(server, "held");
        try (var connection = DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select 1 from tenants where id = 'held' for update");
            failed(server.post(KEYS, admin, "{\"name\": \"x\", \"roles\": [\"decide\"]}"), KEYS, 503);
            connection.rollback();
        }
        assertThat(server.get(KEYS, admin).json().path("keys")).hasSize(1);
    }
}
