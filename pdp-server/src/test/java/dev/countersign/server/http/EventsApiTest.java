package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Events of negative decisions, by the page and as a stream, on two servers with one database. */
@ExtendWith(PostgresExtension.class)
class EventsApiTest {
    private static final String EVENTS = "/api/v1/events";
    private static final String RULES = """
            package news

            rule "fine" when Request( action == "fine" ) then decision.allow("FINE"); end

            rule "told" when Request( action == "told" )
            then decision.allow("TOLD"); decision.oblige("notification", "to", "desk"); end

            rule "never" when Request( action == "never" ) then decision.deny("NEVER"); end

            rule "ask" when Request( action == "ask" ) then decision.requireApproval("ASK", "default"); end
            """;
    private static final String MANIFEST = """
            name: news
            version: 1.0.0
            approvals:
              default:
                stages: [{name: review, quorum: 1, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 1h
            """;

    private static final AtomicInteger TENANTS = new AtomicInteger();
    private static RunningServer server;
    private static RunningServer other;

    /** A key of a tenant of this test alone. */
    private ApiKey key;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path pack = RunningServer.pack(directory, MANIFEST, RULES);
        server = RunningServer.start(database, pack);
        other = server.another(Map.of(), pack);
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
    }

    @BeforeEach
    void newTenant() {
        key = server.addKey("news-" + TENANTS.incrementAndGet(), "all", "decide", "audit.read");
        RunningServer.until(
                "the other server knows it",
                () -> other.get(EVENTS, key.secret()).status() == 200);
    }

    /** Decides, and answers with the decision's id. */
    private String decide(RunningServer at, String action, String more) {
        Reply reply = at.post(
                "/v1/authorize/action",
                key.secret(),
                "{\"action\": \"" + action + "\", \"principal\": \"bot\"" + more + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().path("traceId").asText();
    }

    private JsonNode page(String query) {
        Reply reply = server.get(EVENTS + query, key.secret());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private static List<String> ids(JsonNode page) {
        return page.path("events").findValuesAsText("decision_id");
    }

    private void shipped(List<String> decisions) {
        RunningServer.until(
                "all decisions are in the table",
                () -> decisions.stream()
                        .allMatch(id -> server.get("/api/v1/decisions/" + id, key.secret())
                                        .status()
                                == 200));
    }

    @Test
    void aDenialAndACallForApprovalAreToldAndAnAllowNever() {
        String fine = decide(server, "fine", "");
        String never = decide(server, "never", ", \"zone\": \"eu\", \"enforcement_mode\": \"enforce\"");
        String ask = decide(server, "ask", "");
        String told = decide(server, "told", "");
        shipped(List.of(fine, never, ask, told));
        JsonNode page = page("");
        assertThat(ids(page)).containsExactlyInAnyOrder(never, ask);
        JsonNode event = page("?type=policy.denied").at("/events/0");
        JsonNode entry = server.record(never, key.secret());
        assertThat(event.toString())
                .isEqualTo(
                        ("{'specversion':'1.0','id':'%s','source':'/tenants/%s/decisions','type':'policy.denied','time':'%s',"
                                        + "'subject':'agent:bot','datacontenttype':'application/json','data':{'decision_id':'%s',"
                                        + "'decision':'deny','reason':'NEVER','policy_id':'news/never','risk':'high',"
                                        + "'subject_type':'agent','subject_id':'bot','action':'never','resource_type':'tool',"
                                        + "'resource_id':'never','zone':'eu','dialect':'authorize','enforcement_mode':'enforce'}}")
                                .replace('\'', '"')
                                .formatted(
                                        never,
                                        entry.path("tenant").asText(),
                                        entry.path("at").asText(),
                                        never));
        assertThat(page("?type=policy.requires_approval")
                        .at("/events/0/data/reason")
                        .asText())
                .isEqualTo("approval_required");
    }

    @Test
    void decisionsOfEveryDialectAreToldAsTheWireHadThem() {
        String call = "{\"subject\": {\"type\": \"user\", \"id\": \"u\"}, \"action\": {\"name\": \"%s\"},"
                + " \"resource\": {\"type\": \"thing\", \"id\": \"t\"}}";
        String denied = server.post("/access/v1/evaluation", key.secret(), call.formatted("never"))
                .json()
                .at("/context/evaluation_id")
                .asText();
        String unsupported = server.post("/access/v1/evaluation", key.secret(), call.formatted("told"))
                .json()
                .at("/context/evaluation_id")
                .asText();
        String evaluated = server.post("/v1/policy/evaluate", key.secret(), "{\"action\": \"told\"}")
                .json()
                .path("traceId")
                .asText();
        JsonNode batch = server.post(
                        "/access/v1/evaluations",
                        key.secret(),
                        "{\"options\": {\"context\": \"full\"}, \"evaluations\": [" + call.formatted("fine") + ", "
                                + call.formatted("ask") + ", {}]}")
                .json()
                .path("evaluations");
        List<String> items = batch.findValuesAsText("evaluation_id");
        assertThat(items).hasSize(3);
        var all = new ArrayList<>(items);
        all.addAll(List.of(denied, unsupported, evaluated));
        shipped(all);
        all.remove(items.get(0));
        JsonNode page = page("");
        assertThat(ids(page)).containsExactlyInAnyOrderElementsOf(all);
        for (JsonNode event : page.path("events")) {
            String id = event.path("id").asText();
            assertThat(event.at("/data/decision").asText())
                    .isEqualTo(id.equals(items.get(1)) ? "require_approval" : "deny");
            if (id.equals(unsupported) || id.equals(evaluated)) {
                assertThat(event.at("/data/reason").asText()).isEqualTo("obligations_not_supported");
            }
            if (id.equals(items.get(2))) {
                assertThat(event.has("subject")).isFalse();
                assertThat(event.at("/data/reason").asText()).isEqualTo("invalid_request");
            }
        }
    }

    @Test
    void pagesFollowOneAnotherWithoutAGapOrARepetition() {
        var told = new ArrayList<String>();
        for (int i = 0; i < 7; i++) {
            told.add(decide(i % 2 == 0 ? server : other, i % 3 == 0 ? "ask" : "never", ""));
        }
        RunningServer.until("all are told", () -> ids(page("")).size() == 7);
        var read = new ArrayList<String>();
        String next = "0";
        for (JsonNode page = page("?limit=3&after=0");
                !page.path("events").isEmpty();
                page = page("?limit=3&after=" + next)) {
            assertThat(page.path("events").size()).isBetween(1, 3);
            read.addAll(ids(page));
            next = page.path("next").asText();
        }
        assertThat(read).containsExactlyElementsOf(ids(page(""))).containsExactlyInAnyOrderElementsOf(told);
        assertThat(page("?after=" + next).path("next").asText()).isEqualTo(next);
        assertThat(ids(page("?type=policy.requires_approval"))).hasSize(3);
        assertThat(ids(page("?type=policy.unheard_of"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"?after=x", "?after=-1", "?after=1234567890123456789", "?limit=0", "?limit=201"})
    void whatIsNoCursorAndNoLimitIsRefused(String query) {
        assertThat(server.get(EVENTS + query, key.secret()).status()).isEqualTo(400);
    }

    @Test
    void aStreamBeginsNowAndIsToldByEveryServer() {
        String before = decide(server, "never", "");
        RunningServer.until("it is told", () -> ids(page("")).contains(before));
        try (var here = Following.of(server, "", key.secret(), "");
                var asked = Following.of(other, "?type=policy.requires_approval", key.secret(), "")) {
            assertThat(here.header("Content-Type")).isEqualTo("text/event-stream");
            String never = decide(other, "never", "");
            String ask = decide(other, "ask", "");
            RunningServer.until("both came", () -> here.events().size() == 2);
            RunningServer.until("one came", () -> asked.events().size() == 1);
            assertThat(here.decisions()).containsExactly(never, ask);
            assertThat(here.types()).containsExactly("policy.denied", "policy.requires_approval");
            assertThat(asked.decisions()).containsExactly(ask);
            assertThat(page("?after=" + here.ids().get(0)).at("/events/0"))
                    .isEqualTo(here.events().get(1));
        }
    }

    @Test
    void aStreamThatWasCutOffGoesOnAtAnotherServerWithoutLossOrRepetition() {
        var told = new ArrayList<String>();
        var read = new ArrayList<String>();
        RunningServer[] servers = {server, other};
        String last = "0";
        for (int round = 0; round < 4; round++) {
            try (var stream = Following.of(servers[round % 2], "?after=999999999", key.secret(), last)) {
                int most = round == 3 ? 0 : 3;
                for (int i = 0; i < most; i++) {
                    told.add(decide(servers[i % 2], "never", ""));
                }
                // All that came while nobody listened, and all but the end of what comes now.
                int enough = round == 3 ? 9 - read.size() : Math.max(1, told.size() - read.size() - 1);
                RunningServer.until("they came", () -> stream.events().size() >= enough);
                read.addAll(stream.decisions().subList(0, enough));
                last = stream.ids().get(enough - 1);
            }
        }
        assertThat(read).containsExactlyInAnyOrderElementsOf(told);
    }

    @Test
    void manyEventsThatWaitedComeInTheirOrder() {
        var told = new ArrayList<String>();
        for (int i = 0; i < 2 * EventStream.PAGE + 5; i++) {
            told.add(decide(server, "never", ""));
        }
        RunningServer.until("all are told", () -> ids(page("?limit=200")).size() == told.size());
        try (var stream = Following.of(server, "?after=0", key.secret(), "")) {
            RunningServer.until("all came", () -> stream.events().size() == told.size());
            assertThat(stream.decisions()).containsExactlyElementsOf(ids(page("?limit=200")));
        }
    }

    @Test
    void aStreamEndsWhenItsKeyDoes() {
        try (var stream = Following.of(server, "", key.secret(), "")) {
            server.revoke(key);
            RunningServer.until("the server ends the stream", stream::over);
            assertThat(stream.clean()).isTrue();
        }
    }

    @Test
    void aStreamEndsWhenItsTenantIsSuspended() {
        String admin = Managing.tenant(server, "paused-news");
        try (var stream = Following.of(server, "", admin, "")) {
            Reply suspended = server.put(
                    Managing.TENANTS + "/paused-news",
                    server.key("operator"),
                    "{\"name\": \"Paused\", \"suspended\": true}");
            assertThat(suspended.status()).isEqualTo(200);
            RunningServer.until("the server ends the stream", stream::over);
        }
    }

    @Test
    void anotherTenantHearsNothing() {
        ApiKey stranger = server.addKey("strangers-news", "all", "decide", "audit.read");
        try (var theirs = Following.of(server, "?after=0", stranger.secret(), "");
                var ours = Following.of(server, "?after=0", key.secret(), "")) {
            String never = decide(server, "never", "");
            RunningServer.until("we hear of it", () -> ours.decisions().contains(never));
            assertThat(server.get(EVENTS, stranger.secret()).json().path("events"))
                    .isEmpty();
            String own = server.post("/v1/policy/evaluate", stranger.secret(), "{\"action\": \"never\"}")
                    .json()
                    .path("traceId")
                    .asText();
            RunningServer.until("they hear", () -> !theirs.events().isEmpty());
            assertThat(theirs.decisions()).containsExactly(own);
        }
    }

    @ParameterizedTest
    @CsvSource({"agent, 403", "operator, 403", "admin, 200"})
    void onlyWhoMayReadTheLogFollows(String name, int status) {
        try (var stream = Following.of(server, "", server.key(name), "")) {
            assertThat(stream.status()).isEqualTo(status);
        }
    }

    @Test
    void aTenantHasABoundedNumberOfStreamsAndOneThatEndsMakesRoom() {
        var streams = new ArrayList<Following>();
        for (int i = 0; i < 16; i++) {
            streams.add(Following.of(server, "", key.secret(), ""));
        }
        try (var more = Following.of(server, "", key.secret(), "")) {
            assertThat(more.status()).isEqualTo(429);
        }
        assertThat(server.get(EVENTS, key.secret()).status()).isEqualTo(200);
        streams.get(0).close();
        RunningServer.until("there is room again", () -> {
            try (var again = Following.of(server, "", key.secret(), "")) {
                return again.status() == 200;
            }
        });
        streams.forEach(Following::close);
    }

    @Test
    void aServerThatStopsEndsItsStreamsAndTheyGoOnElsewhere(@TempDir Path directory) throws IOException {
        Path pack = RunningServer.pack(directory, MANIFEST, RULES);
        RunningServer third = server.another(Map.of(), pack);
        String last;
        try (var stream = Following.of(third, "", key.secret(), "")) {
            last = stream.lastId();
            third.close();
            RunningServer.until("the stream has ended", stream::over);
            assertThat(stream.clean()).isTrue();
        }
        String never = decide(server, "never", "");
        try (var stream = Following.of(server, "", key.secret(), last)) {
            RunningServer.until("it came", () -> stream.decisions().contains(never));
        }
    }
}
