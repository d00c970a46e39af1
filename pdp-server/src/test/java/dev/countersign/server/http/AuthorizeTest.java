package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The policy gate: each class of action at its own path, always the truth. */
@ExtendWith(PostgresExtension.class)
class AuthorizeTest {
    private static final String MANIFEST = """
            name: gate
            version: 1.0.0
            attributes:
              sum: {type: number, from: arguments.sum}
              token: {type: text, from: context.token}
            approvals:
              default:
                stages: [{name: review, quorum: 1, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 1h
            """;
    private static final String RULES = """
            package gate

            rule "fine" @reason("All is well") when Request( action == "fine" ) then decision.allow("FINE"); end

            rule "never" @risk(critical) when Request( action == "never" ) then decision.deny("NEVER"); end

            rule "ask" when Request( action == "ask" ) then decision.requireApproval("ASK", "default"); end

            rule "capped" when Request( action in ( "capped", "both" ) )
            then decision.allow("CAPPED"); decision.limit("calls", 5, "day"); end

            rule "told" when Request( action in ( "told", "both" ) )
            then decision.allow("TOLD"); decision.oblige("notification", "to", "desk"); end

            rule "small" when Request( action == "pay", sum <= 100 ) then decision.allow("SMALL"); end

            rule "large" when Request( action == "pay", sum > 100 ) then decision.deny("LARGE"); end

            rule "shown" when Request( action == "show", token == "s3cr3t-capability" ) then decision.allow("SHOWN"); end

            rule "calls tools" when Request( action == "which", actionClass == "tool_call", tool == "which" )
            then decision.allow("TOOL_CALL"); end

            rule "reads data" when Request( action == "which", actionClass == "data_access", resourceId == "r" )
            then decision.allow("DATA_ACCESS"); end

            rule "acts" when Request( action == "which", actionClass == "action" ) then decision.allow("ACTION"); end

            rule "sends" when Request( action == "which", actionClass == "egress", destination == "d", zone == "z" )
            then decision.allow("EGRESS"); end
            """;

    private static RunningServer server;
    private static PostgresAddress owner;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        owner = database;
        server = RunningServer.start(database, RunningServer.pack(directory, MANIFEST, RULES));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** The least that a path takes. */
    private static String body(AuthorizeHandler.Kind kind, String action, String more) {
        String resource = kind == AuthorizeHandler.Kind.DATA_ACCESS ? ", \"resource\": \"r\"" : "";
        return "{\"action\": \"" + action + "\"" + resource + (more.isEmpty() ? "" : ", " + more) + "}";
    }

    private static JsonNode answer(AuthorizeHandler.Kind kind, String body) {
        Reply reply = server.post(kind.path(), body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private static JsonNode record(JsonNode answer) {
        return server.record(answer.path("traceId").asText(), server.key("admin"));
    }

    private static String refused(AuthorizeHandler.Kind kind, int status, String body) {
        Reply reply = server.post(kind.path(), body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        return reply.json().path("detail").asText();
    }

    @ParameterizedTest
    @EnumSource
    void everyOutcomeIsTold(AuthorizeHandler.Kind kind) {
        JsonNode fine = answer(kind, body(kind, "fine", ""));
        assertThat(fine.toString())
                .isEqualTo("{\"decision\":\"allow\",\"reason\":\"FINE: All is well\",\"risk\":\"low\","
                        + "\"policyId\":\"gate/fine\",\"traceId\":\""
                        + fine.path("traceId").asText() + "\",\"reasons\":[\"FINE\"],\"rules\":[\"gate/fine\"]}");
        JsonNode never = answer(kind, body(kind, "never", "\"enforcement_mode\": \"shadow\""));
        assertThat(never.path("decision").asText()).isEqualTo("deny");
        assertThat(never.path("risk").asText()).isEqualTo("critical");
        assertThat(never.path("enforcement_mode").asText()).isEqualTo("shadow");
        assertThat(answer(kind, body(kind, "unheard of", "")).path("reason").asText())
                .isEqualTo("no_rule_allows");
        JsonNode ask = answer(kind, body(kind, "ask", ""));
        assertThat(ask.path("decision").asText()).isEqualTo("require_approval");
        assertThat(ask.path("approvals").toString())
                .isEqualTo("[{\"rule\":\"gate/ask\",\"code\":\"ASK\",\"template\":\"default\"}]");
        assertThat(ask.at("/access_request/template").asText()).isEqualTo("gate/default");
        JsonNode both = answer(kind, body(kind, "both", ""));
        assertThat(both.path("decision").asText()).isEqualTo("modify");
        assertThat(both.path("obligations")).hasSize(2);
        assertThat(both.path("obligations").toString()).contains("\"limit\":\"calls\"", "\"to\":\"desk\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"capped", "told"})
    void anAllowThatObligesIsNeverCalledAnAllow(String action) {
        JsonNode answer = answer(AuthorizeHandler.Kind.TOOL_CALL, "{\"action\": \"" + action + "\"}");
        assertThat(answer.path("decision").asText()).isEqualTo("modify");
        assertThat(answer.path("obligations")).hasSize(1);
    }

    @Test
    void withoutTheAttributeOfARestrictingRuleTheAnswerNamesIt() {
        JsonNode answer = answer(AuthorizeHandler.Kind.ACTION, "{\"action\": \"pay\"}");
        assertThat(answer.path("decision").asText()).isEqualTo("deny");
        assertThat(answer.path("missing_attribute").asText()).isEqualTo("sum");
    }

    @ParameterizedTest
    @EnumSource
    void thePathSaysTheClass(AuthorizeHandler.Kind kind) {
        String more = kind == AuthorizeHandler.Kind.EGRESS ? "\"destination\": \"d\", \"zone\": \"z\"" : "";
        JsonNode answer = answer(kind, body(kind, "which", more));
        assertThat(answer.path("reasons").toString()).isEqualTo("[\"" + kind.name() + "\"]");
        assertThat(record(answer).at("/request/action/properties/class").asText())
                .isEqualTo(kind.actionClass().word());
        String own = body(kind, "which", more)
                .replace(
                        "\"which\"",
                        "{\"name\": \"which\", \"properties\": {\"class\": \""
                                + kind.actionClass().word() + "\"}}");
        assertThat(answer(kind, own).path("decision").asText()).isEqualTo("allow");
    }

    static Stream<List<AuthorizeHandler.Kind>> wrong() {
        return Stream.of(AuthorizeHandler.Kind.values())
                .flatMap(kind -> Stream.of(AuthorizeHandler.Kind.values())
                        .filter(other -> other != kind)
                        .map(other -> List.of(kind, other)));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aBodyThatClaimsAnotherClassIsRefused(List<AuthorizeHandler.Kind> kinds) {
        String body = body(kinds.get(0), "fine", "")
                .replace(
                        "\"fine\"",
                        "{\"name\": \"fine\", \"properties\": {\"class\": \""
                                + kinds.get(1).actionClass().word() + "\"}}");
        assertThat(refused(kinds.get(0), 400, body))
                .contains("class` is " + kinds.get(0).actionClass().word());
    }

    @Test
    void aClassHiddenInTheArgumentsIsRefused() {
        refused(
                AuthorizeHandler.Kind.ACTION,
                400,
                "{\"action\": \"fine\", \"resource\": \"r\", \"params\": {\"class\": \"tool_call\"}}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "TOOL_CALL|{\"action\": \"pay\", \"params\": {\"sum\": SUM}}",
                "TOOL_CALL|{\"action\": \"pay\", \"tool\": \"till\", \"params\": {\"sum\": SUM}}",
                "TOOL_CALL|{\"action\": \"pay\", \"resource\": \"till\", \"params\": {\"sum\": SUM}}",
                "TOOL_CALL|{\"action\": \"pay\", \"resource\": {\"type\": \"tool\", \"id\": \"t\", \"properties\": {\"sum\": SUM}}}",
                "DATA_ACCESS|{\"action\": \"pay\", \"resource\": \"r\", \"params\": {\"sum\": SUM}}",
                "ACTION|{\"action\": \"pay\", \"params\": {\"sum\": SUM}}",
                "ACTION|{\"action\": {\"name\": \"pay\", \"properties\": {\"sum\": SUM}}, \"resource\": \"r\"}",
                "EGRESS|{\"action\": \"pay\", \"resource\": {\"type\": \"file\", \"id\": \"f\"}, \"params\": {\"sum\": SUM}}"
            })
    void paramsAreTheArgumentsWhateverTheResource(AuthorizeHandler.Kind kind, String body) {
        assertThat(answer(kind, body.replace("SUM", "100")).path("decision").asText())
                .isEqualTo("allow");
        assertThat(answer(kind, body.replace("SUM", "101")).path("decision").asText())
                .isEqualTo("deny");
    }

    @Test
    void aToolCallIsAboutTheToolThatIsNamed() {
        JsonNode record =
                record(answer(AuthorizeHandler.Kind.TOOL_CALL, "{\"action\": \"fine\", \"tool\": \"hammer\"}"));
        assertThat(record.path("resource").toString()).isEqualTo("{\"type\":\"tool\",\"id\":\"hammer\"}");
        assertThat(record.path("dialect").asText()).isEqualTo("authorize");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            nullValues = "-",
            value = {
                "-|{\"type\":\"agent\",\"id\":\"agent\"}",
                "\"bot\"|{\"type\":\"agent\",\"id\":\"bot\"}",
                "{\"type\": \"user\", \"id\": \"u\", \"properties\": {\"a\": 1}}|{\"type\":\"user\",\"id\":\"u\",\"properties\":{\"a\":1}}"
            })
    void thePrincipalIsTheSubjectAndTheCallerWhereThereIsNone(String principal, String subject) {
        String more = principal == null ? "" : "\"principal\": " + principal;
        JsonNode record =
                record(answer(AuthorizeHandler.Kind.ACTION, body(AuthorizeHandler.Kind.ACTION, "fine", more)));
        assertThat(record.at("/request/subject").toString()).isEqualTo(subject);
    }

    @ParameterizedTest
    @CsvSource({"shadow", "enforce"})
    void theModeOfTheGateIsLoggedAndChangesNothing(String mode) {
        for (String action : List.of("fine", "never", "ask", "capped")) {
            String without = body(AuthorizeHandler.Kind.TOOL_CALL, action, "");
            String with = body(AuthorizeHandler.Kind.TOOL_CALL, action, "\"enforcement_mode\": \"" + mode + "\"");
            JsonNode answer = answer(AuthorizeHandler.Kind.TOOL_CALL, with);
            assertThat(answer.path("decision"))
                    .isEqualTo(answer(AuthorizeHandler.Kind.TOOL_CALL, without).path("decision"));
            assertThat(record(answer).path("enforcement_mode").asText()).isEqualTo(mode);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "422|ACTION|{\"action\": \"fine\", \"enforcement_mode\": \"off\"}|shadow or enforce",
                "422|ACTION|{\"action\": \"fine\", \"subject\": {\"type\": \"user\", \"id\": \"u\"}}|no member `subject`",
                "422|ACTION|{\"action\": \"fine\", \"destination\": \"d\"}|no member `destination`",
                "422|EGRESS|{\"action\": \"fine\", \"tool\": \"t\"}|no member `tool`",
                "400|ACTION|{}|`action` is missing",
                "400|ACTION|{\"action\": {}}|`action.name` is missing",
                "400|ACTION|{\"action\": \"fine\", \"principal\": {\"id\": \"x\"}}|`principal` is an agent's id, or",
                "400|ACTION|{\"action\": \"fine\", \"principal\": 1}|`principal` is an agent's id, or",
                "400|ACTION|{\"action\": \"fine\", \"token\": {\"a\": \"b\"}}|`token` must be a string",
                "400|ACTION|{\"action\": \"fine\", \"context\": []}|`context` must be an object",
                "400|ACTION|{\"action\": \"fine\", \"params\": []}|`params` must be an object",
                "400|ACTION|{\"action\": {\"name\": \"fine\", \"properties\": 1}}|`action.properties` must be an object",
                "400|ACTION|{\"action\": \"fine\", \"zone\": \"a\", \"context\": {\"zone\": \"b\"}}|`context.zone` differ",
                "400|EGRESS|{\"action\": \"fine\", \"destination\": \"a\", \"context\": {\"destination\": \"b\"}}|differ",
                "400|DATA_ACCESS|{\"action\": \"fine\"}|`resource` is missing",
                "400|TOOL_CALL|{\"action\": \"fine\", \"tool\": 1}|`tool` must be a string",
                "400|TOOL_CALL|{\"action\": \"fine\", \"tool\": \"a\", \"resource\": \"b\"}|not both",
                "400|TOOL_CALL|{\"action\": \"fine\", \"resource\": {\"type\": \"file\", \"id\": \"f\"}}|has the type `tool`",
                "400|TOOL_CALL|{\"action\": \"fine\", \"params\": {}, \"resource\": {\"type\": \"tool\", \"id\": \"f\", \"properties\": {}}}|not both"
            })
    void whatIsNoQuestionIsRefusedWithoutADecision(int status, AuthorizeHandler.Kind kind, String body, String why) {
        assertThat(refused(kind, status, body)).contains(why);
    }

    @Test
    void aZoneGivenTwiceAlikeIsFine() {
        answer(
                AuthorizeHandler.Kind.EGRESS,
                "{\"action\": \"fine\", \"zone\": \"a\", \"context\": {\"zone\": \"a\", \"mode\": \"auto\"}}");
    }

    @Test
    void aTokenIsJudgedAndStandsNowhereInClear() throws Exception {
        String secret = "s3cr3t-capability";
        String more = "\"token\": \"" + secret + "\"";
        JsonNode shown = answer(AuthorizeHandler.Kind.TOOL_CALL, body(AuthorizeHandler.Kind.TOOL_CALL, "show", more));
        assertThat(shown.path("decision").asText()).isEqualTo("allow");
        JsonNode denied = answer(AuthorizeHandler.Kind.TOOL_CALL, body(AuthorizeHandler.Kind.TOOL_CALL, "never", more));
        for (JsonNode answer : List.of(shown, denied)) {
            assertThat(answer.toString()).doesNotContain(secret);
            assertThat(record(answer).at("/request/context/token/sha256").asText())
                    .isEqualTo(Sha256.hex(secret));
        }
        String refusal = refused(
                AuthorizeHandler.Kind.TOOL_CALL,
                400,
                "{\"action\": \"fine\", " + more + ", \"context\": {\"token\": \"another\"}}");
        assertThat(refusal).contains("differ").doesNotContain(secret);
        String holding = " where strpos(row_to_json(t)::text, '" + secret + "') > 0";
        assertThat(Sql.query(owner, "select count(*) from decisions t" + holding))
                .isEqualTo("0");
        assertThat(Sql.query(owner, "select count(*) from events t" + holding)).isEqualTo("0");
        assertThat(Sql.query(
                        owner,
                        "select count(*) from events where id = '"
                                + denied.path("traceId").asText() + "'"))
                .isEqualTo("1");
        try (Stream<Path> files = Files.walk(server.directory())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .as(file.toString())
                        .doesNotContain(secret);
            }
        }
    }
}
