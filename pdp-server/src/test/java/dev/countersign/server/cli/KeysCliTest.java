package dev.countersign.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code countersign keys} manages the keys of a running server. */
@ExtendWith(PostgresExtension.class)
class KeysCliTest {
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static CliTest.Ran keys(String... args) {
        List<String> all = new ArrayList<>(List.of("keys"));
        all.addAll(List.of(args));
        all.addAll(
                List.of("--server", server.url(), "--data", server.directory().toString()));
        return CliTest.run(all.toArray(String[]::new));
    }

    private static JsonNode printed(CliTest.Ran ran) throws IOException {
        assertThat(ran.code()).as(ran.err()).isZero();
        return new ObjectMapper().readTree(ran.out());
    }

    @Test
    void aKeyIsMadeRotatedListedAndRevoked() throws IOException {
        JsonNode key =
                printed(keys("create", "invoices", "--role", "decide", "--role", "audit.read", "--person", "Ivy"));
        assertThat(server.get("/api/v1/decisions", key.path("secret").asText()).status())
                .isEqualTo(200);
        JsonNode next = printed(keys("rotate", key.path("id").asText(), "--overlap", "0"));
        assertThat(server.get("/api/v1/decisions", key.path("secret").asText()).status())
                .isEqualTo(401);
        assertThat(server.get("/api/v1/decisions", next.path("secret").asText()).status())
                .isEqualTo(200);
        assertThat(printed(keys("list")).findValuesAsText("id"))
                .contains(key.path("id").asText(), next.path("id").asText());
        assertThat(printed(keys("revoke", next.path("id").asText()))
                        .path("state")
                        .asText())
                .isEqualTo("revoked");
        assertThat(server.get("/api/v1/decisions", next.path("secret").asText()).status())
                .isEqualTo(401);
    }

    @Test
    void theOperatorManagesItsOwn() throws IOException {
        JsonNode all = printed(keys("list", "--as", "operator"));
        assertThat(all).hasSize(1);
        assertThat(all.path(0).path("name").asText()).isEqualTo("operator");
    }

    @Test
    void theOperatorRotatesTheKeyThatSigns() throws IOException {
        String before = server.get("/access/v1/jwks").json().at("/keys/0/kid").asText();
        JsonNode all = printed(keys("rotate-signing")).path("signing_keys");
        assertThat(all.path(0).path("state").asText()).isEqualTo("signs");
        assertThat(all.path(0).path("created_by").asText())
                .isEqualTo(server.key("operator").substring(0, 12));
        assertThat(all.path(1).path("id").asText()).isEqualTo(before);
        assertThat(all.path(1).path("state").asText()).isEqualTo("verifies");
        JsonNode left = printed(keys("rotate-signing", "--revoke")).path("signing_keys");
        assertThat(left.findValuesAsText("state")).containsExactly("signs", "revoked", "revoked");
        assertThat(keys("rotate-signing", "--as", "admin").err()).contains("403");
    }

    @Test
    void whatTheServerRefusesIsSaid() {
        CliTest.Ran ran = keys("create", "x", "--role", "root");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("422", "`roles` are of decide");
        assertThat(keys("revoke", "csk_nobody").err()).contains("404", "no such key");
        assertThat(keys("list", "--as", "nobody").err()).contains("no key `nobody`");
    }

    @Test
    void aKeyIsNotSentInTheClearToAnotherMachine() {
        CliTest.Ran ran = CliTest.run(
                "keys",
                "list",
                "--server",
                "http://192.0.2.1:8080",
                "--data",
                server.directory().toString());
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("https");
    }

    @Test
    void aServerThatIsNotThereIsSaid() {
        CliTest.Ran ran = CliTest.run(
                "keys",
                "list",
                "--server",
                "http://127.0.0.1:1",
                "--data",
                server.directory().toString());
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("no server answers at http://127.0.0.1:1");
    }

    @Test
    void aSecretGetsIntoNoPathAndNoMessage(@TempDir Path data) throws IOException {
        JsonNode key = printed(keys("create", "pasted", "--role", "decide"));
        assertThat(printed(keys("revoke", key.path("secret").asText())).path("id"))
                .isEqualTo(key.path("id"));
        Files.writeString(data.resolve("keys.json"), "{\"admin\": \"csk_abc_s3cret s3cret\"}");
        CliTest.Ran ran = CliTest.run("keys", "list", "--server", server.url(), "--data", data.toString());
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("no API key").doesNotContain("s3cret");
    }
}
