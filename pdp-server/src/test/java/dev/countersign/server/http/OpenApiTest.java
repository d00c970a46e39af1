package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Vertx;
import java.net.http.HttpHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The OpenAPI document is the contract: nothing is served that it does not name, and it names nothing else. */
class OpenApiTest {
    private static List<String> served() {
        Vertx vertx = Vertx.vertx();
        try (var metrics = new Metrics()) {
            var routes = new Routes(vertx, metrics);
            routes.of(
                    new EvaluationHandler(null, null, null, null, null, metrics),
                    new PolicyEvaluateHandler(null, null, null, metrics),
                    new AuthorizeHandler(null, null, null, null, metrics),
                    new AccessRequestsHandler(null, null, null, null, null, null, null, null, null, null),
                    new ReceiptsHandler(null, null),
                    new ApprovalsHandler(null, null, null, null, null, null),
                    new ReassignHandler(null, null, null, null),
                    new BreakGlassHandler(null, null, null, null),
                    new RelayHandler(null, null, null, null, null),
                    new ApprovalTrailHandler(null, null, null, null, null),
                    new GatewayHandler(null, null, null, null, null, null, null),
                    new GuardrailsHandler(null, null, null, null, null, null, null, null),
                    new DelegationsHandler(null, null),
                    new WebhooksHandler(null, null, null),
                    new DecisionsHandler(null, null, null),
                    new EventsHandler(null, null, null),
                    new CheckpointsHandler(null, null),
                    new SettingsHandler(null, null, null),
                    new PoliciesHandler(null, null, null, null, null),
                    new ActionsHandler(null, null, null),
                    new PacksHandler(null, null, null),
                    new ProposalsHandler(null, null),
                    new KeysHandler(null, null, null, null),
                    new SigningKeysHandler(null, null),
                    new TenantsHandler(null, null, null),
                    new IssuersHandler(null, null, null, null),
                    new EntitiesHandler(null, null, null),
                    new EntityLoadHandler(null, null),
                    new OperationsHandler(null, metrics, Map::of, Map::of, ""),
                    new DocsHandler());
            return routes.served();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    private static List<String> documented() {
        var documented = new ArrayList<String>();
        Contract.document()
                .path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .fieldNames()
                        .forEachRemaining(method -> documented.add(method.toUpperCase(java.util.Locale.ROOT) + " "
                                + path.getKey().replaceAll("\\{([a-z]+)}", ":$1"))));
        return documented;
    }

    @Test
    void everyRouteIsDocumentedAndEveryDocumentedPathIsServed() {
        assertThat(documented()).isNotEmpty().containsExactlyInAnyOrderElementsOf(served());
    }

    @Test
    void everyOperationHasItsOwnIdASummaryAndAnAnswerForAnotherMethod() {
        var ids = new ArrayList<String>();
        for (JsonNode path : Contract.document().path("paths")) {
            for (JsonNode operation : path) {
                ids.add(operation.path("operationId").asText());
                assertThat(operation.path("summary").asText()).isNotEmpty();
                assertThat(operation.path("responses").has("405")).isTrue();
                if (!operation.has("security")) {
                    assertThat(operation.path("responses").properties())
                            .extracting(Map.Entry::getKey)
                            .contains("401", "403", "503");
                }
            }
        }
        assertThat(ids).doesNotHaveDuplicates().doesNotContain("");
    }

    static List<JsonNode> references() {
        return Contract.document().findValues("$ref");
    }

    @ParameterizedTest
    @MethodSource("references")
    void everyReferenceLeadsSomewhere(JsonNode reference) {
        assertThat(Contract.document().at(reference.asText().substring(1)).isMissingNode())
                .isFalse();
    }

    @Test
    void examplesOfAnswersAreAsTheirSchemasSay() {
        int[] seen = {0};
        Contract.document()
                .path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation -> operation
                                .getValue()
                                .path("responses")
                                .properties()
                                .forEach(response -> response.getValue()
                                        .path("content")
                                        .path("application/json")
                                        .path("examples")
                                        .forEach(example -> {
                                            seen[0]++;
                                            Contract.check(
                                                    operation.getKey(),
                                                    path.getKey(),
                                                    reply(
                                                            Integer.parseInt(response.getKey()),
                                                            example.get("value").toString()));
                                        }))));
        assertThat(seen[0]).isGreaterThan(3);
    }

    @Test
    void anAnswerThatIsNotAsDocumentedIsFound() {
        for (Reply wrong : List.of(
                reply(200, "{\"decision\":\"true\"}"),
                reply(200, "{\"decision\":true,\"more\":1}"),
                reply(200, "{}"),
                reply(418, "{}"))) {
            assertThatThrownBy(() -> Contract.check("POST", "/access/v1/evaluation", wrong))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("openapi.yaml");
        }
    }

    private static Reply reply(int status, String json) {
        return new Reply(
                status,
                HttpHeaders.of(
                        Map.of(
                                "Content-Type", List.of("application/json"),
                                "Cache-Control", List.of("public"),
                                "ETag", List.of("\"1\"")),
                        (name, value) -> true),
                json);
    }
}
