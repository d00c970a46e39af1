package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.identity.Role;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No route crosses from one tenant into another, nor from the operator's plane into a tenant's or back. */
@ExtendWith(PostgresExtension.class)
class PlanesTest {
    /** What the operator and tenants both have: each its own, or what is of nobody. */
    private static final Set<String> BOTH = Set.of(
            "/api/v1/keys",
            "/api/v1/audit/checkpoints",
            "/api/v1/keys/{id}",
            "/api/v1/keys/{id}/rotate",
            "/api/v1/rule-packs",
            "/api/v1/rule-packs/{name}",
            "/api/v1/rule-packs/{name}/check",
            "/api/v1/rule-packs/{name}/versions",
            "/api/v1/rule-packs/{name}/versions/{version}",
            "/api/v1/rule-packs/{name}/activate",
            "/api/v1/proposals",
            "/api/v1/proposals/{id}",
            "/api/v1/proposals/{id}/confirm",
            "/api/v1/proposals/{id}/reject",
            "/api/v1/policies",
            "/api/v1/policies/schema",
            "/api/v1/policies/{id}",
            "/api/v1/policies/{id}/history");

    private static final Set<String> OPERATORS = Set.of(
            "/metrics",
            "/api/v1/signing-keys",
            "/api/v1/signing-keys/rotate",
            "/api/v1/tenants",
            "/api/v1/tenants/{tenant}",
            "/api/v1/tenants/{tenant}/administrators");

    private static final String CALL = """
            {"subject": {"type": "agent", "id": "mole-subject"}, "action": {"name": "mole-action"},
             "resource": {"type": "tool", "id": "mole-tool"}, "context": {"confidence": 0.99}}""";

    private static final String ENTITY = "/api/v1/entities/burrow/burrow-1";
    private static final Operation LOAD = new Operation("POST", "/api/v1/entities");

    private static RunningServer server;
    /** A key of another tenant that may do everything a tenant's key may. */
    private static String stranger;

    private static String decision;
    private static String proposal;
    private static String request;
    private static String policy;
    private static String issuer;

    private static final String ACTION = "/api/v1/actions/registered";

    /** One operation of the API. */
    record Operation(String method, String path) {}

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_EGRESS", "example.com,mole-login.example"),
                RunningServer.checkout("rules/packs/base"));
        String roles = Arrays.stream(Role.values())
                .filter(role -> role != Role.OPERATOR)
                .map(Role::word)
                .collect(Collectors.joining("\", \""));
        stranger = Managing.made(server.post(
                        Managing.KEYS,
                        Managing.tenant(server, "strangers"),
                        "{\"name\": \"everything\", \"person\": \"Sid\", \"roles\": [\"" + roles + "\"]}"))
                .path("secret")
                .asText();
        RunningServer.until(
                "the server knows the key",
                () -> server.get("/api/v1/decisions", stranger).status() != 401);
        Reply made = server.post("/access/v1/evaluation", CALL);
        decision = made.json().at("/context/evaluation_id").asText();
        assertThat(server.record(decision, server.key("admin")).path("id").asText())
                .isEqualTo(decision);
        assertThat(server.post("/access/v1/evaluation", CALL.replace("0.99", "0"))
                        .decision())
                .isFalse();
        RunningServer.until(
                "the tenant has an event to see",
                () -> server.get("/api/v1/events", server.key("admin")).body().contains("mole-subject"));
        request = Asks.requested(server, server.key("agent"), Reply.parse(CALL.replace("0.99", "0.1")));
        Reply set =
                server.put("/api/v1/settings/approvals.denylist", server.key("admin"), "{\"value\": [\"mole-entry\"]}");
        assertThat(set.status()).isEqualTo(200);
        Reply put = server.put(ENTITY, server.key("admin"), "{\"attributes\": {\"a\": \"mole-attribute\"}}");
        assertThat(put.status()).isEqualTo(201);
        Reply proposed = server.put("/api/v1/settings/on_error", server.key("admin"), "{\"value\": \"allow\"}");
        proposal = proposed.json().path("id").asText();
        assertThat(proposed.status()).isEqualTo(202);
        Reply published = server.post(
                Publishing.path("mole-pack") + "/versions",
                server.key("publisher"),
                Publishing.upload("mole-pack", 1_000_000).toString());
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        Reply written = server.post("/api/v1/policies", server.key("admin"), """
                {"name": "mole-policy", "scope": "tenant", "effect": "deny", "action_pattern": "mole-never"}""");
        policy = written.json().path("id").asText();
        assertThat(written.status()).isEqualTo(201);
        Reply registered = server.agreedPut(
                ACTION,
                server.key("admin"),
                "{\"class\": \"tool_call\", \"reversible\": false, \"risk\": \"low\", \"owner\": \"mole-owner\"}");
        assertThat(registered.status()).as(registered.body()).isEqualTo(200);
        Reply issuing = server.post(
                "/api/v1/issuers",
                server.key("admin"),
                issuing("\"issuer\": \"https://mole-login.example\", \"audience\": \"mole-audience\""));
        assertThat(issuing.status()).as(issuing.body()).isEqualTo(201);
        issuer = issuing.json().path("id").asText();
        Reply subject = server.put(
                "/api/v1/issuers/" + issuer + "/subjects/mole-sub",
                server.key("admin"),
                "{\"person\": \"mole-person\"}");
        assertThat(subject.status()).as(subject.body()).isEqualTo(200);
    }

    private static String issuing(String more) {
        return "{\"jwks_uri\": \"https://mole-login.example/jwks\", \"algorithms\": [\"ES256\"], \"roles_claim\": \"mole-roles\","
                + " \"role_map\": {\"mole-role\": [\"decide\"]}, " + more + "}";
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    static Stream<Operation> guarded() {
        return Contract.document().path("paths").properties().stream()
                .flatMap(path -> path.getValue().properties().stream()
                        .filter(operation -> !operation.getValue().has("security"))
                        .map(operation -> new Operation(operation.getKey().toUpperCase(Locale.ROOT), path.getKey())));
    }

    private static Reply ask(Operation operation, String secret) {
        String path = operation
                .path()
                .replace("{tenant}", "demo")
                .replace("/rule-packs/{name}", "/rule-packs/mole-pack")
                .replace("{version}", "1")
                .replace("/actions/{name}", "/actions/registered")
                .replace("{name}", "approvals.denylist")
                .replace("/entities/{type}/{id}", "/entities/{type}/burrow-1")
                .replace("{type}", "burrow")
                .replace("/requests/{id}", "/requests/" + request)
                .replace("/approvals/{id}", "/approvals/" + request)
                .replace("/actions/{id}", "/actions/own-1")
                .replace("/webhooks/{id}", "/webhooks/" + request)
                .replace("/delegations/{id}", "/delegations/" + request)
                .replace("{execution}", "mole-run")
                .replace("/decisions/{id}", "/decisions/" + decision)
                .replace("/proposals/{id}", "/proposals/" + proposal)
                .replace("/policies/{id}", "/policies/" + policy)
                .replace("/issuers/{id}", "/issuers/" + issuer)
                .replace("{sub}", "mole-sub")
                .replace("/keys/{id}", "/keys/" + server.key("agent").substring(0, 12));
        assertThat(path).as("the test knows what to put there").doesNotContain("{");
        return server.send(server.request(path, secret)
                .header("Content-Type", operation.equals(LOAD) ? "application/x-ndjson" : "application/json")
                .method(operation.method(), body(operation)));
    }

    private static java.net.http.HttpRequest.BodyPublisher body(Operation operation) {
        if (operation.method().equals("GET") || operation.method().equals("DELETE")) {
            return BodyPublishers.noBody();
        }
        String own = CALL.replace("mole-", "own-");
        Map<String, String> bodies = Map.ofEntries(
                Map.entry("/access/v1/evaluation", own),
                Map.entry("/access/v1/evaluations", own),
                Map.entry("/access/v1/requests", submission()),
                Map.entry("/api/v1/webhooks", "{\"url\": \"https://example.com/\", \"types\": [\"*\"]}"),
                Map.entry("/api/v1/webhooks/{id}", "{\"url\": \"https://example.com/\", \"types\": [\"*\"]}"),
                Map.entry("/api/v1/webhooks/{id}/replay", "{\"event\": 1}"),
                Map.entry("/api/v1/delegations", "{\"to\": \"bob\", \"valid_until\": \"2099-01-01T00:00:00Z\"}"),
                Map.entry("/api/v1/approvals", "{\"action_id\": \"own-2\", \"action_type\": \"x\"}"),
                Map.entry(
                        "/api/v1/approvals/batch",
                        "{\"items\": [{\"id\": \"" + request + "\", \"decision\": \"approve\"}]}"),
                Map.entry("/api/v1/approvals/{id}/decide", "{\"approved\": true}"),
                Map.entry("/api/v1/approvals/{id}/reassign", "{\"to\": \"bob\", \"from\": \"alice\"}"),
                Map.entry("/api/v1/approvals/{id}/break-glass", "{\"reason\": \"x\"}"),
                Map.entry("/api/v1/approvals/{id}/break-glass/review", "{\"verdict\": \"justified\"}"),
                Map.entry("/api/v1/approvals/{id}/relay", "{\"statement\": \"a.b.c\"}"),
                Map.entry("/api/v1/approvals/{id}/resolve", "{\"ran\": true}"),
                Map.entry("/actions/{id}/request", "{\"action\": \"x\"}"),
                Map.entry("/actions/{id}/execute", "{\"action\": \"x\"}"),
                Map.entry("/api/v1/executions/{execution}/receipt", "{\"outcome\": \"succeeded\"}"),
                Map.entry("/v1/policy/evaluate", "{\"action\": \"x\"}"),
                Map.entry(
                        "/api/v1/policies/{id}", "{\"name\": \"theirs\", \"scope\": \"tenant\", \"effect\": \"deny\"}"),
                Map.entry("/v1/authorize/tool-call", "{\"action\": \"x\"}"),
                Map.entry("/v1/authorize/data-access", "{\"action\": \"x\", \"resource\": \"r\"}"),
                Map.entry("/v1/authorize/action", "{\"action\": \"x\"}"),
                Map.entry("/v1/authorize/egress", "{\"action\": \"x\"}"),
                Map.entry(
                        "/api/v1/actions/{name}", "{\"class\": \"egress\", \"reversible\": false, \"risk\": \"low\"}"),
                Map.entry("/api/v1/issuers/{id}", issuing("\"disabled\": true")),
                Map.entry("/api/v1/issuers/{id}/subjects/{sub}", "{\"person\": \"Theirs\"}"),
                Map.entry("/api/v1/settings/{name}", "{\"value\": [\"theirs\"]}"),
                Map.entry("/api/v1/rule-packs/{name}/activate", "{\"version\": 1}"));
        if (operation.equals(LOAD)) {
            return BodyPublishers.ofString("{\"type\": \"burrow\", \"id\": \"other\", \"roles\": [\"theirs\"]}");
        }
        return BodyPublishers.ofString(bodies.getOrDefault(operation.path(), "{}"));
    }

    /** The other tenant's denial, by its id. */
    private static String submission() {
        return CALL.substring(0, CALL.lastIndexOf('}')) + ", \"denial\": {\"evaluation_id\": \"" + decision
                + "\", \"expires_at\": \"2099-01-01T00:00:00Z\"}}";
    }

    @Test
    void everyRouteIsWalked() {
        List<Operation> all = guarded().toList();
        assertThat(all).hasSizeGreaterThan(15);
        assertThat(all.stream().map(Operation::path)).containsAll(BOTH).containsAll(OPERATORS);
    }

    static Stream<Operation> tenants() {
        return guarded().filter(operation -> !OPERATORS.contains(operation.path()));
    }

    @ParameterizedTest
    @MethodSource("tenants")
    void theOperatorSeesNothingOfATenant(Operation operation) {
        Reply reply = ask(operation, server.key("operator"));
        if (BOTH.contains(operation.path())) {
            assertThat(reply.status()).isIn(200, 404, 422);
            assertThat(reply.body()).doesNotContain("mole-");
            assertThat(reply.body()).doesNotContain(server.key("agent").substring(0, 12));
        } else {
            assertThat(reply.status()).as(reply.body()).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @MethodSource("guarded")
    void aStrangerSeesNothingOfATenantAndChangesNothing(Operation operation) {
        Reply reply = ask(operation, stranger);
        if (OPERATORS.contains(operation.path())) {
            assertThat(reply.status()).as(reply.body()).isEqualTo(403);
        }
        boolean putsItsOwn = operation.path().startsWith("/actions/")
                || operation.path().equals("/api/v1/entities/{type}/{id}")
                        && !operation.method().equals("GET");
        if (operation.path().contains("/rule-packs/{name}")) {
            assertThat(reply.status()).as(reply.body()).isIn(404, 422);
        }
        if (operation.path().contains("{id}") && !putsItsOwn) {
            assertThat(reply.status()).as(reply.body()).isEqualTo(404);
        }
        assertThat(reply.status()).isLessThan(500);
        assertThat(reply.body())
                .doesNotContain("mole-")
                .doesNotContain(server.key("agent").substring(0, 12));
        JsonNode own = server.get("/api/v1/settings/approvals.denylist", server.key("admin"))
                .json();
        assertThat(own.path("value").toString()).isEqualTo("[\"mole-entry\"]");
        JsonNode entity = server.get(ENTITY, server.key("admin")).json();
        assertThat(entity.path("attributes").toString()).isEqualTo("{\"a\":\"mole-attribute\"}");
        assertThat(entity.path("roles")).isEmpty();
        JsonNode action = server.get(ACTION, server.key("admin")).json();
        assertThat(action.path("class").asText()).isEqualTo("tool_call");
        assertThat(server.get("/api/v1/policies/" + policy, server.key("admin"))
                        .json()
                        .path("version")
                        .asInt())
                .isEqualTo(1);
        JsonNode issued = server.get("/api/v1/issuers/" + issuer + "/subjects/mole-sub", server.key("admin"))
                .json();
        assertThat(issued.at("/person/name").asText()).isEqualTo("mole-person");
        assertThat(server.get("/api/v1/issuers/" + issuer, server.key("admin"))
                        .json()
                        .path("disabled")
                        .booleanValue())
                .isFalse();
        JsonNode task =
                server.get(Asks.REQUESTS + "/" + request, server.key("agent")).json();
        assertThat(task.at("/task/status").asText()).isEqualTo("pending");
        assertThat(server.post("/access/v1/evaluation", CALL).status()).isEqualTo(200);
    }
}
