package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A yes with obligations is a yes only to who said that it can carry them all out. */
@ExtendWith(PostgresExtension.class)
class ObligationsTest {
    private static final String RULES = """
            package duties

            rule "plain" when Request( action == "plain" ) then decision.allow("OK"); end

            rule "tell" when Request( action in ( "tell", "all" ) )
            then decision.allow("OK"); decision.oblige("notification", "to", "ops@example.com", "body", "done"); end

            rule "own" when Request( action in ( "own", "all" ) )
            then decision.allow("OK"); decision.oblige("log_payload", "level", 3, "ratio", 0.5, "full", true); end

            rule "bounded" when Request( action in ( "bounded", "all" ) )
            then decision.allow("OK"); decision.limit("calls", 5, "day"); decision.transform("mode", "draft"); end

            rule "denied" when Request( action == "denied" )
            then decision.deny("NO"); end

            rule "denied and obliging" when Request( action == "denied" )
            then decision.oblige("notification", "to", "ops@example.com"); end
            """;

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        server = RunningServer.start(database, RunningServer.pack(directory, "name: duties\nversion: 1.0.0\n", RULES));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode ask(String action, String supported) {
        String context = supported.isEmpty() ? "" : ", \"context\": {\"supported_obligations\": " + supported + "}";
        Reply reply = server.post(
                "/access/v1/evaluation",
                "{\"subject\": {\"type\": \"agent\", \"id\": \"a\"}, \"action\": {\"name\": \"" + action
                        + "\"}, \"resource\": {\"type\": \"thing\", \"id\": \"t\"}" + context + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void anAllowWithoutObligationsNeedsNoDeclaration() {
        JsonNode answer = ask("plain", "");
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.path("context").has("obligations")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[\"notification\"]",
                "[\"bogus\", \"notification\", 5, null, {}]",
                "[\"custom\", \"notification\"]"
            })
    void whoDeclaresTheTypeGetsTheYesWhateverElseTheyDeclare(String supported) {
        JsonNode answer = ask("tell", supported);
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.at("/context/obligations").toString())
                .isEqualTo("[{\"id\":\"o1\",\"type\":\"notification\","
                        + "\"properties\":{\"to\":\"ops@example.com\",\"body\":\"done\"}}]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "[\"custom\"]",
                "[\"Notification\"]",
                "\"notification\"",
                "{\"notification\": true}",
                "null"
            })
    void whoDoesNotDeclareTheTypeGetsANoThatSaysWhatIsOwed(String supported) {
        JsonNode answer = ask("tell", supported);
        assertThat(Reply.decision(answer)).isFalse();
        assertThat(answer.at("/context/reason").asText()).isEqualTo("obligations_not_supported");
        assertThat(answer.at("/context/outcome").asText()).isEqualTo("allow");
        assertThat(answer.at("/context/obligations/0/type").asText()).isEqualTo("notification");
    }

    @Test
    void anObligationOfOnesOwnIsCustomAndDeclaredAsThat() {
        assertThat(Reply.decision(ask("own", "[\"log_payload\"]"))).isFalse();
        JsonNode answer = ask("own", "[\"custom\"]");
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.at("/context/obligations").toString())
                .isEqualTo("[{\"id\":\"o1\",\"type\":\"custom\","
                        + "\"properties\":{\"name\":\"log_payload\",\"level\":3,\"ratio\":0.5,\"full\":true}}]");
    }

    @Test
    void limitsAndChangesOfMetadataTravelAsObligations() {
        assertThat(Reply.decision(ask("bounded", ""))).isFalse();
        JsonNode answer = ask("bounded", "[\"custom\"]");
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.at("/context/obligations").toString())
                .isEqualTo("[{\"id\":\"o1\",\"type\":\"custom\","
                        + "\"properties\":{\"name\":\"limit\",\"limit\":\"calls\",\"max\":5,\"per\":\"day\"}},"
                        + "{\"id\":\"o2\",\"type\":\"custom\","
                        + "\"properties\":{\"name\":\"transform\",\"member\":\"mode\",\"value\":\"draft\"}}]");
    }

    @Test
    void everyObligationMustBeDeclaredAndHasAnIdOfItsOwn() {
        assertThat(Reply.decision(ask("all", "[\"custom\"]"))).isFalse();
        assertThat(Reply.decision(ask("all", "[\"notification\"]"))).isFalse();
        JsonNode answer = ask("all", "[\"notification\", \"custom\"]");
        assertThat(Reply.decision(answer)).isTrue();
        assertThat(answer.at("/context/obligations"))
                .extracting(obligation -> obligation.path("id").asText())
                .hasSize(4)
                .doesNotHaveDuplicates();
    }

    @Test
    void aDenialStaysOneWhateverIsDeclared() {
        JsonNode answer = ask("denied", "[\"notification\", \"custom\"]");
        assertThat(Reply.decision(answer)).isFalse();
        assertThat(answer.at("/context/reason").asText()).isEqualTo("NO");
    }

    @Test
    void itemsOfABatchThatOweSomethingSaySo() {
        JsonNode answer = server.post("/access/v1/evaluations", """
                        {"subject": {"type": "agent", "id": "a"}, "resource": {"type": "thing", "id": "t"},
                         "context": {"supported_obligations": ["notification"]},
                         "evaluations": [{"action": {"name": "tell"}}, {"action": {"name": "plain"}},
                                         {"action": {"name": "tell"}, "context": {}}]}""").json();
        assertThat(answer.path("evaluations")).extracting(Reply::decision).containsExactly(true, true, false);
        assertThat(answer.at("/evaluations/0/context/obligations")).hasSize(1);
        assertThat(answer.at("/evaluations/1").has("context")).isFalse();
        assertThat(answer.at("/evaluations/2/context/obligations")).hasSize(1);
    }
}
