package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
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

/** What a tenant can set, and how it is read and changed. */
@ExtendWith(PostgresExtension.class)
class SettingsApiTest {
    static final String SETTINGS = "/api/v1/settings";
    private static final String THRESHOLD = SETTINGS + "/approvals.threshold";
    private static final String DENYLIST = SETTINGS + "/approvals.denylist";

    private static final String OTHER_PACK = """
            name: other
            params:
              approvals.threshold: {type: number, default: 0.5, env: OTHER_THRESHOLD}
              home: {type: text, default: eu}
              open: {type: bool, default: true}
              until: {type: time, default: "2026-01-01T00:00:00Z"}
            """;
    private static final String OTHER_RULE = """
            package other
            rule "never" when Request( action == "never.asked" ) then decision.allow("NEVER"); end
            """;

    @TempDir
    static Path packs;

    private static Cable cable;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        cable = new Cable(database.host(), database.port());
        server = RunningServer.start(
                database,
                cable.port(),
                Map.of("APPROVALS_ALLOWLIST", "a, b"),
                RunningServer.checkout("rules/packs/base"),
                RunningServer.pack(packs, OTHER_PACK, OTHER_RULE));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        cable.close();
    }

    @AfterEach
    void setNothing() {
        for (JsonNode setting : server.get(SETTINGS, admin()).json().path("settings")) {
            if (setting.path("version").asLong() > 0) {
                assertThat(server.agreedDelete(
                                        SETTINGS + "/" + setting.path("name").asText(), admin())
                                .status())
                        .isEqualTo(200);
            }
        }
    }

    private static String admin() {
        return server.key("admin");
    }

    private static Reply put(String path, String value, String... headers) {
        return server.agreedPut(path, admin(), "{\"value\": " + value + "}", headers);
    }

    private static void problem(Reply reply, int status, String kind, String detail) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.json().path("type").asText()).isEqualTo("urn:countersign:problem:" + kind);
        assertThat(reply.json().path("detail").asText()).contains(detail);
    }

    @Test
    void everythingThatPacksDeclareIsListedWithItsValueAndWhereThatComesFrom() {
        put(DENYLIST, "[\"rm\"]");
        JsonNode all = server.get(SETTINGS, server.key("author")).json().path("settings");
        assertThat(all.findValuesAsText("name")).contains("approvals.threshold", "tools.dangerous", "home");
        JsonNode threshold = named(all, "approvals.threshold");
        assertThat(threshold.path("type").asText()).isEqualTo("number");
        assertThat(threshold.path("description").asText()).contains("confidence");
        assertThat(threshold.path("default").asDouble()).isEqualTo(0.85);
        assertThat(threshold.path("source").asText()).isEqualTo("default");
        assertThat(threshold.path("version").asLong()).isZero();
        JsonNode allowlist = named(all, "approvals.allowlist");
        assertThat(allowlist.path("type").asText()).isEqualTo("list");
        assertThat(allowlist.path("value").toString()).isEqualTo("[\"a\",\"b\"]");
        assertThat(allowlist.path("source").asText()).isEqualTo("environment");
        JsonNode denylist = named(all, "approvals.denylist");
        assertThat(denylist.path("value").toString()).isEqualTo("[\"rm\"]");
        assertThat(denylist.path("default").toString()).isEqualTo("[]");
        assertThat(denylist.path("source").asText()).isEqualTo("tenant");
        assertThat(denylist.path("in_use").asBoolean()).isTrue();
        assertThat(server.key("admin")).startsWith(denylist.path("updated_by").asText());
    }

    private static JsonNode named(JsonNode settings, String name) {
        for (JsonNode setting : settings) {
            if (setting.path("name").asText().equals(name)) {
                return setting;
            }
        }
        throw new AssertionError("no setting " + name + " in " + settings);
    }

    @Test
    void packsThatDeclareOneNameShareWhatTheTenantSetsAndKeepTheirDefaults() {
        JsonNode before = server.get(THRESHOLD, admin()).json();
        assertThat(before.path("packs").findValuesAsText("default")).containsExactly("0.85", "0.5");
        JsonNode after = put(THRESHOLD, "0.9").json();
        assertThat(after.path("packs").findValuesAsText("value")).containsExactly("0.9", "0.9");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "approvals.threshold | 1 | 1",
                "approvals.threshold | 0.125 | 0.125",
                "home | \"u\\u0000s\" | \"u\\u0000s\"",
                "open | false | false",
                "until | \"2026-01-31T02:00:00+02:00\" | \"2026-01-31T00:00:00Z\"",
                "approvals.denylist | [\"a,b\", \" c\", \"😀*\"] | [\"a,b\",\" c\",\"😀*\"]",
                "approvals.denylist | [] | []"
            })
    void aValueIsReadBackAsItWasSet(String name, String value, String read) {
        String path = SETTINGS + "/" + name;
        Reply set = put(path, value);
        assertThat(set.status()).as(set.body()).isEqualTo(200);
        Reply got = server.get(path, admin());
        assertThat(got.json()).isEqualTo(set.json());
        assertThat(got.json().path("value")).isEqualTo(Reply.parse(read));
        assertThat(got.header("ETag")).isEqualTo(set.header("ETag"));
    }

    @Test
    void aDeletedSettingIsAtItsOuterDefaultAgain() {
        put(THRESHOLD, "0.9");
        put(SETTINGS + "/approvals.allowlist", "[\"x\"]");
        JsonNode threshold = server.agreedDelete(THRESHOLD, admin()).json();
        assertThat(threshold.path("value").asDouble()).isEqualTo(0.85);
        assertThat(threshold.path("source").asText()).isEqualTo("default");
        JsonNode list =
                server.agreedDelete(SETTINGS + "/approvals.allowlist", admin()).json();
        assertThat(list.path("value").toString()).isEqualTo("[\"a\",\"b\"]");
        assertThat(list.path("source").asText()).isEqualTo("environment");
        assertThat(server.agreedDelete(THRESHOLD, admin()).header("ETag")).isEqualTo("\"0\"");
    }

    @Test
    void aChangeOfWhatHasChangedSinceIsRefused() {
        String first = put(THRESHOLD, "0.9").header("ETag");
        String second = put(THRESHOLD, "0.91", "If-Match", first).header("ETag");
        Reply stale = put(THRESHOLD, "0.92", "If-Match", first);
        problem(stale, 412, "precondition_failed", "read it again");
        assertThat(stale.header("ETag")).isEqualTo(second);
        problem(
                server.agreedDelete(THRESHOLD, admin(), "If-Match", first),
                412,
                "precondition_failed",
                "read it again");
        assertThat(server.get(THRESHOLD, admin()).json().path("value").asDouble())
                .isEqualTo(0.91);
        assertThat(put(THRESHOLD, "0.93", "If-Match", first + ", " + second).status())
                .isEqualTo(200);
    }

    @Test
    void aTagIsNeverGivenTwiceEvenAfterADeletion() {
        String first = put(THRESHOLD, "0.9").header("ETag");
        server.agreedDelete(THRESHOLD, admin());
        assertThat(put(THRESHOLD, "0.9").header("ETag")).isNotEqualTo(first);
        problem(put(THRESHOLD, "0.92", "If-Match", first), 412, "precondition_failed", "read it again");
    }

    @Test
    void aSettingCanBeCreatedOnlyAndChangedOnly() {
        problem(put(THRESHOLD, "0.9", "If-Match", "*"), 412, "precondition_failed", "no value of its own");
        problem(put(THRESHOLD, "0.9", "If-Match", "W/\"0\""), 412, "precondition_failed", "no value of its own");
        assertThat(put(THRESHOLD, "0.9", "If-None-Match", "*").status()).isEqualTo(200);
        problem(put(THRESHOLD, "0.91", "If-None-Match", "*"), 412, "precondition_failed", "read it again");
        assertThat(put(THRESHOLD, "0.92", "If-Match", "*").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "approvals.threshold | {\"value\": \"high\"} | needs a number, not `high`",
                "approvals.denylist | {\"value\": \"a,b\"} | needs a list of texts, not `a,b`",
                "approvals.denylist | {\"value\": [5]} | entry 1 is 5",
                "open | {\"value\": \"yes\"} | needs a bool, not `yes`",
                "until | {\"value\": \"tomorrow\"} | needs a time such as 2026-03-02T09:00:00Z",
                "until | {\"value\": \"9999-12-31T23:59:59-05:00\"} | between the years 0000 and 9999 in UTC",
                "until | {\"value\": \"0000-01-01T00:00:00+01:00\"} | between the years 0000 and 9999 in UTC",
                "home | {\"value\": 5} | needs a text, not 5",
                "home | {\"value\": null} | `value` is missing",
                "home | {} | `value` is missing"
            })
    void aValueThatDoesNotFitIsRefusedWithWhatIsExpected(String name, String body, String detail) {
        problem(server.agreedPut(SETTINGS + "/" + name, admin(), body), 422, "invalid_setting", detail);
        assertThat(server.get(SETTINGS + "/" + name, admin()).header("ETag")).isEqualTo("\"0\"");
    }

    @Test
    void aValueThatIsTooLargeIsRefused() {
        String entry = "\"" + "x".repeat(1_000) + "\"";
        assertThat(put(DENYLIST, "[" + entry + "]").status()).isEqualTo(200);
        problem(put(DENYLIST, "[" + entry.replaceFirst("x", "xx") + "]"), 422, "invalid_setting", "1000 characters");
        List<String> most = Collections.nCopies(10_000, "\"x\"");
        assertThat(put(DENYLIST, most.toString()).status()).isEqualTo(200);
        problem(
                put(DENYLIST, Collections.nCopies(10_001, "\"x\"").toString()),
                422,
                "invalid_setting",
                "10000 entries");
        problem(put(SETTINGS + "/home", "\"" + "x".repeat(10_001) + "\""), 422, "invalid_setting", "10000 characters");
        assertThat(put(SETTINGS + "/home", "\"" + "x".repeat(2 << 20) + "\"").status())
                .isEqualTo(413);
    }

    @Test
    void anUnknownNameIsNotFoundAndTheNearestIsNamed() {
        String wrong = SETTINGS + "/approvals.treshold";
        String hint = "there is no setting `approvals.treshold`; did you mean `approvals.threshold`?";
        problem(server.get(wrong, admin()), 404, "not_found", hint);
        problem(put(wrong, "1"), 404, "not_found", hint);
        problem(server.agreedDelete(wrong, admin()), 404, "not_found", hint);
        problem(server.get(SETTINGS + "/%00", admin()), 404, "not_found", "there is no setting");
        assertThat(server.get(SETTINGS + "/" + "x".repeat(3_000), admin()).body())
                .hasSizeLessThan(400);
    }

    @Test
    void aBodyThatIsNoJsonObjectIsABadRequest() {
        for (String body : List.of("", "{", "[1]", "{\"value\": 1, \"value\": 2}")) {
            assertThat(server.agreedPut(THRESHOLD, admin(), body).status())
                    .as(body)
                    .isEqualTo(400);
        }
    }

    @Test
    void onlyTheRolesForItReadAndWrite() {
        for (String name : List.of("operator", "agent", "alice")) {
            assertThat(server.get(SETTINGS, server.key(name)).status()).as(name).isEqualTo(403);
            assertThat(server.get(THRESHOLD, server.key(name)).status())
                    .as(name)
                    .isEqualTo(403);
        }
        for (String name : List.of("operator", "agent", "alice", "publisher")) {
            assertThat(server.agreedPut(THRESHOLD, server.key(name), "{\"value\": 0.1}")
                            .status())
                    .as(name)
                    .isEqualTo(403);
            assertThat(server.agreedDelete(THRESHOLD, server.key(name)).status())
                    .as(name)
                    .isEqualTo(403);
        }
        assertThat(server.get(SETTINGS, server.key("publisher")).status()).isEqualTo(200);
        assertThat(server.agreedPut(THRESHOLD, server.key("author"), "{\"value\": 0.9}")
                        .status())
                .isEqualTo(200);
        assertThat(server.send(server.request(THRESHOLD).DELETE()).status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH"})
    void anotherMethodIsAnsweredWithThoseThatThereAre(String method) {
        Reply reply = server.send(
                server.request(THRESHOLD, admin()).method(method, java.net.http.HttpRequest.BodyPublishers.noBody()));
        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.header("Allow")).isEqualTo("DELETE, GET, PUT");
    }

    @Test
    void withoutTheDatabaseSettingsAreReadAndNotChanged() {
        put(THRESHOLD, "0.9");
        cable.cut();
        try {
            RunningServer.until("it says so", () -> server.get("/readyz").json().has("warnings"));
            assertThat(server.get(THRESHOLD, admin()).json().path("value").asDouble())
                    .isEqualTo(0.9);
            assertThat(server.get(SETTINGS, admin()).status()).isEqualTo(200);
            problem(put(THRESHOLD, "0.91"), 503, "database_away", "read it again");
            problem(server.agreedDelete(THRESHOLD, admin()), 503, "database_away", "read it again");
        } finally {
            cable.mend();
        }
        RunningServer.until(
                "it is well again", () -> !server.get("/readyz").json().has("warnings"));
        RunningServer.until(
                "settings can be changed again", () -> put(THRESHOLD, "0.92").status() == 200);
        assertThat(server.get(THRESHOLD, admin()).json().path("value").asDouble())
                .isEqualTo(0.92);
    }
}
