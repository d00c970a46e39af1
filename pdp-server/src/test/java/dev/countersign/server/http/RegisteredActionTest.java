package dev.countersign.server.http;

import static dev.countersign.server.http.ActionsApiTest.entry;
import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the registry makes of calls. The pack {@code base} denies an egress without a zone, asks for approval of what an agent
 * cannot undo, and lets the rest of what is done here through.
 */
@ExtendWith(PostgresExtension.class)
class RegisteredActionTest {
    private static final String ACTIONS = "/api/v1/actions";
    private static final String EVALUATION = "/access/v1/evaluation";
    private static final String SCHEMA =
            "\"arguments_schema\": {\"type\": \"object\", \"required\": [\"to\"], \"additionalProperties\": false,"
                    + " \"properties\": {\"to\": {\"type\": \"string\"}, \"amount\": {\"type\": \"number\"}}}";

    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        register("send", entry("egress", false, ""));
        register("wipe", entry("action", false, ""));
        register("look", entry("data_access", true, ""));
        register("checked", entry("tool_call", true, SCHEMA));
        register("checked.action", entry("action", true, SCHEMA));
    }

    @AfterAll
    static void stop() throws java.io.IOException {
        other.close();
        server.close();
    }

    private static void register(String name, String entry) {
        Reply written = server.agreedPut(ACTIONS + "/" + name, server.key("author"), entry);
        assertThat(written.status()).as(written.body()).isIn(200, 201);
    }

    private static String call(String action, String properties) {
        return """
                {"subject": {"type": "agent", "id": "bot"}, "action": {"name": "%s", "properties": {%s}},
                 "resource": {"type": "record", "id": "1"}, "context": {"confidence": 0.99, "zone": "nowhere", "destination": "x.example"}}""".formatted(action, properties);
    }

    private static String toolCall(String action, String arguments) {
        return """
                {"subject": {"type": "agent", "id": "bot"}, "action": {"name": "%s"},
                 "resource": {"type": "tool", "id": "%s", "properties": {%s}}, "context": {"confidence": 0.99, "zone": "nowhere", "destination": "x.example"}}""".formatted(action, action, arguments);
    }

    private static JsonNode record(JsonNode answer) {
        return server.record(answer.at("/context/evaluation_id").asText(), server.key("admin"));
    }

    @ParameterizedTest
    @CsvSource({
        "send,'',EGRESS_ZONE",
        "send,'\"class\": \"action\"',EGRESS_ZONE",
        "send,'\"class\": 7',EGRESS_ZONE",
        "send,'\"class\": \"unheard of\", \"reversible\": true',EGRESS_ZONE",
        "wipe,'',IRREVERSIBLE",
        "wipe,'\"reversible\": true',IRREVERSIBLE",
        "wipe,'\"reversible\": \"true\"',IRREVERSIBLE"
    })
    void aCallersClaimIsNotBelieved(String action, String claim, String code) {
        Reply reply = server.post(EVALUATION, call(action, claim));
        assertThat(reply.decision()).isFalse();
        assertThat(reply.json().at("/context/reasons").toString()).contains(code);
    }

    @Test
    void whatIsRegisteredAsHarmlessIsNotMadeWorseByAClaim() {
        Reply reply = server.post(EVALUATION, call("look", "\"class\": \"egress\", \"reversible\": false"));
        assertThat(reply.decision()).as(reply.body()).isTrue();
    }

    @Test
    void whatIsNotRegisteredIsAsTheCallerSays() {
        assertThat(server.post(EVALUATION, call("other", "")).decision()).isTrue();
        Reply egress = server.post(EVALUATION, call("other", "\"class\": \"egress\""));
        assertThat(egress.json().at("/context/reason").asText()).isEqualTo("EGRESS_ZONE");
        assertThat(record(egress.json()).has("registry")).isFalse();
    }

    @Test
    void theRecordHasTheRequestAsItWasSentAndBesideItWhatTheRegistrySaid() {
        String sent = call("send", "\"class\": \"action\", \"reversible\": false");
        Reply reply = server.post(EVALUATION, sent);
        JsonNode record = record(reply.json());
        assertThat(record.path("request")).isEqualTo(Reply.parse(sent));
        assertThat(record.path("registry"))
                .isEqualTo(Reply.parse("{\"version\": 1, \"class\": \"egress\", \"reversible\": false,"
                        + " \"risk\": \"medium\", \"overruled\": [\"class\"]}"));
        JsonNode explained = server.get(
                        "/api/v1/decisions/" + record.path("id").asText() + "/explain", server.key("admin"))
                .json();
        assertThat(explained.path("same_decision").asBoolean()).isTrue();
        assertThat(explained.toString()).contains("EGRESS_ZONE");
    }

    @Test
    void everyItemOfABatchIsJudgedByTheRegistry() {
        String batch =
                "{\"subject\": {\"type\": \"agent\", \"id\": \"bot\"}, \"resource\": {\"type\": \"record\", \"id\": \"1\"},"
                        + " \"context\": {\"confidence\": 0.99}, \"evaluations\": ["
                        + "{\"action\": {\"name\": \"look\"}},"
                        + "{\"action\": {\"name\": \"send\", \"properties\": {\"class\": \"action\"}}},"
                        + "{\"action\": {\"name\": \"checked.action\", \"properties\": {\"to\": 1}}}]}";
        JsonNode items = server.post("/access/v1/evaluations", batch).json().path("evaluations");
        assertThat(items.findValuesAsText("decision")).containsExactly("true", "false", "false");
        assertThat(items.at("/2/context/reason").asText()).isEqualTo("invalid_arguments");
        assertThat(items.at("/2/context/invalid_arguments").toString()).isEqualTo("[\"/to\"]");
    }

    private static JsonNode policy(String action, String more) {
        return server.post(
                        "/v1/policy/evaluate",
                        "{\"action\": \"" + action
                                + "\", \"context\": {\"confidence\": 0.99, \"zone\": \"nowhere\", \"destination\": \"x.example\"}"
                                + more + "}")
                .json();
    }

    @Test
    void thePolicyApiIsJudgedByTheRegistry() {
        assertThat(policy("send", "").path("reason").asText()).startsWith("EGRESS_ZONE");
        assertThat(policy("wipe", "").path("decision").asText()).isEqualTo("require_approval");
        assertThat(policy("look", "").path("decision").asText()).isEqualTo("allow");
        JsonNode refused = policy("checked", ", \"params\": {\"amount\": \"much\"}");
        assertThat(refused.path("decision").asText()).isEqualTo("deny");
        assertThat(refused.path("reason").asText()).isEqualTo("invalid_arguments: /amount, /to");
        assertThat(policy("checked", ", \"params\": {\"to\": \"bob\"}")
                        .path("decision")
                        .asText())
                .isEqualTo("allow");
    }

    @Test
    void thePolicyGateIsJudgedByTheRegistry() {
        String body = "{\"action\": \"%s\", \"context\": {\"confidence\": 0.99}%s}";
        Reply asked = server.post("/v1/authorize/action", body.formatted("wipe", ""));
        assertThat(asked.json().path("decision").asText()).isEqualTo("require_approval");
        Reply refused = server.post("/v1/authorize/tool-call", body.formatted("checked", ", \"params\": {\"too\": 1}"));
        assertThat(refused.json().path("decision").asText()).isEqualTo("deny");
        assertThat(refused.json().path("reasons").toString()).isEqualTo("[\"invalid_arguments\"]");
        assertThat(refused.json().path("invalid_arguments").toString()).isEqualTo("[\"/to\",\"/too\"]");
        Reply fits = server.post(
                "/v1/authorize/action",
                body.formatted("checked.action", ", \"resource\": \"r\", \"params\": {\"to\": \"bob\"}"));
        assertThat(fits.json().path("decision").asText()).as(fits.body()).isEqualTo("allow");
    }

    @Test
    void aGateThatAsksAtThePathOfAnotherClassIsToldSo() {
        Reply wrong = server.post("/v1/authorize/tool-call", "{\"action\": \"send\"}");
        failed(wrong, "/v1/authorize/tool-call", 422);
        assertThat(wrong.json().path("detail").asText()).contains("send", "egress");
        assertThat(server.post("/v1/authorize/egress", "{\"action\": \"send\"}").status())
                .isEqualTo(200);
    }

    @Test
    void argumentsThatBreakTheSchemaAreDeniedAndLogged() {
        Reply reply = server.post(EVALUATION, toolCall("checked", "\"to\": \"bob\", \"amount\": \"secret-7\""));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isFalse();
        assertThat(reply.json().at("/context/reason").asText()).isEqualTo("invalid_arguments");
        assertThat(reply.json().at("/context/invalid_arguments").toString()).isEqualTo("[\"/amount\"]");
        assertThat(reply.json().at("/context/risk").asText()).isEqualTo("medium");
        JsonNode record = record(reply.json());
        assertThat(record.path("decision").asText()).isEqualTo("deny");
        assertThat(record.path("reason").asText()).isEqualTo("invalid_arguments");
        assertThat(record.path("invalid_arguments").toString()).isEqualTo("[\"/amount\"]");
        assertThat(record.path("registry").toString()).doesNotContain("secret-7");
        failed(
                server.get("/api/v1/decisions/" + record.path("id").asText() + "/explain", server.key("admin")),
                "/api/v1/decisions",
                409);
        assertThat(server.post(EVALUATION, toolCall("checked", "\"to\": \"bob\", \"amount\": 7"))
                        .decision())
                .isTrue();
        assertThat(server.post(EVALUATION, toolCall("checked", "")).decision()).isFalse();
    }

    @Test
    void claimsAboutAnActionAreNoArgumentsOfIt() {
        Reply reply = server.post(EVALUATION, call("checked.action", "\"class\": \"action\", \"to\": \"bob\""));
        assertThat(reply.decision()).as(reply.body()).isTrue();
        Reply tool = server.post(EVALUATION, toolCall("checked", "\"class\": \"action\", \"to\": \"bob\""));
        assertThat(tool.json().at("/context/invalid_arguments").toString()).isEqualTo("[\"/class\"]");
    }

    @Test
    void theRiskIsTheRegistrysWhereNoRuleNamesOne() {
        String name = "risky";
        register(name, entry("action", true, "").replace("medium", "critical"));
        Reply unruled = server.post(EVALUATION, call(name, "").replace("agent", "user"));
        assertThat(unruled.json().at("/context/reason").asText()).isEqualTo("no_rule_allows");
        assertThat(unruled.json().at("/context/risk").asText()).isEqualTo("critical");
        assertThat(record(unruled.json()).path("risk").asText()).isEqualTo("critical");
        Reply denied = server.post(EVALUATION, call("send", ""));
        assertThat(denied.json().at("/context/risk").asText()).as("the rule's").isEqualTo("high");
    }

    @Test
    void aChangeIsInForceFromItsAnswerOnAndEverywhereSoonAfter() {
        String call = call("soon", "");
        assertThat(server.post(EVALUATION, call).decision()).isTrue();
        assertThat(other.post(EVALUATION, server.key("agent"), call).decision()).isTrue();
        register("soon", entry("egress", false, ""));
        assertThat(server.post(EVALUATION, call).decision()).isFalse();
        RunningServer.until(
                "the other server knows the entry",
                () -> !other.post(EVALUATION, server.key("agent"), call).decision());
        Reply gone = server.agreedDelete(ACTIONS + "/soon", server.key("author"));
        assertThat(gone.status()).isEqualTo(404);
        assertThat(server.post(EVALUATION, call).decision()).isTrue();
        RunningServer.until(
                "the other server knows that it is gone",
                () -> other.post(EVALUATION, server.key("agent"), call).decision());
    }

    @Test
    void anotherTenantsRegistryCountsForNothing() {
        String admin = tenant(server, "neighbours");
        String decide = made(server.post(Managing.KEYS, admin, "{\"name\": \"pep\", \"roles\": [\"decide\"]}"))
                .path("secret")
                .asText();
        assertThat(server.post(EVALUATION, decide, call("send", "")).decision()).isTrue();
        made(server.put(ACTIONS + "/quiet", admin, entry("egress", false, "")));
        assertThat(server.post(EVALUATION, decide, call("quiet", "")).decision())
                .isFalse();
        assertThat(server.post(EVALUATION, call("quiet", "")).decision()).isTrue();
        assertThat(server.post(EVALUATION, call("send", ""))
                        .json()
                        .at("/context/reason")
                        .asText())
                .isEqualTo("EGRESS_ZONE");
    }

    @ParameterizedTest
    @CsvSource({"text,not JSON", "remote,{\"$ref\": \"https://example.com/x\"}"})
    void aSchemaThatWasStoredOtherwiseAndCannotBeUsedRefusesTheCallsOfItsAction(
            String name, String schema, @AsOwner PostgresAddress database) throws Exception {
        register(name, entry("tool_call", true, ""));
        String call = toolCall(name, "");
        assertThat(server.post(EVALUATION, call).decision()).isTrue();
        Sql.execute(database, "update actions set arguments_schema = '" + schema + "' where name = '" + name + "'");
        RunningServer.until(
                "the server has read it", () -> !server.post(EVALUATION, call).decision());
        assertThat(server.post(EVALUATION, call)
                        .json()
                        .at("/context/invalid_arguments")
                        .toString())
                .isEqualTo("[\"\"]");
        assertThat(server.post(EVALUATION, toolCall("checked", "\"to\": \"bob\""))
                        .decision())
                .isTrue();
    }

    @Test
    void otherChangesOfTheTenantKeepTheRegistry() {
        Reply row = server.post("/api/v1/policies", server.key("author"), """
                {"name": "unrelated", "scope": "tenant", "effect": "deny", "action_pattern": "unrelated"}""");
        assertThat(row.status()).isEqualTo(201);
        assertThat(server.post(EVALUATION, call("send", "\"class\": \"action\""))
                        .decision())
                .isFalse();
    }
}
