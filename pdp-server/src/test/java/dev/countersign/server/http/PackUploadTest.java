package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Publishing.PACKS;
import static dev.countersign.server.http.Publishing.allows;
import static dev.countersign.server.http.Publishing.manifest;
import static dev.countersign.server.http.Publishing.path;
import static dev.countersign.server.http.Publishing.publish;
import static dev.countersign.server.http.Publishing.rules;
import static dev.countersign.server.http.Publishing.scenario;
import static dev.countersign.server.http.Publishing.upload;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is published, and what is refused with the reason. */
@ExtendWith(PostgresExtension.class)
class PackUploadTest {
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode get(String path, String secret) {
        Reply reply = server.get(path, secret);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void aPackThatFailsAScenarioIsNotPublishedAndTheReportComesBack() {
        Publishers mine = Publishers.of(server, server, "pack-failing");
        ObjectNode body = upload("payments", rules("payments", 100), scenario(101, "allow"));
        for (String way : new String[] {"check", "versions"}) {
            Reply reply = server.post(path("payments") + "/" + way, mine.first(), body.toString());
            assertThat(reply.status()).as(reply.body()).isEqualTo(way.equals("check") ? 200 : 422);
            JsonNode report = reply.json().path("report");
            assertThat(report.at("/packs/0/failed").asInt()).isEqualTo(1);
            assertThat(report.at("/packs/0/results/0/name").asText()).isEqualTo("a payment");
        }
        failed(server.get(path("payments"), mine.first()), PACKS, 404);
        assertThat(allows(server, mine.decide(), 101)).isTrue();
    }

    @Test
    void aPackThatMissesItsOwnBarIsNotPublished() {
        Publishers mine = Publishers.of(server, server, "pack-bar");
        ObjectNode body = upload("payments", 1);
        ((ObjectNode) body.get("files"))
                .put("pack.yaml", manifest("payments").replace("conditions: 0", "conditions: 50"));
        Reply refused = server.post(path("payments") + "/versions", mine.first(), body.toString());
        failed(refused, PACKS, 422);
        assertThat(refused.json().path("detail").asText()).contains("bar");
        assertThat(refused.json().at("/report/packs/0/coverage/conditions/met").asBoolean(true))
                .isFalse();
    }

    @Test
    void aPackWithMistakesIsNotPublishedAndTheyComeBack() {
        Publishers mine = Publishers.of(server, server, "pack-mistaken");
        ObjectNode body = upload("payments", rules("payments", 100).replace("sum >", "sun >"), scenario(101, "deny"));
        Reply refused = server.post(path("payments") + "/versions", mine.first(), body.toString());
        failed(refused, PACKS, 422);
        JsonNode mistake = refused.json().at("/report/diagnostics/0");
        assertThat(mistake.path("file").asText()).isEqualTo("rules.drl");
        assertThat(mistake.path("message").asText()).contains("sun");
        failed(server.get(path("payments"), mine.first()), PACKS, 404);
    }

    @Test
    void checkingStoresNothing() {
        Publishers mine = Publishers.of(server, server, "pack-checked");
        Reply checked = server.post(
                path("payments") + "/check",
                mine.author(),
                upload("payments", 5).toString());
        assertThat(checked.status()).isEqualTo(200);
        assertThat(checked.json().path("publishable").asBoolean()).isTrue();
        assertThat(checked.json().path("widens").asBoolean()).isFalse();
        assertThat(checked.json().at("/diff/changes")).isNotEmpty();
        assertThat(get(PACKS, mine.first()).path("packs")).isEmpty();
        assertThat(allows(server, mine.decide(), 6)).isTrue();
        failed(publish(server, mine.author(), "payments", 5), PACKS, 403);
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "policies", "countersign", "unusable-packs"})
    void aTenantTakesNoNameThatIsNotItsOwn(String name) {
        Publishers mine = Publishers.of(server, server, "pack-name-" + name);
        Reply refused = publish(server, mine.first(), name, 1);
        failed(refused, PACKS, 422);
        assertThat(refused.body()).contains("`" + name + "`");
        assertThat(get(PACKS, mine.first()).path("packs")).isEmpty();
        assertThat(allows(server, mine.decide(), 2)).isTrue();
    }

    @Test
    void aPackDeclaresNothingOtherwiseThanAnotherOrThanTheServer() {
        Publishers mine = Publishers.of(server, server, "pack-declaring");
        for (String name : new String[] {"approvals.threshold", "on_error"}) {
            ObjectNode body = upload("payments", 1);
            ((ObjectNode) body.get("files"))
                    .put(
                            "pack.yaml",
                            manifest("payments") + "params:\n  " + name + ": {type: string, default: \"x\"}\n");
            Reply refused = server.post(path("payments") + "/versions", mine.first(), body.toString());
            failed(refused, PACKS, 422);
            assertThat(refused.body()).contains(name);
        }
        assertThat(get(PACKS, mine.first()).path("packs")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../rules.drl",
                "/etc/passwd",
                "scenarios/../../x.yaml",
                "other/x.drl",
                "a/b.drl",
                ".drl",
                "rules.kts",
                "entities/x.json",
                "x\\u0000.drl",
                "C:\\\\x.drl"
            })
    void aFileHasTheNameOfAFileOfAPack(String name) {
        Reply refused = server.post(
                path("payments") + "/check",
                server.key("publisher"),
                "{\"files\": {\"pack.yaml\": \"name: payments\", \"" + name + "\": \"x\"}}");
        failed(refused, PACKS, 422);
        assertThat(refused.json().path("type").asText()).endsWith("invalid_body");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"files\": []}",
                "{\"files\": {}}",
                "{\"files\": {\"pack.yaml\": 1}}",
                "{\"files\": {\"pack.yaml\": \"x\"}, \"more\": 1}"
            })
    void anUploadIsAnObjectOfTexts(String body) {
        failed(server.post(path("payments") + "/versions", server.key("publisher"), body), PACKS, 422);
    }

    @Test
    void thePathNamesThePack() {
        Reply refused = server.post(
                path("another") + "/versions",
                server.key("publisher"),
                upload("payments", 1).toString());
        failed(refused, PACKS, 422);
        assertThat(refused.body()).contains("another").contains("payments");
    }
}
