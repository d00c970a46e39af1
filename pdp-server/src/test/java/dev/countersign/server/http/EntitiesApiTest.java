package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.KEYS;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Entities are read, put, listed and taken away while servers run. */
@ExtendWith(PostgresExtension.class)
class EntitiesApiTest {
    private static final String ENTITIES = "/api/v1/entities";

    @TempDir
    static Path packs;

    private static Cable cable;
    private static RunningServer server;
    /** May write attributes and read, and no more. */
    private static String writer;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        RunningServer.pack(packs, "name: carrier\n", """
                package carrier
                rule "never" when Request( action == "never.asked" ) then decision.allow("NEVER"); end
                """);
        Files.createDirectories(packs.resolve("entities"));
        Files.writeString(packs.resolve("entities/parts.jsonl"), """
                {"type": "part", "id": "b", "attributes": {"of": "pack"}}
                {"type": "part", "id": "d", "attributes": {"of": "pack"}, "roles": ["carried"]}
                """);
        cable = new Cable(database.host(), database.port());
        server = RunningServer.start(database, cable.port(), Map.of(), packs);
        writer = made(server.post(
                        KEYS,
                        server.key("admin"),
                        "{\"name\": \"writer\", \"roles\": [\"policy.write\", \"policy.read\"]}"))
                .path("secret")
                .asText();
    }

    @AfterEach
    void mend() {
        cable.mend();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        cable.close();
    }

    private static Reply put(String path, String body, String... headers) {
        return server.put(ENTITIES + path, server.key("admin"), body, headers);
    }

    private static Reply get(String path) {
        return server.get(ENTITIES + path, server.key("admin"));
    }

    @Test
    void whatIsPutIsRead() {
        String body =
                "{\"attributes\":{\"title\":\"engineer\",\"n\":1.50,\"\\u0000\":\"\\u0000\"},\"roles\":[\"dev\",\"ops\",\"dev\"],"
                        + "\"groups\":[\"g\"],\"owner\":\"bo\",\"delegates\":[\"al\"]}";
        Reply created = put("/user/mia", body);
        assertThat(created.status()).as(created.body()).isEqualTo(201);
        Reply read = get("/user/mia/");
        assertThat(read.status()).isEqualTo(200);
        assertThat(read.body()).isEqualTo(created.body());
        assertThat(read.header("ETag")).isEqualTo(created.header("ETag"));
        JsonNode json = read.json();
        assertThat(json.path("attributes").toString())
                .isEqualTo("{\"title\":\"engineer\",\"n\":1.5,\"\\u0000\":\"\\u0000\"}");
        assertThat(json.path("roles").toString()).isEqualTo("[\"dev\",\"ops\"]");
        assertThat(json.path("owner").asText()).isEqualTo("bo");
        assertThat(json.path("source").asText()).isEqualTo("tenant");
        assertThat(json.path("updated_by").asText())
                .isEqualTo(server.key("admin").substring(0, 12));
    }

    @Test
    void aPutReplacesAllThatThereWas() {
        put("/user/whole", "{\"attributes\": {\"a\": 1}, \"roles\": [\"dev\"], \"owner\": \"bo\"}");
        Reply replaced = put("/user/whole", "{\"attributes\": {\"b\": 2}}");
        assertThat(replaced.status()).isEqualTo(200);
        assertThat(replaced.json().path("attributes").toString()).isEqualTo("{\"b\":2}");
        assertThat(replaced.json().path("roles")).isEmpty();
        assertThat(replaced.json().has("owner")).isFalse();
    }

    @Test
    void aVersionGrowsWithEveryChangeAndIsNeverGivenAgain() {
        String first = put("/user/versions", "{\"attributes\": {\"a\": 1}}").header("ETag");
        assertThat(put("/user/versions", "{\"attributes\": {\"a\": 1}}").header("ETag"))
                .as("nothing changed")
                .isEqualTo(first);
        String second = put("/user/versions", "{\"attributes\": {\"a\": 2}}").header("ETag");
        server.delete(ENTITIES + "/user/versions", server.key("admin"));
        String third = put("/user/versions", "{\"attributes\": {\"a\": 1}}").header("ETag");
        assertThat(List.of(number(first), number(second), number(third)))
                .isSorted()
                .doesNotHaveDuplicates();
    }

    private static long number(String etag) {
        return Long.parseLong(etag.substring(1, etag.length() - 1));
    }

    @Test
    void aChangeOfAnotherVersionIsNotMade() {
        String first = put("/user/race", "{}", "If-None-Match", "*").header("ETag");
        Reply there = put("/user/race", "{\"attributes\": {\"a\": 1}}", "If-None-Match", "*");
        failed(there, ENTITIES, 412);
        assertThat(there.header("ETag")).isEqualTo(first);
        String second = put("/user/race", "{\"attributes\": {\"a\": 2}}", "If-Match", first)
                .header("ETag");
        failed(put("/user/race", "{\"attributes\": {\"a\": 3}}", "If-Match", first), ENTITIES, 412);
        failed(server.delete(ENTITIES + "/user/race", server.key("admin"), "If-Match", first), ENTITIES, 412);
        assertThat(get("/user/race").json().at("/attributes/a").asInt()).isEqualTo(2);
        assertThat(server.delete(ENTITIES + "/user/race", server.key("admin"), "If-Match", second)
                        .status())
                .isEqualTo(200);
        failed(put("/user/race", "{}", "If-Match", "*"), ENTITIES, 412);
    }

    @Test
    void whatIsTakenAwayIsGone() {
        put("/user/leaver", "{\"attributes\": {\"a\": 1}}");
        Reply gone = server.delete(ENTITIES + "/user/leaver", server.key("admin"));
        assertThat(gone.json().at("/attributes/a").asInt()).isEqualTo(1);
        failed(get("/user/leaver"), ENTITIES, 404);
        failed(server.delete(ENTITIES + "/user/leaver", server.key("admin")), ENTITIES, 404);
    }

    @Test
    void idsMayHoldWhatPathsDoNot() {
        for (String id : List.of("a%2Fb", "%C3%A9%20%3F", "%25", "...", "a:b@c")) {
            assertThat(put("/odd/" + id, "{}").status()).as(id).isEqualTo(201);
            assertThat(get("/odd/" + id).status()).as(id).isEqualTo(200);
        }
        assertThat(get("/odd").json().path("entities"))
                .extracting(one -> one.path("id").asText())
                .containsExactly("%", "...", "a/b", "a:b@c", "é ?");
    }

    @Test
    void aPageLeadsToTheNextAndPacksStandBeneathTheTenantsOwn() {
        for (String id : List.of("a", "b", "c", "e")) {
            put("/part/" + id, "{\"attributes\": {\"of\": \"tenant\"}}");
        }
        var seen = new ArrayList<String>();
        String next = "";
        for (int pages = 0; next != null && pages < 9; pages++) {
            JsonNode page = get("/part?limit=2" + (next.isEmpty() ? "" : "&after=" + next))
                    .json();
            page.path("entities")
                    .forEach(one -> seen.add(one.path("id").asText() + " "
                            + one.path("source").asText() + " "
                            + one.at("/attributes/of").asText()));
            next = page.has("next") ? page.path("next").asText() : null;
        }
        assertThat(seen)
                .containsExactly(
                        "a tenant tenant", "b tenant tenant", "c tenant tenant", "d pack pack", "e tenant tenant");
        server.delete(ENTITIES + "/part/b", server.key("admin"));
        JsonNode carried = get("/part/b").json();
        assertThat(carried.path("pack").asText()).isEqualTo("carrier");
        assertThat(get("/part/b").header("ETag")).isEqualTo("\"0\"");
        failed(server.delete(ENTITIES + "/part/b", server.key("admin")), ENTITIES, 404);
    }

    @Test
    void onlyAnAdministratorChangesRelations() {
        for (String relation :
                List.of("\"roles\": [\"x\"]", "\"groups\": [\"x\"]", "\"owner\": \"x\"", "\"delegates\": [\"x\"]")) {
            failed(server.put(ENTITIES + "/user/new", writer, "{" + relation + "}"), ENTITIES, 403);
            failed(get("/user/new"), ENTITIES, 404);
            put("/user/held", "{" + relation + "}");
            failed(server.put(ENTITIES + "/user/held", writer, "{}"), ENTITIES, 403);
            failed(server.delete(ENTITIES + "/user/held", writer), ENTITIES, 403);
            Reply same =
                    server.put(ENTITIES + "/user/held", writer, "{\"attributes\": {\"a\": \"new\"}, " + relation + "}");
            assertThat(same.status()).as(same.body()).isEqualTo(200);
        }
        assertThat(server.put(ENTITIES + "/user/plain", writer, "{\"attributes\": {}}")
                        .status())
                .isEqualTo(201);
        assertThat(server.delete(ENTITIES + "/user/plain", writer).status()).isEqualTo(200);
    }

    @Test
    void onlyAnAdministratorTakesAwayARelationThatAPackCarries() {
        for (String body : List.of("{}", "{\"attributes\": {\"a\": 1}}", "{\"roles\": [\"carried\", \"more\"]}")) {
            failed(server.put(ENTITIES + "/part/d", writer, body), ENTITIES, 403);
        }
        JsonNode carried = get("/part/d").json();
        assertThat(carried.at("/roles/0").asText()).isEqualTo("carried");
        assertThat(carried.path("pack").asText()).isEqualTo("carrier");
    }

    @ParameterizedTest
    @CsvSource({"decide, 403, 403", "policy.read, 200, 403", "policy.write, 403, 200", "audit.read, 403, 403"})
    void rolesSayWhoReadsAndWhoWrites(String role, int read, int write) {
        put("/user/roles", "{}");
        String key = made(server.post(KEYS, server.key("admin"), "{\"name\": \"r\", \"roles\": [\"" + role + "\"]}"))
                .path("secret")
                .asText();
        assertThat(server.get(ENTITIES + "/user/roles", key).status()).isEqualTo(read);
        assertThat(server.get(ENTITIES + "/user", key).status()).isEqualTo(read);
        assertThat(server.put(ENTITIES + "/user/roles", key, "{}").status()).isEqualTo(write);
        assertThat(server.delete(ENTITIES + "/user/roles", key).status()).isEqualTo(write);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"attributes\": []}",
                "{\"attributes\": {\"roles\": []}}",
                "{\"role\": []}",
                "{\"type\": \"user\"}",
                "{\"roles\": \"x\"}",
                "{\"roles\": [\"\"]}",
                "{\"roles\": [1]}",
                "{\"owner\": \"a\\u0000b\"}",
                "{\"owner\": 5}"
            })
    void aBodyThatCannotBeIsRefusedWithTheReason(String body) {
        failed(put("/user/bad", body), ENTITIES, 422);
    }

    @Test
    void nameAndBodyHaveBounds() {
        String longest = "\u00e9".repeat(200);
        String path = "/user/" + java.net.URLEncoder.encode(longest, java.nio.charset.StandardCharsets.UTF_8);
        assertThat(put(path, "{}").status()).isEqualTo(201);
        failed(put(path + "x", "{}"), ENTITIES, 422);
        failed(put("/user/%00", "{}"), ENTITIES, 422);
        failed(get("/user/%00"), ENTITIES, 404);
        failed(get(path + "x"), ENTITIES, 404);
        String fits = "x".repeat(65_536 - "{\"a\":\"\"}".length());
        assertThat(put("/user/big", "{\"attributes\": {\"a\": \"" + fits + "\"}}")
                        .status())
                .isEqualTo(201);
        failed(put("/user/big", "{\"attributes\": {\"a\": \"" + fits + "x\"}}"), ENTITIES, 422);
        failed(put("/user/big", "{\"roles\": [" + "\"r\",".repeat(1_000) + "\"s\"]}"), ENTITIES, 422);
    }

    @Test
    void tenantsDoNotSeeOneAnothersEntities() {
        String theirs = tenant(server, "neighbours");
        put("/user/both", "{\"attributes\": {\"of\": \"demo\"}}");
        failed(server.get(ENTITIES + "/user/both", theirs), ENTITIES, 404);
        assertThat(server.put(ENTITIES + "/user/both", theirs, "{\"attributes\": {\"of\": \"them\"}}")
                        .status())
                .isEqualTo(201);
        assertThat(server.get(ENTITIES + "/user", theirs).json().path("entities"))
                .hasSize(1);
        assertThat(get("/user/both").json().at("/attributes/of").asText()).isEqualTo("demo");
        server.delete(ENTITIES + "/user/both", theirs);
        assertThat(get("/user/both").status()).isEqualTo(200);
    }

    @Test
    void withoutTheDatabaseEveryRouteSaysSo() {
        cable.cut();
        failed(get("/user/mia"), ENTITIES, 503);
        failed(get("/user"), ENTITIES, 503);
        failed(put("/user/mia", "{}"), ENTITIES, 503);
        failed(server.delete(ENTITIES + "/user/mia", server.key("admin")), ENTITIES, 503);
    }
}
