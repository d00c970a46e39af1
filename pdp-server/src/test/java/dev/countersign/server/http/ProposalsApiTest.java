package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.KEYS;
import static dev.countersign.server.http.Managing.made;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What two persons decide together. */
@ExtendWith(PostgresExtension.class)
class ProposalsApiTest {
    private static final String PROPOSALS = "/api/v1/proposals";
    private static final String ON_ERROR = "/api/v1/settings/on_error";
    private static final String DEFAULT = "/api/v1/settings/default_decision";

    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws java.io.IOException {
        other.close();
        server.close();
    }

    @AfterEach
    void nothingWaits() {
        for (JsonNode open :
                server.get(PROPOSALS + "?state=proposed", publisher()).json().path("proposals")) {
            assertThat(reject(open.path("id").asText(), publisher()).status()).isEqualTo(200);
        }
        for (String name : List.of(ON_ERROR, DEFAULT)) {
            if (server.get(name, author()).json().path("version").asLong() > 0) {
                Reply taken = server.delete(name, author());
                assertThat(confirm(proposal(taken), publisher()).status()).isEqualTo(200);
            }
        }
    }

    private static String author() {
        return server.key("author");
    }

    private static String publisher() {
        return server.key("publisher");
    }

    private static String proposal(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        assertThat(reply.header("Location"))
                .isEqualTo(PROPOSALS + "/" + reply.json().path("id").asText());
        return reply.json().path("id").asText();
    }

    private static String proposed(String path, String value) {
        return proposal(server.put(path, author(), "{\"value\": \"" + value + "\"}"));
    }

    private static Reply confirm(String id, String secret) {
        return server.post(PROPOSALS + "/" + id + "/confirm", secret, "{}");
    }

    private static Reply reject(String id, String secret) {
        return server.post(PROPOSALS + "/" + id + "/reject", secret, "{\"note\": \"no\"}");
    }

    private static String value(RunningServer at, String path) {
        return at.get(path, author()).json().path("value").asText();
    }

    private static String secret(String name, String person, String... roles) {
        String body = "{\"name\": \"" + name + "\", \"roles\": [\"" + String.join("\", \"", roles) + "\"]"
                + (person == null ? "" : ", \"person\": \"" + person + "\"") + "}";
        return made(server.post(KEYS, server.key("admin"), body)).path("secret").asText();
    }

    @ParameterizedTest
    @ValueSource(strings = {ON_ERROR, DEFAULT})
    void aChangeOfWhatIsSaidWhereNoRuleSpeaksWaitsForAnotherPerson(String setting) {
        String id = proposed(setting, "require_approval");
        JsonNode waiting = server.get(PROPOSALS + "/" + id, author()).json();
        assertThat(waiting.path("state").asText()).isEqualTo("proposed");
        assertThat(waiting.path("change").path("value").asText()).isEqualTo("require_approval");
        assertThat(waiting.has("decided_by")).isFalse();
        assertThat(value(server, setting)).as("nothing is changed").isEqualTo("deny");

        Reply confirmed = confirm(id, publisher());
        assertThat(confirmed.status()).as(confirmed.body()).isEqualTo(200);
        assertThat(confirmed.json().path("state").asText()).isEqualTo("confirmed");
        assertThat(confirmed.json().path("decided_by").asText())
                .isEqualTo(publisher().substring(0, 12));
        assertThat(value(server, setting)).isEqualTo("require_approval");
        RunningServer.until(
                "the other server knows", () -> value(other, setting).equals("require_approval"));
        failed(confirm(id, publisher()), PROPOSALS, 409);
    }

    @Test
    void nobodyConfirmsWhatTheyProposedHoweverManyKeysTheyHave() {
        String both = secret("both", "Carol", "policy.write", "policy.publish");
        String second = secret("second", "carol", "policy.publish");
        String id = proposal(server.put(ON_ERROR, both, "{\"value\": \"allow\"}"));
        failed(confirm(id, both), PROPOSALS, 403);
        failed(confirm(id, second), PROPOSALS, 403);
        assertThat(value(server, ON_ERROR)).isEqualTo("deny");
        assertThat(confirm(id, publisher()).status()).isEqualTo(200);
    }

    @Test
    void aServiceNeverConfirms() {
        String service = secret("pipeline", null, "policy.write", "policy.publish");
        failed(confirm(proposed(ON_ERROR, "allow"), service), PROPOSALS, 403);
        String id = proposal(server.put(ON_ERROR, service, "{\"value\": \"allow\"}"));
        failed(confirm(id, service), PROPOSALS, 403);
        assertThat(confirm(id, publisher()).status()).isEqualTo(200);
    }

    @Test
    void whatTheOperatorWidensTakesAnotherKeyOfTheOperator() {
        String operator = server.key("operator");
        Reply widening = server.post("/api/v1/policies", operator, """
                {"name": "everybody looks", "scope": "global", "effect": "allow", "action_pattern": "look",
                 "rule_expr": {"when": {"field": "tenant", "op": "==", "value": "demo"}}}""");
        String id = proposal(widening);
        failed(confirm(id, operator), PROPOSALS, 403);
        failed(confirm(id, publisher()), PROPOSALS, 404);
        failed(server.get(PROPOSALS + "/" + id, author()), PROPOSALS, 404);
        String second = made(server.post(KEYS, operator, "{\"name\": \"second\", \"roles\": [\"operator\"]}"))
                .path("secret")
                .asText();
        assertThat(confirm(id, second).status()).isEqualTo(200);
        Reply gone =
                server.delete("/api/v1/policies/" + widening.json().path("name").asText(), operator);
        assertThat(gone.status()).as("an allow that goes widens nothing").isEqualTo(200);
    }

    @Test
    void whoDoesNotPublishTakesBackOnlyWhatTheyProposed() {
        String other = secret("another author", "Olga", "policy.write");
        String id = proposed(ON_ERROR, "allow");
        failed(reject(id, other), PROPOSALS, 403);
        assertThat(reject(id, author()).status()).isEqualTo(200);
    }

    @Test
    void aProposalSaysWhatItWouldDoAndTakesEffectWhenItIsConfirmed() {
        String id = proposal(server.put("/api/v1/settings/approvals.allowlist", author(), "{\"value\": [\"tidy\"]}"));
        JsonNode diff = server.get(PROPOSALS + "/" + id, author()).json().path("diff");
        assertThat(diff.path("widening").asText()).isEqualTo("yes");
        JsonNode change = diff.path("changes").get(0);
        assertThat(change.path("widens").asBoolean()).isTrue();
        assertThat(change.at("/example/action/name").asText()).isEqualTo("tidy");
        String example = change.path("example").toString();
        assertThat(server.post("/access/v1/evaluation", example).decision()).isFalse();
        assertThat(confirm(id, publisher()).status()).isEqualTo(200);
        assertThat(server.post("/access/v1/evaluation", example).decision()).isTrue();
        assertThat(server.delete("/api/v1/settings/approvals.allowlist", author())
                        .status())
                .isEqualTo(200);
    }

    @Test
    void twoListsThatPrintAlikeAreNotTheSame() {
        String denylist = "/api/v1/settings/approvals.denylist";
        assertThat(server.put(denylist, author(), "{\"value\": [\"wipe\", \"nuke\"]}")
                        .status())
                .isEqualTo(200);
        String id = proposal(server.put(denylist, author(), "{\"value\": [\"wipe, nuke\"]}"));
        reject(id, author());
        assertThat(confirm(proposal(server.delete(denylist, author())), publisher())
                        .status())
                .isEqualTo(200);
    }

    @Test
    void whoMayNotPublishDoesNotConfirm() {
        String id = proposed(ON_ERROR, "allow");
        failed(confirm(id, author()), PROPOSALS, 403);
        failed(confirm(id, server.key("admin")), PROPOSALS, 403);
        failed(confirm(id, server.key("alice")), PROPOSALS, 403);
    }

    @Test
    void whatIsRefusedOrTakenBackIsNeverMade() {
        String refused = proposed(ON_ERROR, "allow");
        Reply rejected = reject(refused, publisher());
        assertThat(rejected.json().path("state").asText()).isEqualTo("rejected");
        assertThat(rejected.json().path("note").asText()).isEqualTo("no");
        String withdrawn = proposed(ON_ERROR, "allow");
        assertThat(reject(withdrawn, author()).json().path("state").asText()).isEqualTo("withdrawn");
        failed(confirm(refused, publisher()), PROPOSALS, 409);
        failed(confirm(withdrawn, publisher()), PROPOSALS, 409);
        failed(reject(withdrawn, publisher()), PROPOSALS, 409);
        assertThat(value(server, ON_ERROR)).isEqualTo("deny");
    }

    @Test
    void aProposalForWhatHasChangedMeanwhileIsOutdated() {
        String first = proposed(ON_ERROR, "allow");
        String second = proposed(ON_ERROR, "require_approval");
        assertThat(confirm(second, publisher()).status()).isEqualTo(200);
        failed(confirm(first, publisher()), PROPOSALS, 409);
        JsonNode outdated = server.get(PROPOSALS + "/" + first, author()).json();
        assertThat(outdated.path("state").asText()).isEqualTo("outdated");
        assertThat(value(server, ON_ERROR)).isEqualTo("require_approval");
    }

    @Test
    void ofManyWhoConfirmAtOnceOneDoes() {
        String third = secret("third", "Trent", "policy.publish");
        RunningServer.until(
                "the other server knows the key",
                () -> other.get(PROPOSALS, third).status() == 200);
        String id = proposed(ON_ERROR, "allow");
        var confirming = new ArrayList<CompletableFuture<Reply>>();
        for (int i = 0; i < 6; i++) {
            String secret = i % 2 == 0 ? publisher() : third;
            RunningServer at = i % 3 == 0 ? server : other;
            confirming.add(
                    CompletableFuture.supplyAsync(() -> at.post(PROPOSALS + "/" + id + "/confirm", secret, "{}")));
        }
        var statuses = confirming.stream().map(each -> each.join().status()).toList();
        assertThat(statuses).containsOnlyOnce(200).containsOnly(200, 409);
    }

    @ParameterizedTest
    @ValueSource(strings = {"permit", "ALLOW", "", "deny "})
    void itIsOneOfThreeWords(String value) {
        failed(server.put(ON_ERROR, author(), "{\"value\": \"" + value + "\"}"), ON_ERROR, 422);
    }

    @Test
    void proposalsComeInPagesAndByState() {
        String first = proposed(ON_ERROR, "allow");
        String second = proposed(DEFAULT, "allow");
        reject(first, publisher());
        JsonNode open = server.get(PROPOSALS + "?state=proposed", author()).json();
        assertThat(open.path("proposals")).hasSize(1);
        assertThat(open.at("/proposals/0/id").asText()).isEqualTo(second);
        var seen = new ArrayList<String>();
        String next = "";
        do {
            JsonNode page = server.get(PROPOSALS + "?limit=1" + (next.isEmpty() ? "" : "&after=" + next), author())
                    .json();
            page.path("proposals").forEach(each -> seen.add(each.path("id").asText()));
            next = page.path("next").asText();
        } while (!next.isEmpty());
        assertThat(seen).contains(first, second).isSorted().doesNotHaveDuplicates();
        failed(server.get(PROPOSALS + "?state=open", author()), PROPOSALS, 400);
        failed(server.get(PROPOSALS + "?after=x", author()), PROPOSALS, 400);
    }

    @Test
    void whatIsNoProposalIsNotFound() {
        failed(server.get(PROPOSALS + "/x", author()), PROPOSALS, 404);
        failed(confirm("01a2008d-7271-7bb8-bf49-7ffe4c14458f", publisher()), PROPOSALS, 404);
        failed(confirm("%00", publisher()), PROPOSALS, 404);
    }

    @Test
    void theHistoryNamesTheProposal(@AsOwner PostgresAddress database) throws Exception {
        String id = proposed(ON_ERROR, "allow");
        assertThat(confirm(id, publisher()).status()).isEqualTo(200);
        assertThat(dev.countersign.server.postgres.Sql.query(
                        database,
                        "select p.id || ' ' || h.new_value || ' ' || p.proposed_by || ' ' || p.decided_by"
                                + " from settings_history h join proposals p on p.id = h.proposal"
                                + " order by h.version desc limit 1"))
                .isEqualTo(id + " \"allow\" " + author().substring(0, 12) + " "
                        + publisher().substring(0, 12));
    }

    private static Reply confirm(String id, String secret, String tag) {
        return server.send(server.request(PROPOSALS + "/" + id + "/confirm", secret)
                .header("If-Match", tag)
                .POST(java.net.http.HttpRequest.BodyPublishers.noBody()));
    }

    @Test
    void whoSaysWhatTheySawConfirmsNothingElse() {
        String id = proposed(ON_ERROR, "allow");
        Reply seen = server.get(PROPOSALS + "/" + id, publisher());
        String another = proposed(DEFAULT, "allow");
        String theirs = server.get(PROPOSALS + "/" + another, publisher()).header("ETag");
        assertThat(seen.header("ETag")).isNotEmpty().isNotEqualTo(theirs);
        Reply refused = confirm(id, publisher(), theirs);
        failed(refused, PROPOSALS, 412);
        assertThat(refused.header("ETag")).isEqualTo(seen.header("ETag"));
        assertThat(value(server, ON_ERROR)).isEqualTo("deny");
        Reply confirmed = confirm(id, publisher(), seen.header("ETag"));
        assertThat(confirmed.status()).as(confirmed.body()).isEqualTo(200);
        assertThat(confirmed.header("ETag")).isNotEqualTo(seen.header("ETag"));
    }

    @Test
    void aDiffThatIsNewHasAnotherTag() {
        String allowlist = "/api/v1/settings/approvals.allowlist";
        String id = proposal(server.put(allowlist, author(), "{\"value\": [\"wash\"]}"));
        String seen = server.get(PROPOSALS + "/" + id, publisher()).header("ETag");
        Reply denied = server.post("/api/v1/policies", author(), """
                {"name": "no washing", "scope": "tenant", "effect": "deny", "action_pattern": "wash"}""");
        assertThat(denied.status()).as(denied.body()).isEqualTo(201);
        failed(confirm(id, publisher(), seen), PROPOSALS, 409);
        failed(confirm(id, publisher(), seen), PROPOSALS, 412);
        String now = server.get(PROPOSALS + "/" + id, publisher()).header("ETag");
        assertThat(confirm(id, publisher(), now).status()).isEqualTo(200);
        server.delete(allowlist, author());
        Reply gone =
                server.delete("/api/v1/policies/" + denied.json().path("id").asText(), author());
        assertThat(gone.status()).isIn(200, 202);
    }

    @Test
    void itIsDecidedWithoutABody() {
        for (String decision : List.of("confirm", "reject")) {
            Reply decided = server.send(
                    server.request(PROPOSALS + "/" + proposed(ON_ERROR, "allow") + "/" + decision, publisher())
                            .POST(java.net.http.HttpRequest.BodyPublishers.noBody()));
            assertThat(decided.status()).as(decided.body()).isEqualTo(200);
            if (decision.equals("confirm")) {
                assertThat(confirm(proposal(server.delete(ON_ERROR, author())), publisher())
                                .status())
                        .isEqualTo(200);
            }
        }
    }
}
