package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Publishing.PACKS;
import static dev.countersign.server.http.Publishing.PROPOSALS;
import static dev.countersign.server.http.Publishing.activate;
import static dev.countersign.server.http.Publishing.allows;
import static dev.countersign.server.http.Publishing.confirm;
import static dev.countersign.server.http.Publishing.manifest;
import static dev.countersign.server.http.Publishing.path;
import static dev.countersign.server.http.Publishing.pay;
import static dev.countersign.server.http.Publishing.publish;
import static dev.countersign.server.http.Publishing.upload;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Packs that are published while servers run. */
@ExtendWith(PostgresExtension.class)
class PacksApiTest {
    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = server.another(Map.of(), RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
    }

    private static JsonNode get(String path, String secret) {
        Reply reply = server.get(path, secret);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void aPublishedPackJudgesItsTenantAloneAndOnEveryServer() {
        Publishers mine = Publishers.of(server, other, "pack-owner");
        Publishers theirs = Publishers.of(server, other, "pack-neighbour");
        assertThat(allows(other, mine.decide(), 101)).isTrue();
        Reply published = publish(server, mine.first(), "payments", 100);
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        JsonNode version = published.json();
        assertThat(version.path("version").asLong()).isEqualTo(1);
        assertThat(version.path("published_by").asText()).isEqualTo(mine.first().substring(0, 12));
        assertThat(version.at("/diff/widening").asText()).isEqualTo("no");
        assertThat(version.at("/diff/changes/0/after/decision").asText()).isEqualTo("deny");
        assertThat(version.at("/diff/changes/0/example/resource/properties/sum").isNumber())
                .isTrue();

        assertThat(allows(server, mine.decide(), 101)).isFalse();
        assertThat(allows(server, mine.decide(), 100)).isTrue();
        RunningServer.until("the other server obeys", () -> !allows(other, mine.decide(), 101));
        assertThat(allows(server, theirs.decide(), 101)).isTrue();
        assertThat(allows(other, theirs.decide(), 101)).isTrue();

        JsonNode stored = get(published.header("Location"), mine.first());
        assertThat(stored.path("files")).isEqualTo(upload("payments", 100).path("files"));
        assertThat(stored.path("digest")).isEqualTo(version.path("digest"));
        assertThat(stored.at("/report/packs/0/cases").asInt()).isEqualTo(1);
        JsonNode list = get(PACKS, mine.first());
        assertThat(list.at("/packs/0/active").asLong()).isEqualTo(1);
        assertThat(list.at("/beneath/0/name").asText()).isEqualTo("base");
        failed(server.get(path("payments"), theirs.first()), PACKS, 404);
        failed(server.get(published.header("Location"), theirs.first()), PACKS, 404);
        failed(activate(server, theirs.first(), "payments", "{\"version\": 1}"), PACKS, 404);
        assertThat(get(PACKS, theirs.first()).path("packs")).isEmpty();
    }

    @Test
    void aDecisionIsRecordedAndExplainedWithThePackThatMadeIt() {
        String publisher = server.key("publisher");
        Reply published = publish(server, publisher, "explained", 7);
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        String id =
                pay(server, server.key("agent"), 8).at("/context/evaluation_id").asText();
        JsonNode record = server.record(id, server.key("admin"));
        assertThat(record.at("/packs/explained")).isEqualTo(published.json().path("digest"));
        JsonNode explained = get("/api/v1/decisions/" + id + "/explain", server.key("admin"));
        assertThat(explained.toString()).contains("TOO_MUCH_7");
        assertThat(explained.path("same_decision").asBoolean()).isTrue();
    }

    @Test
    void whatWidensWaitsForAnotherPersonAndSaysWhatItLetsThrough() {
        Publishers mine = Publishers.of(server, other, "pack-widening");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        Reply wider = publish(server, mine.first(), "payments", 200);
        assertThat(wider.status()).as(wider.body()).isEqualTo(202);
        JsonNode proposal = wider.json();
        assertThat(proposal.path("kind").asText()).isEqualTo("pack");
        assertThat(proposal.at("/change/version").asLong()).isEqualTo(2);
        assertThat(proposal.at("/diff/widening").asText()).isEqualTo("yes");
        assertThat(proposal.at("/diff/changes/0/widens").asBoolean()).isTrue();
        assertThat(allows(server, mine.decide(), 150)).isFalse();
        assertThat(get(path("payments"), mine.first()).path("active").asLong()).isEqualTo(1);

        failed(server.post(wider.header("Location") + "/confirm", mine.first(), "{}"), PROPOSALS, 403);
        failed(server.post(wider.header("Location") + "/confirm", mine.author(), "{}"), PROPOSALS, 403);
        confirm(server, mine.second(), wider);
        assertThat(allows(server, mine.decide(), 150)).isTrue();
        assertThat(allows(server, mine.decide(), 201)).isFalse();
        RunningServer.until("the other server obeys", () -> allows(other, mine.decide(), 150));
    }

    @Test
    void rollingBackIsOneCallAndWaitsOnlyIfItWidens() {
        Publishers mine = Publishers.of(server, other, "pack-rolling");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        Reply tighter = publish(server, mine.first(), "payments", 50);
        assertThat(tighter.status()).as(tighter.body()).isEqualTo(201);
        assertThat(allows(server, mine.decide(), 51)).isFalse();

        Reply back = activate(server, mine.first(), "payments", "{\"version\": 1}");
        confirm(server, mine.second(), back);
        assertThat(allows(server, mine.decide(), 51)).isTrue();
        assertThat(allows(server, mine.decide(), 101)).isFalse();

        Reply forth = activate(server, mine.first(), "payments", "{\"version\": 2}");
        assertThat(forth.status()).as(forth.body()).isEqualTo(200);
        assertThat(forth.json().path("active").asLong()).isEqualTo(2);
        assertThat(forth.header("ETag")).isEqualTo("\"4\"");
        assertThat(allows(server, mine.decide(), 51)).isFalse();
        failed(activate(server, mine.first(), "payments", "{\"version\": 3}"), PACKS, 404);
        failed(activate(server, mine.first(), "payments", "{}"), PACKS, 422);
        failed(activate(server, mine.first(), "payments", "{\"version\": 1, \"mode\": \"on\"}"), PACKS, 422);
        Reply stale = server.send(server.request(path("payments") + "/activate", mine.first())
                .header("Content-Type", "application/json")
                .header("If-Match", "\"3\"")
                .POST(java.net.http.HttpRequest.BodyPublishers.ofString("{\"version\": 1}")));
        failed(stale, PACKS, 412);

        Reply off = activate(server, mine.first(), "payments", "{\"mode\": \"off\"}");
        assertThat(allows(server, mine.decide(), 51)).isFalse();
        confirm(server, mine.second(), off);
        assertThat(allows(server, mine.decide(), 1_000)).isTrue();
        assertThat(get(path("payments"), mine.first()).path("active").isNull()).isTrue();
        JsonNode versions = get(path("payments") + "/versions?limit=1", mine.first());
        assertThat(versions.at("/versions/0/version").asLong()).isEqualTo(2);
        assertThat(versions.path("next").asLong()).isEqualTo(2);
        assertThat(get(path("payments") + "/versions?before=2", mine.first())
                        .at("/versions/0/version")
                        .asLong())
                .isEqualTo(1);
    }

    @Test
    void undoingTheLastChangeDoesNotWaitForWhatIsOnlyFeared() {
        Publishers mine = Publishers.of(server, other, "pack-restoring");
        String versions = path("payments") + "/versions";
        assertThat(server.post(versions, mine.first(), matching("x.*z")).status())
                .isEqualTo(201);
        confirm(server, mine.second(), server.post(versions, mine.first(), matching("xy+z")));
        Reply back = activate(server, mine.first(), "payments", "{\"version\": 1}");
        assertThat(back.status()).as(back.body()).isEqualTo(200);

        confirm(server, mine.second(), activate(server, mine.first(), "payments", "{\"version\": 2}"));
        assertThat(publish(server, mine.first(), "beside", 100).status()).isEqualTo(201);
        Reply late = activate(server, mine.first(), "payments", "{\"version\": 1}");
        assertThat(late.status()).as("something else has changed since").isEqualTo(202);
        assertThat(late.json().at("/diff/widening").asText()).isEqualTo("could");
    }

    /** A pack that denies payments from accounts of a pattern, of which no test tells all that it matches. */
    private static String matching(String regex) {
        String rules = Publishing.rules("payments", 100)
                .replace("sum != null, sum > 100", "sum != null, sum > 100, resourceId matches \"" + regex + "\"");
        return Publishing.upload("payments", rules, Publishing.scenario(101, "deny"))
                .toString();
    }

    @Test
    void aProposalForAPackThatChangedMeanwhileIsOutdated() {
        Publishers mine = Publishers.of(server, other, "pack-outdated");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        Reply waiting = publish(server, mine.first(), "payments", 200);
        assertThat(publish(server, mine.first(), "payments", 50).status()).isEqualTo(201);
        failed(server.post(waiting.header("Location") + "/confirm", mine.second(), "{}"), PROPOSALS, 409);
        assertThat(allows(server, mine.decide(), 51)).isFalse();
    }

    @Test
    void theOperatorsPacksJudgeEveryTenantAndNoTenantSwitchesThemOff() {
        Publishers mine = Publishers.of(server, other, "pack-beneath");
        assertThat(publish(server, mine.first(), "own-limit", 500).status()).isEqualTo(201);
        String operator = server.key("operator");
        Reply published = publish(server, operator, "for-all", 300);
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        assertThat(allows(server, mine.decide(), 301)).isFalse();
        assertThat(allows(server, server.key("agent"), 301)).isFalse();
        RunningServer.until("the other server obeys", () -> !allows(other, mine.decide(), 301));
        assertThat(get(PACKS, mine.first()).path("beneath").toString()).contains("for-all");
        failed(activate(server, mine.first(), "for-all", "{\"mode\": \"off\"}"), PACKS, 404);
        assertThat(allows(server, mine.decide(), 301)).isFalse();

        Reply off = activate(server, operator, "for-all", "{\"mode\": \"off\"}");
        failed(server.post(off.header("Location") + "/confirm", operator, "{}"), PROPOSALS, 403);
        String second = made(server.post("/api/v1/keys", operator, "{\"name\": \"second\", \"roles\": [\"operator\"]}"))
                .path("secret")
                .asText();
        confirm(server, second, off);
        assertThat(allows(server, mine.decide(), 301)).isTrue();
        assertThat(allows(server, mine.decide(), 501)).isFalse();
    }

    @Test
    void whatIsStoredAndCannotBeUsedAnyMoreDeniesAndIsSaid(@AsOwner PostgresAddress database) throws Exception {
        Publishers mine = Publishers.of(server, other, "pack-broken");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        assertThat(allows(server, mine.decide(), 1)).isTrue();
        Sql.execute(
                database,
                "update rule_packs set digest = repeat('0', 64), files = replace(files, 'deny', 'allow')"
                        + " where tenant = 'pack-broken'");
        Sql.countChange(database, "pack-broken");
        RunningServer.until("it denies", () -> !allows(server, mine.decide(), 1));
        assertThat(pay(server, mine.decide(), 1).toString()).contains("PACK_UNUSABLE");
        assertThat(get(path("payments"), mine.first()).path("problem").asText()).isNotEmpty();
        assertThat(allows(server, server.key("agent"), 1)).isTrue();
    }

    private static Reply declaring(String secret, String name, int limit, String type) {
        ObjectNode body = upload(name, limit);
        String declares = "params:\n  clash.limit: {type: " + type + ", default: \"1\"}\n";
        ((ObjectNode) body.get("files"))
                .put("pack.yaml", manifest(name) + (type.equals("number") ? declares.replace("\"", "") : declares));
        Reply published = server.post(path(name) + "/versions", secret, body.toString());
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        return published;
    }

    @Test
    void aPackThatClashesWithALaterOneOfTheOperatorKeepsNoPackFromBeingTakenOut() {
        Publishers mine = Publishers.of(server, other, "pack-clashing");
        declaring(mine.first(), "payments", 100, "text");
        assertThat(publish(server, mine.first(), "others", 50).status()).isEqualTo(201);
        assertThat(allows(server, mine.decide(), 1)).isTrue();
        declaring(server.key("operator"), "clashing", 1_000_000, "number");
        RunningServer.until("it denies", () -> !allows(server, mine.decide(), 1));
        assertThat(pay(server, mine.decide(), 1).toString()).contains("PACK_UNUSABLE");
        assertThat(get(path("payments"), mine.first()).path("problem").asText()).contains("clash.limit");

        Reply off = activate(server, mine.first(), "others", "{\"mode\": \"off\"}");
        assertThat(off.status()).as(off.body()).isEqualTo(200);
        assertThat(allows(server, mine.decide(), 1)).isFalse();
        Reply broken = activate(server, mine.first(), "payments", "{\"mode\": \"off\"}");
        confirm(server, mine.second(), broken);
        assertThat(allows(server, mine.decide(), 101)).isTrue();
    }

    @Test
    void noRequestFailsAndEachIsJudgedByOneVersion() {
        Publishers mine = Publishers.of(server, other, "pack-load");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        RunningServer.until("both judge by the first", () -> !allows(other, mine.decide(), 101));
        var changing = new AtomicBoolean(true);
        var clients = new ArrayList<CompletableFuture<Void>>();
        for (RunningServer at : new RunningServer[] {server, other, server, other}) {
            clients.add(CompletableFuture.runAsync(() -> {
                while (changing.get()) {
                    JsonNode answer = pay(at, mine.decide(), 1_000);
                    assertThat(Reply.decision(answer)).isFalse();
                    assertThat(Pattern.compile("TOO_MUCH_[0-9]+")
                                    .matcher(answer.toString())
                                    .results()
                                    .map(MatchResult::group)
                                    .distinct())
                            .hasSize(1);
                }
            }));
        }
        try {
            for (int limit = 99; limit > 90; limit--) {
                assertThat(publish(server, mine.first(), "payments", limit).status())
                        .isEqualTo(201);
                int now = limit;
                assertThat(pay(server, mine.decide(), 1_000).toString()).contains("TOO_MUCH_" + now + "\"");
                RunningServer.until(
                        "the other server obeys",
                        () -> pay(other, mine.decide(), 1_000).toString().contains("TOO_MUCH_" + now + "\""));
            }
        } finally {
            changing.set(false);
        }
        clients.forEach(CompletableFuture::join);
    }
}
