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
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The operator manages tenants and its own keys, and each plane has its own. */
@ExtendWith(PostgresExtension.class)
class TenantsApiTest {
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

    @Test
    void tenantsAreTheOperatorsAlone() {
        String acme = tenant(server, "elsewhere");
        for (String secret : List.of(server.key("admin"), acme)) {
            failed(server.get(TENANTS, secret), TENANTS, 403);
            failed(server.get(TENANTS + "/demo", secret), TENANTS, 403);
            failed(server.post(TENANTS, secret, "{}"), TENANTS, 403);
            failed(server.put(TENANTS + "/demo", secret, "{\"name\": \"x\"}"), TENANTS, 403);
            failed(server.post(TENANTS + "/demo/administrators", secret, "{}"), TENANTS, 403);
        }
    }

    @Test
    void aTenantIsMadeOnceAndItsAdministratorMakesItsKeys() {
        String admin = tenant(server, "globex");
        JsonNode key = made(server.post(KEYS, admin, "{\"name\": \"bot\", \"roles\": [\"decide\"]}"));
        assertThat(decides(server, key)).isEqualTo(200);
        assertThat(server.get(KEYS, admin).json().at("/keys/0/person/name").asText()
                        + server.get(KEYS, admin)
                                .json()
                                .at("/keys/1/person/name")
                                .asText())
                .isEqualTo("Ada");
        Reply again = server.post(TENANTS, server.key("operator"), "{\"id\": \"globex\", \"administrator\": \"Eve\"}");
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
        Reply reply = server.post(TENANTS, server.key("operator"), body);
        failed(reply, TENANTS, 422);
        assertThat(reply.json().path("detail").asText()).contains(reason);
    }

    @Test
    void aSuspendedTenantsKeysAreRefusedUntilItMayGoOn() {
        String admin = tenant(server, "paused");
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
        assertThat(server.put(path, operator, "{\"name\": \"Paused\", \"suspended\": false}")
                        .json()
                        .path("suspended")
                        .asBoolean())
                .isFalse();
        assertThat(server.get(KEYS, admin).status()).isEqualTo(200);
        failed(server.put(TENANTS + "/nobody", operator, "{\"name\": \"x\", \"suspended\": false}"), TENANTS, 404);
    }

    @Test
    void theOperatorHelpsATenantThatHasLostItsKeys() {
        tenant(server, "lost");
        Reply reply =
                server.post(TENANTS + "/lost/administrators", server.key("operator"), "{\"administrator\": \"Bo\"}");
        String admin = made(reply).at("/key/secret").asText();
        JsonNode keys = server.get(KEYS, admin).json();
        assertThat(keys.path("keys")).hasSize(2);
        assertThat(keys.toString()).contains(server.key("operator").substring(0, 12));
        failed(
                server.post(TENANTS + "/nobody/administrators", server.key("operator"), "{\"administrator\": \"x\"}"),
                TENANTS,
                404);
    }

    @Test
    void aRenameThatDoesNotSaySoLiftsNoSuspension() {
        tenant(server, "renamed");
        Reply reply = server.put(TENANTS + "/renamed", server.key("operator"), "{\"name\": \"New\"}");
        failed(reply, TENANTS, 422);
        assertThat(reply.json().path("detail").asText()).contains("`suspended` is missing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"name\": \"x\", \"roles\": [\"decide\"]}|`roles` are of operator",
                "{\"name\": \"x\", \"roles\": [\"operator\"], \"person\": \"Ada\"}|the operator has no persons"
            })
    void theOperatorHasNoTenantsRolesAndNoPersons(String body, String reason) {
        Reply reply = server.post(KEYS, server.key("operator"), body);
        failed(reply, KEYS, 422);
        assertThat(reply.json().path("detail").asText()).contains(reason);
    }

    @Test
    void theLastOperatorIsNotRevokedEither() {
        String operator = server.key("operator");
        failed(server.delete(KEYS + "/" + operator.substring(0, 12), operator), KEYS, 409);
        JsonNode second = made(server.post(KEYS, operator, "{\"name\": \"night shift\", \"roles\": [\"operator\"]}"));
        assertThat(server.get(TENANTS, second.path("secret").asText()).status()).isEqualTo(200);
        assertThat(server.delete(path(second), operator).status()).isEqualTo(200);
    }

    @Test
    void aTenantNeitherSeesNorTouchesAnothersKeysAndTheOperatorSeesOnlyItsOwn() {
        String acme = tenant(server, "acme");
        JsonNode key = made(server.post(KEYS, acme, "{\"name\": \"theirs\", \"roles\": [\"decide\"]}"));
        for (String stranger : List.of(server.key("admin"), server.key("operator"))) {
            assertThat(server.get(KEYS + "?limit=200", stranger).body())
                    .doesNotContain(key.path("id").asText());
            failed(server.get(path(key), stranger), KEYS, 404);
            failed(server.delete(path(key), stranger), KEYS, 404);
            failed(server.post(path(key) + "/rotate", stranger, "{}"), KEYS, 404);
        }
        assertThat(decides(server, key)).isEqualTo(200);
        for (String name : List.of("agent", "alice", "author", "publisher")) {
            failed(server.get(KEYS, server.key(name)), KEYS, 403);
            failed(server.post(KEYS, server.key(name), "{}"), KEYS, 403);
        }
    }

    @Test
    void pagesHoldEveryKeyOnce() {
        String admin = tenant(server, "pages");
        for (int i = 0; i < 5; i++) {
            made(server.post(KEYS, admin, "{\"name\": \"k" + i + "\", \"roles\": [\"decide\"]}"));
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
    void aTenantHasAThousandGoodKeysAndNoMore(@AsOwner PostgresAddress database) throws SQLException {
        String admin = tenant(server, "many");
        Sql.execute(
                database,
                "insert into api_keys (id, tenant, name, hash, roles) select 'csk_many' || n, 'many', 'n',"
                        + " sha256(n::text::bytea), array['decide'] from generate_series(1, 999) n");
        String body = "{\"name\": \"one more\", \"roles\": [\"decide\"]}";
        Reply full = server.post(KEYS, admin, body);
        failed(full, KEYS, 409);
        assertThat(full.json().path("detail").asText()).contains("1000 good keys");
        assertThat(server.delete(KEYS + "/csk_many7", admin).status()).isEqualTo(200);
        made(server.post(KEYS, admin, body));
    }
}
