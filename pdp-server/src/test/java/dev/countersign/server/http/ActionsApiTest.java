package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The registry of actions: how it is written, and which changes take two persons. */
@ExtendWith(PostgresExtension.class)
class ActionsApiTest {
    private static final String ACTIONS = "/api/v1/actions";
    private static final String PLAIN = entry("egress", false, "");

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws java.io.IOException {
        server.close();
    }

    static String entry(String actionClass, boolean reversible, String more) {
        return "{\"class\": \"" + actionClass + "\", \"reversible\": " + reversible + ", \"risk\": \"medium\""
                + (more.isEmpty() ? "" : ", " + more) + "}";
    }

    private static String author() {
        return server.key("author");
    }

    private static Reply put(String name, String entry, String... headers) {
        return server.put(ACTIONS + "/" + name, author(), entry, headers);
    }

    @Test
    void whatIsWrittenIsWhatIsRead() {
        String body = """
                {"class": "egress", "reversible": false, "risk": "critical", "owner": "treasury",
                 "description": "Pays an invoice",
                 "arguments_schema": {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}},
                 "advisory": ["note", "/to/name"], "volatile_context": ["run_id"]}""";
        assertThat(put("pay.all", PLAIN).status()).isEqualTo(201);
        Reply written = server.agreedPut(ACTIONS + "/pay.all", author(), body);
        assertThat(written.status()).as(written.body()).isEqualTo(200);
        assertThat(written.header("ETag")).isEqualTo("\"2\"");
        JsonNode read = server.get(ACTIONS + "/pay.all", author()).json();
        Reply.parse(body)
                .properties()
                .forEach(member -> assertThat(read.path(member.getKey()))
                        .as(member.getKey())
                        .isEqualTo(member.getValue()));
        assertThat(read.path("name").asText()).isEqualTo("pay.all");
        assertThat(read.path("updated_by").asText()).isEqualTo(author().substring(0, 12));
    }

    @ParameterizedTest
    @CsvSource({
        "a%2Fb:c.d,a/b:c.d",
        "a%3Ab,a:b",
        "a.b:c,a.b:c",
        "%C3%A4%20b,ä b",
        "history,history",
        "a%2Fhistory,a/history",
        "a%2F,a/"
    })
    void aNameIsPercentEncoded(String path, String name) {
        Reply written = put(path, PLAIN);
        assertThat(written.status()).as(written.body()).isEqualTo(201);
        assertThat(written.json().path("name").asText()).isEqualTo(name);
        assertThat(server.get(ACTIONS + "/" + path, author())
                        .json()
                        .path("name")
                        .asText())
                .isEqualTo(name);
        assertThat(server.get(ACTIONS + "/" + path + "/history", author())
                        .json()
                        .path("history"))
                .hasSize(1);
    }

    @Test
    void anEntryIsWrittenByVersionAndAVersionIsNeverGivenTwice() {
        assertThat(put("v", PLAIN, "If-Match", "*").status()).isEqualTo(412);
        assertThat(put("v", PLAIN, "If-None-Match", "*").status()).isEqualTo(201);
        failed(put("v", PLAIN, "If-None-Match", "*"), ACTIONS, 412);
        String critical = PLAIN.replace("medium", "critical");
        assertThat(put("v", critical, "If-Match", "\"1\"")
                        .json()
                        .path("version")
                        .asInt())
                .isEqualTo(2);
        Reply stale = put("v", PLAIN, "If-Match", "\"1\"");
        failed(stale, ACTIONS, 412);
        assertThat(stale.header("ETag")).isEqualTo("\"2\"");
        failed(server.delete(ACTIONS + "/v", author(), "If-Match", "\"1\""), ACTIONS, 412);
        failed(server.agreedDelete(ACTIONS + "/v", author(), "If-Match", "\"2\""), ACTIONS, 404);
        failed(server.delete(ACTIONS + "/v", author()), ACTIONS, 404);
        assertThat(put("v", PLAIN).json().path("version").asInt()).isEqualTo(4);

        JsonNode history = server.get(ACTIONS + "/v/history", author()).json().path("history");
        assertThat(history).hasSize(4);
        assertThat(history.findValuesAsText("version")).containsExactly("1", "2", "3", "4");
        assertThat(history.at("/1/action/risk").asText()).isEqualTo("critical");
        assertThat(history.at("/2/action").isNull()).isTrue();
        assertThat(history.at("/2/proposal").isTextual()).isTrue();
        JsonNode page =
                server.get(ACTIONS + "/v/history?limit=1&after=2", author()).json();
        assertThat(page.at("/history/0/version").asInt()).isEqualTo(3);
        assertThat(page.path("next").asInt()).isEqualTo(3);
    }

    @Test
    void actionsComeInPagesByNameAndByClass() {
        String admin = tenant(server, "pages");
        for (String name : List.of("b", "B", "a", "c")) {
            made(server.put(ACTIONS + "/" + name, admin, PLAIN));
        }
        var seen = new ArrayList<String>();
        String next = "";
        do {
            JsonNode page = server.get(ACTIONS + "?limit=1" + (next.isEmpty() ? "" : "&after=" + next), admin)
                    .json();
            page.path("actions").forEach(each -> seen.add(each.path("name").asText()));
            next = page.path("next").asText();
        } while (!next.isEmpty());
        assertThat(seen).containsExactly("B", "a", "b", "c");
        assertThat(server.get(ACTIONS + "?class=egress", admin)
                        .json()
                        .path("actions")
                        .findValuesAsText("name"))
                .containsExactly("B", "a", "b", "c");
        assertThat(server.get(ACTIONS + "?class=tool_call", admin).json().path("actions"))
                .isEmpty();
        failed(server.get(ACTIONS + "?class=other", admin), ACTIONS, 400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|/class /reversible /risk",
                "{\"class\": \"tool\", \"reversible\": false, \"risk\": \"low\"}|/class",
                "{\"class\": \"action\", \"reversible\": \"no\", \"risk\": \"low\"}|/reversible",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"none\"}|/risk",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"own/er\": \"x\"}|/own~1er",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"owner\": 1}|/owner",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"advisory\": \"a\"}|/advisory",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"advisory\": [\"a\", \"a\", \"/~2\"]}|/advisory/1 /advisory/2",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"volatile_context\": [\"\"]}|/volatile_context/0",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"arguments_schema\": 7}|/arguments_schema",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"arguments_schema\": {\"type\": \"x\"}}|/arguments_schema/type",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"arguments_schema\": {\"$ref\": \"https://example.com/x\"}}|/arguments_schema/$ref",
                "{\"class\": \"action\", \"reversible\": false, \"risk\": \"low\", \"arguments_schema\": {\"$ref\": \"file:///etc/passwd\"}}|/arguments_schema/$ref",
            })
    void whatIsWrongIsToldWithItsPlaceAndNothingIsStored(String body, String places) {
        Reply refused = put("wrong", body);
        failed(refused, ACTIONS, 422);
        var told = new ArrayList<String>();
        refused.json()
                .path("errors")
                .forEach(error -> told.add(error.path("pointer").asText()));
        assertThat(told).contains(places.split(" "));
        failed(server.get(ACTIONS + "/wrong", author()), ACTIONS, 404);
        failed(server.get(ACTIONS + "/wrong/history", author()), ACTIONS, 404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"%0A", "a%00b"})
    void aNameThatNoneCanBeIsRefused(String name) {
        failed(put(name, PLAIN), ACTIONS, 422);
        failed(put("x".repeat(257), PLAIN), ACTIONS, 422);
        failed(server.get(ACTIONS + "/" + name, author()), ACTIONS, 404);
    }

    @Test
    void whatCouldLetMoreThroughWaitsForAnotherPerson() {
        String schema = "\"arguments_schema\": {\"type\": \"object\"}";
        made(put("two", entry("egress", false, schema)));
        for (String looser : List.of(
                entry("action", false, schema),
                entry("egress", true, schema),
                PLAIN,
                entry("egress", false, schema.replace("{\"type\": \"object\"}", "{}")),
                entry("egress", false, schema + ", \"advisory\": [\"note\"]"),
                entry("egress", false, schema + ", \"volatile_context\": [\"run_id\"]"))) {
            Reply proposed = put("two", looser);
            assertThat(proposed.status()).as(looser).isEqualTo(202);
            assertThat(proposed.json().path("kind").asText()).isEqualTo("action");
            assertThat(proposed.json().at("/diff/actions/two"))
                    .as(proposed.body())
                    .isNotEmpty();
            assertThat(proposed.json().at("/diff/widening").asText()).isEqualTo("could");
            String confirm = proposed.header("Location") + "/confirm";
            failed(server.post(confirm, author(), "{}"), ACTIONS, 403);
            assertThat(server.get(ACTIONS + "/two", author())
                            .json()
                            .path("version")
                            .asInt())
                    .isEqualTo(1);
            assertThat(server.post(proposed.header("Location") + "/reject", server.key("publisher"), "{}")
                            .status())
                    .isEqualTo(200);
        }
        assertThat(server.delete(ACTIONS + "/two", author()).status()).isEqualTo(202);
        Reply confirmed = server.agreedPut(ACTIONS + "/two", author(), entry("egress", true, schema));
        assertThat(confirmed.json().path("reversible").asBoolean()).isTrue();
        assertThat(put("two", entry("egress", false, schema)).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tool_call", "data_access", "action"})
    void aFirstEntryThatLetsCallersOffARuleOfAnotherClassWaitsToo(String actionClass) {
        Reply proposed = put("off", entry(actionClass, false, ""));
        assertThat(proposed.status()).as(proposed.body()).isEqualTo(202);
        assertThat(proposed.json().at("/diff/widening").asText()).isEqualTo("could");
        assertThat(proposed.json().at("/diff/why_not_exact").asText())
                .contains("reads the class, and callers that said another, or none, are overruled");
    }

    @Test
    void aFirstEntryThatSaysItIsReversibleWaitsToo() {
        assertThat(put("first", entry("egress", true, "")).status()).isEqualTo(202);
        failed(server.get(ACTIONS + "/first", author()), ACTIONS, 404);
    }

    @Test
    void aProposalIsOutdatedOnceTheEntryHasChanged() {
        made(put("raced", PLAIN));
        Reply proposed = put("raced", entry("action", false, ""));
        assertThat(put("raced", PLAIN.replace("medium", "high")).status()).isEqualTo(200);
        failed(server.post(proposed.header("Location") + "/confirm", server.key("publisher"), "{}"), ACTIONS, 409);
    }

    @Test
    void whoMayNotReadOrWriteDoesNot() {
        made(put("roles", PLAIN));
        for (String key : List.of("agent", "alice", "operator")) {
            failed(server.get(ACTIONS + "/roles", server.key(key)), ACTIONS, 403);
            failed(server.get(ACTIONS, server.key(key)), ACTIONS, 403);
            failed(server.put(ACTIONS + "/roles", server.key(key), PLAIN), ACTIONS, 403);
            failed(server.delete(ACTIONS + "/roles", server.key(key)), ACTIONS, 403);
        }
        String reader = made(server.post(
                        Managing.KEYS, server.key("admin"), "{\"name\": \"reader\", \"roles\": [\"policy.read\"]}"))
                .path("secret")
                .asText();
        assertThat(server.get(ACTIONS + "/roles", reader).status()).isEqualTo(200);
        failed(server.put(ACTIONS + "/roles", reader, PLAIN), ACTIONS, 403);
    }
}
