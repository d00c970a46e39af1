package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The decision log of a tenant, and of no other; with the database and without. */
@ExtendWith(PostgresExtension.class)
class DecisionsApiTest {
    private static final String DECISIONS = "/api/v1/decisions";

    private static Cable cable;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        cable = new Cable(database.host(), database.port());
        server = RunningServer.start(database, cable.port(), Map.of(), RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        cable.close();
    }

    /** Decides and gives the id. */
    private static String decide(String subject, String action, String context) {
        Reply reply = server.post(
                "/access/v1/evaluation",
                "{\"subject\": {\"type\": \"agent\", \"id\": \"" + subject + "\"}, \"action\": {\"name\": \"" + action
                        + "\"}, \"resource\": {\"type\": \"tool\", \"id\": \"t\"}, \"context\": " + context + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().at("/context/evaluation_id").asText();
    }

    private static JsonNode read(String path) {
        Reply reply = server.get(path, server.key("admin"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private static void recorded(String id) {
        RunningServer.until(
                "the decision is in the table",
                () -> server.get(DECISIONS + "/" + id, server.key("admin")).status() == 200);
    }

    private static List<String> ids(JsonNode page) {
        var ids = new ArrayList<String>();
        page.path("decisions").forEach(entry -> ids.add(entry.path("id").asText()));
        return ids;
    }

    @Test
    void pagesAreNewestFirstAndHoldEveryDecisionOnce() {
        var made = new ArrayList<String>();
        for (int i = 0; i < 7; i++) {
            made.add(decide("pager", "page", "{\"confidence\": 0.9}"));
        }
        made.forEach(DecisionsApiTest::recorded);
        var seen = new ArrayList<String>();
        JsonNode page = read(DECISIONS + "?subject=pager&limit=3");
        seen.addAll(ids(page));
        while (page.has("next")) {
            page = read(DECISIONS + "?subject=pager&limit=3&before="
                    + page.path("next").asText());
            assertThat(page.path("decisions").size()).isLessThanOrEqualTo(3);
            seen.addAll(ids(page));
        }
        assertThat(seen).containsExactlyInAnyOrderElementsOf(made);
        var times = new ArrayList<String>();
        read(DECISIONS + "?subject=pager")
                .path("decisions")
                .forEach(entry -> times.add(entry.path("at").asText()));
        assertThat(times.stream().map(java.time.Instant::parse).toList())
                .isSortedAccordingTo(java.util.Comparator.reverseOrder());
    }

    @Test
    void filtersNarrowTheListAndCannotBeEscaped() {
        String yes = decide("filtered", "f.one", "{\"confidence\": 0.9}");
        String asks = decide("filtered", "f.two", "{\"confidence\": 0.1}");
        recorded(yes);
        recorded(asks);
        assertThat(ids(read(DECISIONS + "?subject=filtered&decision=allow"))).containsExactly(yes);
        assertThat(ids(read(DECISIONS + "?subject=filtered&decision=require_approval")))
                .containsExactly(asks);
        assertThat(ids(read(DECISIONS + "?action=f.two"))).containsExactly(asks);
        assertThat(ids(read(DECISIONS + "?subject=nobody"))).isEmpty();
        assertThat(ids(read(DECISIONS + "?subject=x%27%20or%20%271%27=%271"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "?limit=0",
                "?limit=201",
                "?limit=x",
                "?limit=-1",
                "?before=x",
                "?subject=a%00b",
                "?limit=%zz",
                "/x",
                "/x/explain"
            })
    void aParameterThatDoesNotFitIsABadRequest(String rest) {
        Reply reply = server.get(DECISIONS + rest.replace("%zz", "%25zz"), server.key("admin"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void aRecordSaysWhatWasAskedWhatWasDecidedAndByWhich() {
        String id = decide("one", "summarize", "{\"confidence\": 0.9}");
        recorded(id);
        JsonNode entry = read(DECISIONS + "/" + id);
        assertThat(entry.path("decision").asText()).isEqualTo("allow");
        assertThat(entry.path("permitted").asBoolean()).isTrue();
        assertThat(entry.path("policy").asText()).isEqualTo("base/threshold reached");
        assertThat(entry.path("tenant").asText()).isEqualTo("demo");
        assertThat(server.key("agent")).startsWith(entry.path("caller").asText() + "_");
        assertThat(entry.at("/packs/base").asText()).isNotEmpty();
        assertThat(entry.at("/request/context/confidence").asDouble()).isEqualTo(0.9);
    }

    @Test
    void anExplanationJudgesTheRecordedCallOnceMore() {
        String id = decide("two", "summarize", "{\"confidence\": 0.1}");
        recorded(id);
        JsonNode explained = read(DECISIONS + "/" + id + "/explain");
        assertThat(explained.path("same_rules").asBoolean()).isTrue();
        assertThat(explained.path("decision").asText()).isEqualTo("require_approval");
        assertThat(explained.at("/explanation/decision").asText()).isEqualTo("require_approval");
        assertThat(explained.path("explanation").toString())
                .contains("base/threshold not reached", "approvals.threshold");
    }

    @Test
    void whatWasNoCompleteCallIsRecordedAndHasNothingToExplain() {
        String id = server.post("/access/v1/evaluations", "{\"evaluations\": [{}]}")
                .json()
                .at("/evaluations/0/context/evaluation_id")
                .asText();
        recorded(id);
        assertThat(read(DECISIONS + "/" + id).path("invalid").asText()).contains("subject");
        Reply reply = server.get(DECISIONS + "/" + id + "/explain", server.key("admin"));
        assertThat(reply.status()).isEqualTo(409);
        assertThat(reply.json().path("detail").asText()).contains("subject");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Password", "pass\\u0077ord"})
    void credentialsNeverReachTheRecordNorTheFiles(String name) throws IOException {
        String secret = "hunter2-" + UUID.randomUUID();
        String id = decide("three", "login", "{\"auth\": {\"" + name + "\": \"" + secret + "\"}, \"confidence\": 0.9}");
        recorded(id);
        assertThat(read(DECISIONS + "/" + id).at("/request/context/auth").toString())
                .contains("{\"sha256\":\"" + Sha256.hex(secret) + "\"}");
        assertNoFileHolds(secret);
    }

    @Test
    void aCredentialInAMemberThatNobodyKnowsIsNotKeptEither() throws IOException {
        String secret = "hunter2-" + UUID.randomUUID();
        Reply reply = server.post(
                "/access/v1/evaluation",
                "{\"trace\": {\"token\": \"" + secret + "\"}, \"subject\": {\"type\": \"agent\", \"id\": \"five\"},"
                        + " \"action\": {\"name\": \"login\"}, \"resource\": {\"type\": \"tool\", \"id\": \"t\"}}");
        String id = reply.json().at("/context/evaluation_id").asText();
        recorded(id);
        assertThat(read(DECISIONS + "/" + id).at("/request/subject/id").asText())
                .isEqualTo("five");
        assertNoFileHolds(secret);
    }

    @Test
    void aRequestWithoutCredentialsIsKeptToTheLetter() {
        String context = "{\"confidence\": 9.0e-1, \"note\": \"\\u0041\\n\"}";
        String id = decide("six", "summarize", context);
        recorded(id);
        assertThat(read(DECISIONS + "/" + id).at("/request/context/note").asText())
                .isEqualTo("A\n");
        assertThat(server.get(DECISIONS + "?subject=six", server.key("admin")).body())
                .contains(context);
    }

    private static void assertNoFileHolds(String secret) throws IOException {
        try (var files = java.nio.file.Files.walk(server.directory().resolve("log"))) {
            for (var file : files.filter(java.nio.file.Files::isRegularFile).toList()) {
                assertThat(java.nio.file.Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1))
                        .doesNotContain(secret);
            }
        }
    }

    @Test
    void anotherTenantSeesNothingOfIt() {
        String id = decide("four", "summarize", "{\"confidence\": 0.9}");
        recorded(id);
        ApiKey other = server.addKey("other", "auditor", "audit.read");
        assertThat(ids(server.get(DECISIONS, other.secret()).json())).isEmpty();
        assertThat(ids(server.get(DECISIONS + "?subject=four", other.secret()).json()))
                .isEmpty();
        for (String path : List.of("/" + id, "/" + id + "/explain")) {
            Reply reply = server.get(DECISIONS + path, other.secret());
            assertThat(reply.status()).isEqualTo(404);
            assertThat(reply.body()).doesNotContain("summarize");
        }
        assertThat(server.get(
                                DECISIONS + "/" + id,
                                server.addKey("demo", "auditor", "audit.read").secret())
                        .status())
                .isEqualTo(200);
    }

    @Test
    void withoutTheDatabaseDecisionsGoOnAndNoneIsLost() {
        cable.cut();
        String id;
        try {
            RunningServer.until("it says so", () -> server.get("/readyz").json().has("warnings"));
            assertThat(server.get("/readyz").json().path("warnings").has("database"))
                    .isTrue();
            Reply list = server.get(DECISIONS, server.key("admin"));
            assertThat(list.status()).isEqualTo(503);
            assertThat(list.json().path("type").asText()).isEqualTo("urn:countersign:problem:database_away");
            assertThat(list.header("Retry-After")).isNotEmpty();
            assertThat(server.get(DECISIONS + "/" + UUID.randomUUID(), server.key("admin"))
                            .status())
                    .isEqualTo(503);
            id = decide("away", "summarize", "{\"confidence\": 0.9}");
            assertThat(server.get("/healthz").status()).isEqualTo(200);
        } finally {
            cable.mend();
        }
        recorded(id);
        RunningServer.until(
                "it is well again", () -> !server.get("/readyz").json().has("warnings"));
    }

    @Test
    void aDatabaseThatTakesQueriesAndNeverAnswersIsAwayToo() {
        String known = decide("hung", "summarize", "{\"confidence\": 0.9}");
        recorded(known);
        cable.clog();
        String id;
        try {
            var asked = Stream.of("", "/" + known, "/" + known + "/explain")
                    .map(path -> CompletableFuture.supplyAsync(() -> server.get(DECISIONS + path, server.key("admin"))))
                    .toList();
            // The client waits for a bounded time, and without an answer the test fails.
            for (CompletableFuture<Reply> reply : asked) {
                assertThat(reply.join().status()).isEqualTo(503);
                assertThat(reply.join().json().path("type").asText())
                        .isEqualTo("urn:countersign:problem:database_away");
            }
            id = decide("hung", "summarize", "{\"confidence\": 0.9}");
        } finally {
            cable.mend();
        }
        recorded(id);
        assertThat(ids(read(DECISIONS + "?subject=hung"))).containsExactly(id, known);
    }
}
