package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Publishing.PACKS;
import static dev.countersign.server.http.Publishing.manifest;
import static dev.countersign.server.http.Publishing.path;
import static dev.countersign.server.http.Publishing.publish;
import static dev.countersign.server.http.Publishing.rules;
import static dev.countersign.server.http.Publishing.scenario;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What of a pack or of the operator's rows waits for a second person, though no request that is tried shows it. */
@ExtendWith(PostgresExtension.class)
class PackWideningTest {
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static Reply upload(String secret, String name, String manifest, String rules) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("files")
                .put("pack.yaml", manifest)
                .put("rules.drl", rules)
                .put("scenarios/payments.yaml", scenario(1_000, "deny"));
        return server.post(path(name) + "/versions", secret, body.toString());
    }

    private static void waits(Reply reply, String why) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        assertThat(reply.json().at("/diff/widening").asText()).isEqualTo("could");
        assertThat(reply.json().at("/diff/why_not_exact").asText()).contains(why);
    }

    @Test
    void toBelieveTheCallerInsteadOfTheStoreWaits() {
        Publishers mine = Publishers.of(server, server, "widening-precedence");
        String fromStore = manifest("payments").replace("properties.sum}", "properties.sum, precedence: store}");
        String rules = rules("payments", 100).replace("sum != null, sum > 100", "sum == null || sum > 100");
        Reply first = upload(mine.first(), "payments", fromStore, rules);
        assertThat(first.status()).as(first.body()).isEqualTo(201);
        waits(
                upload(mine.first(), "payments", fromStore.replace("store}", "caller}"), rules),
                "what the store said of an attribute, the caller says now");
    }

    @Test
    void aTenantsPackReadsNoEnvironment() {
        Publishers mine = Publishers.of(server, server, "widening-env");
        Reply refused = upload(
                mine.first(),
                "payments",
                manifest("payments") + "params:\n  most: {type: number, default: 1, env: PATH}\n",
                rules("payments", 100));
        failed(refused, PACKS, 422);
        assertThat(refused.body()).contains("env");
        assertThat(server.get(PACKS, mine.first()).json().path("packs")).isEmpty();
    }

    @Test
    void whatTheOperatorsPacksDeclareOtherwiseWaitsAsTenantsMayHaveSetIt() {
        String operator = server.key("operator");
        String declaring = manifest("declaring") + "params:\n  most: {type: number, default: 100}\n";
        String rules = rules("declaring", 100);
        Reply first = upload(operator, "declaring", declaring, rules);
        assertThat(first.status()).as(first.body()).isEqualTo(201);
        waits(
                upload(operator, "declaring", declaring.replace("100}", "200}"), rules),
                "tenants may have given values to what is declared otherwise now");
    }

    @Test
    void ofTheOperatorsRowsOnlyDenialsAreMadeByOne() {
        String operator = server.key("operator");
        String row = """
                {"name": "x", "scope": "global", "effect": "%s", "action_pattern": "operate",
                 "rule_expr": {"when": {"field": "tenant", "op": "==", "value": "nobody"}}}""";
        Reply asks = server.post("/api/v1/policies", operator, row.formatted("require_approval"));
        waits(asks, "tenants have values and policies of their own");
        Reply denies = server.post("/api/v1/policies", operator, row.formatted("deny"));
        assertThat(denies.status()).as(denies.body()).isEqualTo(201);
        waits(
                server.delete("/api/v1/policies/" + denies.json().path("id").asText(), operator),
                "tenants have values and policies of their own");
    }

    private static String many(int limit) {
        return "package payments\n"
                + IntStream.range(0, 30)
                        .mapToObj(i -> """
                                rule "limit %1$d" when
                                  Request( action == "pay%2$s", sum != null, sum > %3$d )
                                then decision.deny("TOO_MUCH_%1$d"); end
                                """.formatted(i, i == 0 ? "" : "-" + i, limit))
                        .collect(Collectors.joining());
    }

    @Test
    void aDiffTellsOfAllChangesThoughItShowsTwenty() {
        Publishers mine = Publishers.of(server, server, "widening-many");
        Reply first = upload(mine.first(), "payments", manifest("payments"), many(100));
        assertThat(first.status()).as(first.body()).isEqualTo(201);
        Reply wider = upload(mine.first(), "payments", manifest("payments"), many(200));
        assertThat(wider.status()).as(wider.body()).isEqualTo(202);
        JsonNode diff = wider.json().path("diff");
        assertThat(diff.path("changes")).hasSize(20);
        assertThat(diff.path("found").asInt()).isGreaterThanOrEqualTo(30);
        assertThat(diff.path("digest").asText()).matches("[0-9a-f]{64}");
        String other = server.post(
                        path("payments") + "/check",
                        mine.first(),
                        upload(many(200)
                                        .replace(
                                                "\"pay-29\", sum != null, sum > 200",
                                                "\"pay-29\", sum != null, sum > 100"))
                                .toString())
                .json()
                .at("/diff/digest")
                .asText();
        assertThat(other)
                .matches("[0-9a-f]{64}")
                .isNotEqualTo(diff.path("digest").asText());
    }

    private static ObjectNode upload(String rules) {
        return Publishing.upload("payments", rules, scenario(1_000, "deny"));
    }

    @Test
    void whatIsPublishedAgainIsComparedTheSame() {
        Publishers mine = Publishers.of(server, server, "widening-again");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        Reply one = publish(server, mine.first(), "payments", 200);
        Reply two = publish(server, mine.first(), "payments", 200);
        assertThat(one.status()).isEqualTo(202);
        assertThat(two.status()).isEqualTo(202);
        assertThat(two.json().path("diff")).isEqualTo(one.json().path("diff"));
    }
}
