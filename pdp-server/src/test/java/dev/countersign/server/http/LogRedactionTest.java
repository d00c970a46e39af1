package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a tenant names in {@code log.redaction} stands in its own log as a digest, and is judged all the same. */
@ExtendWith(PostgresExtension.class)
class LogRedactionTest {
    private static final String SETTING = "/api/v1/settings/log.redaction";
    private static final String IBAN = "DE89370400440532013000";
    private static final String CALL = """
            {"subject": {"type": "agent", "id": "payer"}, "action": {"name": "pay"},
             "resource": {"type": "tool", "id": "pay", "properties": {"customer_iban": "%s", "salary": 1200, "note": "rent"}},
             "context": {"confidence": 0.99}}""".formatted(IBAN);

    private static RunningServer server;
    private static ApiKey stranger;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        stranger = server.addKey("strangers", "all", "decide", "audit.read");
        Reply set = server.put(SETTING, server.key("admin"), "{\"value\": [\"IBAN\", \"salary\"]}");
        assertThat(set.status()).as(set.body()).isEqualTo(200);
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode record(String path, String decides, String reads, String body, String id) {
        Reply reply = server.post(path, decides, body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return server.record(reply.json().at(id).asText(), reads);
    }

    private static JsonNode properties(JsonNode record) {
        return record.at("/request/resource/properties");
    }

    @Test
    void namedMembersStandInTheRecordAsDigests() {
        JsonNode found = properties(record(
                "/access/v1/evaluation", server.key("agent"), server.key("admin"), CALL, "/context/evaluation_id"));
        assertThat(found.at("/customer_iban/sha256").asText()).isEqualTo(Sha256.hex(IBAN));
        assertThat(found.at("/salary/sha256").asText()).hasSize(64);
        assertThat(found.path("note").asText()).isEqualTo("rent");
    }

    @Test
    void itemsOfABatchAreTreatedAlike() {
        String batch = CALL.substring(0, CALL.length() - 1)
                + ", \"options\": {\"context\": \"full\"}, \"evaluations\": [{}, {\"action\": {\"name\": \"read\"}}]}";
        for (int item = 0; item < 2; item++) {
            JsonNode found = properties(record(
                    "/access/v1/evaluations",
                    server.key("agent"),
                    server.key("admin"),
                    batch,
                    "/evaluations/" + item + "/context/evaluation_id"));
            assertThat(found.at("/customer_iban/sha256").asText()).hasSize(64);
        }
    }

    @Test
    void credentialsAreTakenOutWhateverATenantNames() {
        String body = CALL.replace("\"note\": \"rent\"", "\"api_token\": \"s3cret\"");
        JsonNode found = properties(record(
                "/access/v1/evaluation", server.key("agent"), server.key("admin"), body, "/context/evaluation_id"));
        assertThat(found.at("/api_token/sha256").asText()).isEqualTo(Sha256.hex("s3cret"));
    }

    @Test
    void anotherTenantsLogIsItsOwn() {
        JsonNode found = properties(
                record("/access/v1/evaluation", stranger.secret(), stranger.secret(), CALL, "/context/evaluation_id"));
        assertThat(found.path("customer_iban").asText()).isEqualTo(IBAN);
    }

    @Test
    void theSettingIsListedAsTheServersOwn() {
        JsonNode setting = server.get(SETTING, server.key("admin")).json();
        assertThat(setting.path("type").asText()).isEqualTo("list");
        assertThat(setting.path("default")).isEmpty();
        assertThat(setting.at("/packs/0/name").asText()).isEqualTo("countersign");
        assertThat(setting.path("source").asText()).isEqualTo("tenant");
    }

    @Test
    void namesAreAddedByOneAndTakenAwayByTwo() {
        String author = server.key("author");
        Reply more = server.put(SETTING, author, "{\"value\": [\"salary\", \"IBAN\", \"phone\"]}");
        assertThat(more.status()).as(more.body()).isEqualTo(200);
        for (Reply less : java.util.List.of(
                server.put(SETTING, author, "{\"value\": [\"salary\", \"phone\", \"other\"]}"),
                server.delete(SETTING, author))) {
            assertThat(less.status()).as(less.body()).isEqualTo(202);
            assertThat(less.json().at("/diff/widening").asText()).isEqualTo("could");
            assertThat(less.json().at("/diff/why_not_exact").asText()).contains("decision log");
            assertThat(server.get(SETTING, author).json().path("value")).hasSize(3);
        }
    }

    @Test
    void aPackThatDeclaresTheNameIsNotServed(@AsOwner PostgresAddress database, @TempDir Path pack) throws IOException {
        RunningServer.pack(pack, """
                name: greedy
                params:
                  log.redaction: {type: number, default: 1}
                """, """
                package greedy
                rule "all" when Request( action == "read" ) then decision.allow("OK"); end
                """);
        assertThatThrownBy(() -> RunningServer.start(database, pack))
                .hasMessageContaining("`greedy` declares `log.redaction`, which is the server's own setting");
    }
}
