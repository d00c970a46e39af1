package dev.countersign.server.http;

import static dev.countersign.server.http.Issued.ask;
import static dev.countersign.server.http.Issued.person;
import static dev.countersign.server.http.Issued.register;
import static dev.countersign.server.http.Issued.registration;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.server.issuers.Idp;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What callers with tokens may do around approvals, and how an issuer's keys come and go. */
@ExtendWith(PostgresExtension.class)
class TokensTest {
    private static final ECKey KEY = Idp.ec("one");
    private static final String[] REVIEWER = {"reviewers"};

    private static Idp idp;
    private static Idp turning;
    private static Idp failing;
    private static RunningServer server;
    private static Approving at;
    private static String issuer;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        idp = new Idp(KEY);
        turning = new Idp();
        failing = new Idp();
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_EGRESS", String.join(",", idp.origin(), turning.origin(), failing.origin())),
                RunningServer.checkout("rules/packs/base"),
                Issued.pairs(directory));
        at = new Approving(server, database);
        at.entity("agent/planner", "{\"owner\": \"carol\"}");
        issuer = register(server, server.key("admin"), registration(idp, "main"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        idp.close();
        turning.close();
        failing.close();
    }

    private static String token(String sub, String... roles) {
        return Idp.sign(KEY, idp.claims("main", sub, roles).build());
    }

    private static JsonNode pair() {
        var call = Asks.call("pair");
        call.withObject("/context").put("confidence", 0.99);
        return call;
    }

    private static String status(String id) {
        return at.seen(id).path("status").asText();
    }

    @Test
    void aServiceNeverReviewsWhateverItsTokenSays() {
        String id = at.requested(Asks.call("pay"));
        Reply reply = Asks.approve(server, token("some-service", REVIEWER), id);
        assertThat(reply.status()).as(reply.body()).isEqualTo(403);
        assertThat(status(id)).isEqualTo("pending");
    }

    @Test
    void aPersonOfWhomItIsNotSaidDoesNotReviewByToken() {
        person(server, issuer, "olga", "Olga", false);
        String id = at.requested(Asks.call("pay"));
        assertThat(Asks.approve(server, token("olga", REVIEWER), id).status()).isEqualTo(403);
        assertThat(at.seen(id).path("could_approve").toString()).doesNotContain("Olga");
    }

    @Test
    void aPersonWhoHasNoKeyReviewsByTokenUntilTheSubjectIsAServiceAgain() {
        String token = token("paula", REVIEWER);
        person(server, issuer, "paula", "Paula", true);
        String first = at.requested(Asks.call("pay"));
        assertThat(at.seen(first).path("could_approve").toString()).contains("Paula");
        Reply reply = Asks.approve(server, token, first);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(status(first)).isEqualTo("approved");
        server.delete(Issued.subject(issuer, "paula"), server.key("admin"));
        String second = at.requested(Asks.call("pay"));
        assertThat(Asks.approve(server, token, second).status()).isEqualTo(403);
    }

    @Test
    void onePersonWithAKeyAndATokenIsOneReviewer() {
        String key = at.person("quinn", "Quinn", "decide", "approvals.read", "approvals.approve");
        person(server, issuer, "q-1", "QUINN", true);
        person(server, issuer, "q-2", "quinn", true);
        String id = at.requested(pair());
        assertThat(at.seen(id).path("could_approve"))
                .filteredOn(each -> each.path("name").asText().equals("Quinn"))
                .hasSize(1);
        assertThat(Asks.approve(server, key, id).status()).isEqualTo(200);
        Approving.ineligible(Asks.approve(server, token("q-1", REVIEWER), id), "voted_already");
        Approving.ineligible(Asks.approve(server, token("q-2", REVIEWER), id), "voted_already");
        assertThat(status(id)).isEqualTo("pending");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        assertThat(status(id)).isEqualTo("approved");
    }

    @Test
    void whoAsksByTokenDoesNotReviewByKey() {
        String key = at.person("rosa", "Rosa", "decide", "approvals.read", "approvals.approve");
        person(server, issuer, "rosa", "Rosa", true);
        String id = Asks.requested(server, token("rosa", "agents"), Asks.call("pay"));
        Approving.ineligible(Asks.approve(server, key, id), "requesters_side");
    }

    @Test
    void whatATokensSubjectAskedForIsItsOwnAndNotThatOfAKeyOfItsName() {
        String asked = Asks.requested(server, token("twin", "agents"), Asks.call("pay"));
        String path = Asks.REQUESTS + "/" + asked;
        assertThat(server.get(path, token("twin", "agents")).status()).isEqualTo(200);
        assertThat(server.get(path, token("other", "agents")).status()).isEqualTo(404);
        assertThat(server.get(path, at.service("twin")).status()).isEqualTo(404);
        assertThat(at.approve("alice", asked).status()).isEqualTo(200);
        JsonNode approval = Asks.approval(server, token("twin", "agents"), asked);
        var call = Asks.with(Asks.call("pay"), approval);
        assertThat(Reply.decision(Approving.ask(server, at.service("twin"), call)))
                .isFalse();
        assertThat(Reply.decision(Approving.ask(server, token("twin", "agents"), call)))
                .isTrue();
    }

    @Test
    void aTokenWithANewKeyIsTakenSoonAndOneWithAnOldKeyNoMore() {
        ECKey old = Idp.ec("old");
        ECKey next = Idp.ec("next");
        turning.publish(old);
        register(server, server.key("admin"), registration(turning, "turning"));
        var claims = turning.claims("turning", "bot", "agents").build();
        String before = Idp.sign(old, claims);
        assertThat(ask(server, before).status()).isEqualTo(200);
        turning.publish(next);
        Reply first = ask(server, Idp.sign(next, claims));
        assertThat(first.status()).isEqualTo(401);
        assertThat(first.header("WWW-Authenticate")).contains("error=\"invalid_token\"");
        assertThat(first.header("Retry-After")).isEqualTo("1");
        RunningServer.until(
                "the new key is read", () -> ask(server, Idp.sign(next, claims)).status() == 200);
        assertThat(ask(server, before).status()).isEqualTo(401);
    }

    @Test
    void keysThatCannotBeReadAnyMoreGoOn() {
        ECKey key = Idp.ec("steady");
        failing.publish(key);
        String id = register(server, server.key("admin"), registration(failing, "failing"));
        failing.answer(500, "down");
        assertThat(ask(
                                server,
                                Idp.sign(
                                        Idp.ec("unknown"),
                                        failing.claims("failing", "bot", "agents")
                                                .build()))
                        .status())
                .isEqualTo(401);
        RunningServer.until(
                "the server has noticed",
                () -> server.get(Issued.ISSUERS + "/" + id, server.key("admin"))
                        .json()
                        .at("/keys/problem")
                        .asText()
                        .contains("500"));
        for (String sub : new String[] {"bot", "another"}) {
            assertThat(ask(
                                    server,
                                    Idp.sign(
                                            key,
                                            failing.claims("failing", sub, "agents")
                                                    .build()))
                            .status())
                    .isEqualTo(200);
        }
    }
}
