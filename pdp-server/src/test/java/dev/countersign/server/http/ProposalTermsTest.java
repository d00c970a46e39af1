package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Publishing.PROPOSALS;
import static dev.countersign.server.http.Publishing.manifest;
import static dev.countersign.server.http.Publishing.path;
import static dev.countersign.server.http.Publishing.scenario;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who confirms that something may happen on terms does not confirm that it happens on others. */
@ExtendWith(PostgresExtension.class)
class ProposalTermsTest {
    private static final String POLICIES = "/api/v1/policies";
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static Reply confirm(String id, String secret) {
        return server.post(PROPOSALS + "/" + id + "/confirm", secret, "{}");
    }

    private static JsonNode proposed(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        return reply.json();
    }

    @Test
    void aLimitThatIsTakenAwayMeanwhileIsShownAnew() {
        Publishers mine = Publishers.of(server, server, "terms-limit");
        Reply limit = server.post(POLICIES, mine.author(), """
                {"name": "few", "scope": "tenant", "effect": "modify", "action_pattern": "wash",
                 "rule_expr": {"then": {"limits": [{"name": "tokens", "max": 10, "per": "run"}]}}}""");
        assertThat(limit.status()).as(limit.body()).isEqualTo(201);
        JsonNode allow =
                proposed(server.put("/api/v1/settings/approvals.allowlist", mine.author(), "{\"value\": [\"wash\"]}"));
        assertThat(allow.at("/diff/changes").toString()).contains("decision.limit(\\\"tokens\\\", 10, \\\"run\\\");");
        String id = allow.path("id").asText();

        Reply gone = server.delete(POLICIES + "/" + limit.json().path("id").asText(), mine.author());
        assertThat(confirm(proposed(gone).path("id").asText(), mine.second()).status())
                .isEqualTo(200);

        failed(confirm(id, mine.second()), PROPOSALS, 409);
        JsonNode anew = server.get(PROPOSALS + "/" + id, mine.second()).json().path("diff");
        assertThat(anew.path("changes").toString()).doesNotContain("decision.limit");
        assertThat(anew.path("digest")).isNotEqualTo(allow.at("/diff/digest"));
        assertThat(confirm(id, mine.second()).status()).isEqualTo(200);
    }

    @Test
    void anApprovalSaysWhatItAsksFor() {
        Publishers mine = Publishers.of(server, server, "terms-approval");
        String rules = """
                package payments
                rule "limit" when
                  Request( action == "pay", sum != null, sum > 100 )
                then decision.%s; end
                """;
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("files")
                .put("pack.yaml", manifest("payments") + """
                        approvals:
                          two: {stages: [{name: review, quorum: 2, roles: [finance]}], decide_within: 4h, use_within: 1h}
                        """)
                .put("rules.drl", rules.formatted("requireApproval(\"LOOK\", \"two\")"))
                .put("scenarios/payments.yaml", scenario(1_000, "require_approval"));
        JsonNode asks = proposed(server.post(path("payments") + "/versions", mine.first(), body.toString()));
        JsonNode asked = asks.at("/diff/changes/0/after/approvals/0");
        assertThat(asked.path("template").asText()).as(asks.toString()).isEqualTo("two");
        assertThat(asked.at("/stages/0/quorum").asInt()).isEqualTo(2);
        assertThat(asked.at("/stages/0/roles/0").asText()).isEqualTo("finance");
        assertThat(asked.path("decide_within").asText()).isEqualTo("PT4H");
        assertThat(asked.path("use_within").asText()).isEqualTo("PT1H");
    }
}
