package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.util.ArrayList;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Policies that are rows: how they are written, and that they judge. */
@ExtendWith(PostgresExtension.class)
class PoliciesApiTest {
    private static final String POLICIES = "/api/v1/policies";
    private static final String EVALUATION = "/access/v1/evaluation";

    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws java.io.IOException {
        other.close();
        server.close();
    }

    private static String row(String name, String effect, String more) {
        return "{\"name\": \"" + name + "\", \"scope\": \"tenant\", \"effect\": \"" + effect + "\""
                + (more.isEmpty() ? "" : ", " + more) + "}";
    }

    private static String amountAbove(int limit) {
        return "\"action_pattern\": \"pay.*\", \"rule_expr\": {\"when\": {\"field\": \"amount\", \"op\": \">\", \"value\": "
                + limit + "}}";
    }

    private static String path(JsonNode policy) {
        return POLICIES + "/" + policy.path("id").asText();
    }

    private static JsonNode pay(RunningServer at, String secret, int amount) {
        Reply reply = at.post("/v1/policy/evaluate", secret, """
                {"action": "pay.out", "params": {"amount": %d}, "context": {"confidence": 0.99}}""".formatted(amount));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void aPolicyJudgesFromItsAnswerOnAndEverywhereSoonAfter() {
        String admin = tenant(server, "acme");
        String decide = made(server.post("/api/v1/keys", admin, "{\"name\": \"pep\", \"roles\": [\"decide\"]}"))
                .path("secret")
                .asText();
        RunningServer.until(
                "the other server knows the key",
                () -> other.post("/v1/policy/evaluate", decide, "{\"action\": \"x\"}")
                                .status()
                        == 200);
        assertThat(pay(other, decide, 50).path("decision").asText()).isEqualTo("allow");

        Reply written = server.post(POLICIES, admin, row("No large payments", "deny", amountAbove(100)));
        JsonNode policy = made(written);
        assertThat(written.header("ETag")).isEqualTo("\"1\"");
        assertThat(written.header("Location")).isEqualTo(path(policy));
        JsonNode denied = pay(server, decide, 101);
        assertThat(denied.path("decision").asText()).isEqualTo("deny");
        assertThat(denied.path("policyId").asText())
                .isEqualTo("policies/" + policy.path("id").asText());
        assertThat(pay(server, decide, 100).path("decision").asText()).isEqualTo("allow");
        RunningServer.until(
                "the other server knows the policy",
                () -> pay(other, decide, 101).path("decision").asText().equals("deny"));

        Reply tighter = server.put(path(policy), admin, row("No large payments", "deny", amountAbove(10)));
        assertThat(tighter.status()).as(tighter.body()).isEqualTo(200);
        assertThat(tighter.header("ETag")).isEqualTo("\"2\"");
        assertThat(pay(server, decide, 11).path("decision").asText()).isEqualTo("deny");
        RunningServer.until(
                "the other server knows the new one",
                () -> pay(other, decide, 11).path("decision").asText().equals("deny"));
    }

    @Test
    void anExplanationNamesTheRow() {
        String admin = server.key("admin");
        JsonNode policy = made(server.post(
                POLICIES,
                admin,
                row("Nobody shreds", "deny", "\"action_pattern\": \"shred\", \"reason\": \"NO_SHREDDING\"")));
        Reply denied = server.post(EVALUATION, """
                {"subject": {"type": "user", "id": "alice"}, "action": {"name": "shred"},
                 "resource": {"type": "record", "id": "1"}}""");
        assertThat(denied.decision()).isFalse();
        String id = denied.json().at("/context/evaluation_id").asText();
        assertThat(server.record(id, admin).toString()).contains("NO_SHREDDING");
        JsonNode explained =
                server.get("/api/v1/decisions/" + id + "/explain", admin).json();
        assertThat(explained.toString()).contains(policy.path("id").asText());
        assertThat(explained.path("same_decision").asBoolean()).isTrue();
    }

    @Test
    void whatIsWrittenIsWhatIsRead() {
        String admin = server.key("admin");
        String body = """
                {"name": "All of it", "description": "what can be said", "scope": "agent", "scope_ref": "builder",
                 "owner": "alice", "effect": "modify", "action_pattern": "deploy*", "resource_pattern": "service/prod-*",
                 "rule_expr": {"when": {"any": [{"field": "confidence", "op": "<", "value": 0.5},
                                                {"not": {"field": "zone", "op": "in", "value": ["a", "b"]}}]},
                               "then": {"mode": "draft", "limits": [{"name": "tokens", "max": 1000, "per": "run"}]}},
                 "risk": "high", "reason": "CAREFUL", "enabled": false}""";
        JsonNode policy = made(server.post(POLICIES, admin, body));
        JsonNode read = server.get(path(policy), admin).json();
        Reply.parse(body)
                .properties()
                .forEach(member -> assertThat(read.path(member.getKey()))
                        .as(member.getKey())
                        .isEqualTo(member.getValue()));
        assertThat(read.path("created_by").asText()).isEqualTo(admin.substring(0, 12));
    }

    @Test
    void aStaleWriterIsToldSoAndChangesNothing() {
        String admin = server.key("admin");
        JsonNode policy = made(server.post(POLICIES, admin, row("one", "deny", "\"action_pattern\": \"stale\"")));
        String two = row("two", "deny", "\"action_pattern\": \"stale\"");
        assertThat(server.put(path(policy), admin, two, "If-Match", "\"1\"").status())
                .isEqualTo(200);
        Reply stale = server.put(path(policy), admin, row("three", "deny", ""), "If-Match", "\"1\"");
        failed(stale, POLICIES, 412);
        assertThat(stale.header("ETag")).isEqualTo("\"2\"");
        failed(server.delete(path(policy), admin, "If-Match", "\"1\""), POLICIES, 412);
        assertThat(server.get(path(policy), admin).json().path("name").asText()).isEqualTo("two");
        failed(server.put(POLICIES + "/" + UUID.randomUUID(), admin, two), POLICIES, 404);
        failed(server.delete(POLICIES + "/" + UUID.randomUUID(), admin), POLICIES, 404);
        failed(server.get(POLICIES + "/x", admin), POLICIES, 404);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"field\": \"amont\", \"op\": \">\", \"value\": 1} | /rule_expr/when/field | amount",
                "{\"field\": \"zone\", \"op\": \">\", \"value\": 1} | /rule_expr/when | ",
                "{\"all\": [{\"field\": \"zone\", \"op\": \"==\", \"value\": 1}]} | /rule_expr/when/all/0 | quotes",
                "{\"field\": \"amount\", \"op\": \"over\", \"value\": 1} | /rule_expr/when/op | ",
            })
    void aMistakeIsToldWithItsPlaceAndNothingIsStored(String when, String pointer, String hint) {
        String admin = server.key("admin");
        int before = server.get(POLICIES + "?action=mistake", admin)
                .json()
                .path("policies")
                .size();
        Reply refused = server.post(
                POLICIES,
                admin,
                row("wrong", "deny", "\"action_pattern\": \"mistake\", \"rule_expr\": {\"when\": " + when + "}"));
        failed(refused, POLICIES, 422);
        JsonNode error = refused.json().path("errors").path(0);
        assertThat(error.path("pointer").asText()).startsWith(pointer);
        if (hint != null) {
            assertThat(error.toString()).contains(hint);
        }
        assertThat(server.get(POLICIES + "?action=mistake", admin).json().path("policies"))
                .hasSize(before);
    }

    @Test
    void allMistakesComeAtOnce() {
        Reply refused = server.post(POLICIES, server.key("admin"), """
                {"name": 5, "scope": "galaxy", "effect": "explode", "risk": "none", "color": "red", "enabled": "yes",
                 "rule_expr": {"when": {"field": "nothing", "op": "==", "value": 1}}}""");
        failed(refused, POLICIES, 422);
        var pointers = new ArrayList<String>();
        refused.json()
                .path("errors")
                .forEach(error -> pointers.add(error.path("pointer").asText()));
        assertThat(pointers)
                .contains("/name", "/scope", "/effect", "/risk", "/color", "/enabled", "/rule_expr/when/field");
    }

    @Test
    void theDeepestAndTheLongestAreRefusedWithoutAFuss() {
        String admin = server.key("admin");
        failed(server.post(POLICIES, admin, nested(500)), POLICIES, 400);
        failed(server.post(POLICIES, admin, nested(25)), POLICIES, 422);
        failed(server.post(POLICIES, admin, nested(6)), POLICIES, 422);
        String longer = "\"" + "x".repeat(70_000) + "\"";
        String when = "{\"field\": \"zone\", \"op\": \"==\", \"value\": " + longer + "}";
        failed(
                server.post(POLICIES, admin, row("long", "deny", "\"rule_expr\": {\"when\": " + when + "}")),
                POLICIES,
                422);
        failed(server.post(POLICIES, admin, row("nul\\u0000", "deny", "")), POLICIES, 422);
        failed(server.post(POLICIES, admin, row("n".repeat(1_000), "deny", "")), POLICIES, 422);
    }

    private static String nested(int depth) {
        String when =
                "{\"not\": ".repeat(depth) + "{\"field\": \"amount\", \"op\": \">\", \"value\": 1}" + "}".repeat(depth);
        return row("deep", "deny", "\"rule_expr\": {\"when\": " + when + "}");
    }

    @Test
    void policiesComeInPagesAndByWhatTheyAre() {
        String admin = tenant(server, "pages");
        for (int i = 0; i < 5; i++) {
            boolean on = i % 2 == 0;
            made(server.post(
                    POLICIES,
                    admin,
                    row("p" + i, on ? "deny" : "allow", "\"action_pattern\": \"page" + i + "\", \"enabled\": " + on)));
        }
        var seen = new ArrayList<String>();
        String next = "";
        do {
            JsonNode page = server.get(POLICIES + "?limit=2" + (next.isEmpty() ? "" : "&after=" + next), admin)
                    .json();
            page.path("policies").forEach(each -> seen.add(each.path("name").asText()));
            next = page.path("next").asText();
        } while (!next.isEmpty());
        assertThat(seen).containsExactly("p0", "p1", "p2", "p3", "p4");
        assertThat(server.get(POLICIES + "?effect=deny", admin).json().path("policies"))
                .hasSize(3);
        assertThat(server.get(POLICIES + "?action=page3", admin).json().path("policies"))
                .hasSize(1);
        assertThat(server.get(POLICIES + "?enabled=false", admin).json().path("policies"))
                .hasSize(2);
        failed(server.get(POLICIES + "?enabled=maybe", admin), POLICIES, 400);
    }

    @Test
    void whatBecameOfAPolicyIsKeptWhenItIsGone() {
        String admin = server.key("admin");
        JsonNode policy = made(server.post(POLICIES, admin, row("first", "deny", "\"action_pattern\": \"gone\"")));
        server.put(path(policy), admin, row("second", "deny", "\"action_pattern\": \"gone\""));
        JsonNode history = server.get(path(policy) + "/history?limit=1", admin).json();
        assertThat(history.at("/history/0/policy/name").asText()).isEqualTo("first");
        history = server.get(
                        path(policy) + "/history?after=" + history.path("next").asText(), admin)
                .json();
        assertThat(history.at("/history/0/policy/name").asText()).isEqualTo("second");
        assertThat(history.path("history")).hasSize(1);
    }

    @Test
    void aRowThatNoPackCanReadAnyMoreFailsClosed(@AsOwner PostgresAddress database) throws Exception {
        String admin = tenant(server, "unfit");
        String decide = made(server.post("/api/v1/keys", admin, "{\"name\": \"pep\", \"roles\": [\"decide\"]}"))
                .path("secret")
                .asText();
        JsonNode policy = made(server.post(POLICIES, admin, row("odd", "deny", amountAbove(1_000_000))));
        assertThat(pay(server, decide, 1).path("decision").asText()).isEqualTo("allow");
        Sql.execute(
                database,
                "update policies set rule_expr = '{\"when\": {\"field\": \"gone\", \"op\": \"==\", \"value\": 1}}', version = 2"
                        + " where id = '" + policy.path("id").asText() + "'");
        RunningServer.until(
                "it denies what it may be about",
                () -> pay(server, decide, 1).path("decision").asText().equals("deny"));
        assertThat(pay(server, decide, 1).path("reason").asText()).contains("missing_attribute");
    }

    @Test
    void theOperatorsRowsJudgeEveryTenant() {
        String admin = tenant(server, "everyone");
        String decide = made(server.post("/api/v1/keys", admin, "{\"name\": \"pep\", \"roles\": [\"decide\"]}"))
                .path("secret")
                .asText();
        assertThat(pay(server, decide, 77).path("decision").asText()).isEqualTo("allow");
        String global = """
                {"name": "no 77", "scope": "global", "effect": "deny", "action_pattern": "pay.out",
                 "rule_expr": {"when": {"field": "amount", "op": "==", "value": 77}}}""";
        JsonNode policy = made(server.post(POLICIES, server.key("operator"), global));
        assertThat(pay(server, decide, 77).path("decision").asText()).isEqualTo("deny");
        failed(server.get(path(policy), admin), POLICIES, 404);
        failed(server.put(path(policy), admin, row("mine", "deny", "")), POLICIES, 404);
        failed(server.post(POLICIES, admin, global), POLICIES, 422);
        failed(server.post(POLICIES, server.key("operator"), row("theirs", "deny", "")), POLICIES, 422);
    }

    @Test
    void theSchemaIsServed() {
        JsonNode schema = server.get(POLICIES + "/schema", server.key("author")).json();
        assertThat(schema.path("$schema").asText()).isEqualTo("https://json-schema.org/draft/2020-12/schema");
    }

    @Test
    void moreRowsThanMayBeAreRefused(@AsOwner PostgresAddress database) throws Exception {
        String admin = tenant(server, "crowd");
        Sql.execute(
                database,
                "insert into policies (id, tenant, name, scope, effect, action_pattern, enabled, version, created_at,"
                        + " updated_at) select gen_random_uuid(), 'crowd', 'row ' || i, 'tenant', 'deny',"
                        + " case when i <= 500 then 'x' || i || '*' else 'busy' end, false, 1, now(), now()"
                        + " from generate_series(1, 2500) i");
        Reply pattern = server.post(POLICIES, admin, row("one more", "deny", "\"action_pattern\": \"more.*\""));
        failed(pattern, POLICIES, 422);
        assertThat(pattern.json().at("/errors/0/pointer").asText()).isEqualTo("/action_pattern");
        failed(server.post(POLICIES, admin, row("one more", "deny", "\"action_pattern\": \"busy\"")), POLICIES, 422);
        made(server.post(POLICIES, admin, row("another", "deny", "\"action_pattern\": \"quiet\"")));
    }
}
