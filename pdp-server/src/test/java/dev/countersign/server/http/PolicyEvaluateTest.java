package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exact answers of {@code POST /v1/policy/evaluate}, which callers of before rely on. */
@ExtendWith(PostgresExtension.class)
class PolicyEvaluateTest {
    private static final String MANIFEST = """
            name: till
            version: 1.0.0
            attributes:
              sum: {type: number, from: arguments.sum}
            """;
    private static final String RULES = """
            package till

            rule "small payment"
            when Request( action == "pay", sum <= 100 )
            then decision.allow("SMALL"); end

            rule "large payment"
            when Request( action == "pay", sum > 100 )
            then decision.deny("LARGE"); end

            rule "gift"
            when Request( action == "give" )
            then decision.allow("GIFT"); decision.oblige("notification", "to", "desk"); end
            """;

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("TOOLS_DANGEROUS_SUBJECTS", "trusted"),
                RunningServer.checkout("rules/packs/base"),
                RunningServer.pack(directory, MANIFEST, RULES));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static String answer(String body) {
        Reply reply = server.post("/v1/policy/evaluate", body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        return reply.body().replaceFirst("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "ID");
    }

    @Test
    void anAllow() {
        assertThat(answer("{\"action\": \"summarize\", \"context\": {\"confidence\": 0.9}}"))
                .isEqualTo(
                        "{\"decision\":\"allow\",\"reason\":\"CONFIDENT: The agent is sure enough to act by itself\","
                                + "\"risk\":\"low\",\"policyId\":\"base/threshold reached\",\"traceId\":\"ID\"}");
    }

    @Test
    void aDeny() {
        assertThat(answer("{\"action\": \"natural_language_db_write\"}"))
                .isEqualTo("{\"decision\":\"deny\",\"reason\":\"TOOL_RESTRICTED: This tool is kept for the applications"
                        + " and subjects that the operator names\",\"risk\":\"critical\","
                        + "\"policyId\":\"base/dangerous tool\",\"traceId\":\"ID\"}");
    }

    @Test
    void aDenyThatNoRuleSettled() {
        assertThat(answer("{\"action\": \"x\", \"subject\": {\"type\": \"user\", \"id\": \"alice\"}}"))
                .isEqualTo("{\"decision\":\"deny\",\"reason\":\"no_rule_allows\",\"risk\":\"high\","
                        + "\"policyId\":null,\"traceId\":\"ID\"}");
    }

    @Test
    void aDenyForWantOfAnAttribute() {
        assertThat(answer("{\"action\": \"pay\", \"subject\": {\"type\": \"user\", \"id\": \"alice\"}}"))
                .isEqualTo("{\"decision\":\"deny\",\"reason\":\"missing_attribute\",\"risk\":\"high\","
                        + "\"policyId\":\"till/large payment\",\"traceId\":\"ID\"}");
    }

    @Test
    void aCallThatNeedsApproval() {
        assertThat(answer("{\"action\": \"summarize\", \"reason\": \"the customer asked\"}"))
                .isEqualTo("{\"decision\":\"require_approval\",\"reason\":\"LOW_CONFIDENCE: The agent is not sure"
                        + " enough, or does not say how sure it is\",\"risk\":\"medium\","
                        + "\"policyId\":\"base/threshold not reached\",\"traceId\":\"ID\"}");
    }

    @Test
    void anAllowThatChangesMetadataIsAModify() {
        assertThat(answer("{\"action\": \"natural_language_db_write\", \"context\": {\"confidence\": 1},"
                        + " \"subject\": {\"type\": \"agent\", \"id\": \"trusted\"}}"))
                .isEqualTo(
                        "{\"decision\":\"modify\",\"reason\":\"CONFIDENT: The agent is sure enough to act by itself\","
                                + "\"risk\":\"low\",\"policyId\":\"base/threshold reached\",\"traceId\":\"ID\"}");
    }

    @Test
    void withoutASubjectTheCallerAsksForItselfAndWithoutAResourceTheActionIsATool() {
        String id = server.post("/v1/policy/evaluate", "{\"action\": \"summarize\"}")
                .json()
                .path("traceId")
                .asText();
        RunningServer.until("the decision is in the table", () -> record(id).status() == 200);
        assertThat(record(id).json().path("request").toString())
                .isEqualTo("{\"subject\":{\"type\":\"agent\",\"id\":\"agent\"},\"action\":{\"name\":\"summarize\"},"
                        + "\"resource\":{\"type\":\"tool\",\"id\":\"summarize\"}}");
        assertThat(record(id).json().path("dialect").asText()).isEqualTo("policy_evaluate");
    }

    private static Reply record(String id) {
        return server.get("/api/v1/decisions/" + id, server.key("admin"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"params\": {\"sum\": SUM}",
                "\"params\": {\"sum\": SUM}, \"resource\": {\"type\": \"tool\", \"id\": \"pay\"}",
                "\"params\": {\"sum\": SUM}, \"resource\": \"account-1\"",
                "\"params\": {\"sum\": SUM}, \"resource\": {\"type\": \"account\", \"id\": \"1\"}",
                "\"resource\": {\"type\": \"tool\", \"id\": \"pay\", \"properties\": {\"sum\": SUM}}"
            })
    void paramsAreTheArgumentsWhateverTheResource(String members) {
        String call = "{\"action\": \"pay\", \"subject\": {\"type\": \"user\", \"id\": \"alice\"}, " + members + "}";
        assertThat(answer(call.replace("SUM", "100"))).contains("\"decision\":\"allow\"", "SMALL");
        assertThat(answer(call.replace("SUM", "101"))).contains("\"decision\":\"deny\"", "LARGE");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"action\": \"pay\", \"params\": {\"sum\": 1}, \"resource\": {\"type\": \"tool\", \"id\": \"pay\","
                        + " \"properties\": {\"sum\": 1000}}}",
                "{\"action\": {\"name\": \"pay\", \"properties\": {\"sum\": 1000}}, \"params\": {\"sum\": 1},"
                        + " \"resource\": \"account-1\"}"
            })
    void paramsAndPropertiesTogetherAreABadRequest(String body) {
        Reply reply = server.post("/v1/policy/evaluate", body);
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().path("detail").asText()).contains("params", "properties", "not both");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"action\": 1}",
                "{\"action\": {}}",
                "{\"action\": \"x\", \"params\": []}",
                "{\"action\": \"x\", \"params\": \"y\"}",
                "{\"action\": \"x\", \"resource\": 1}",
                "{\"action\": \"x\", \"resource\": {\"type\": \"tool\"}}",
                "{\"action\": \"x\", \"subject\": \"alice\"}",
                "{\"action\": \"x\", \"context\": []}",
                "{\"params\": {\"a\": 1}}"
            })
    void whatIsNoCallIsABadRequestWithoutADecision(String body) {
        Reply reply = server.post("/v1/policy/evaluate", body);
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().has("decision")).isFalse();
    }

    @Test
    void anAllowThatObligesIsADenyBecauseTheAnswerCannotSayToWhat() {
        Reply reply = server.post("/v1/policy/evaluate", "{\"action\": \"give\", \"context\": {\"confidence\": 0.9}}");
        assertThat(reply.json().path("decision").asText()).isEqualTo("deny");
        assertThat(reply.json().path("reason").asText()).isEqualTo("obligations_not_supported");
    }
}
