package dev.countersign.server.http;

import static dev.countersign.server.http.Approving.ineligible;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.Sql;
import java.sql.DriverManager;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Another system brings what persons decided, once each, and decides nothing itself. */
class RelayTest extends RelayCase {
    @Test
    void anApprovalThatWasDecidedElsewhereIsThePersonsAndTheTrailNamesRelayAndStatement() {
        String id = at.requested(Asks.call("pay"));
        var claims = claims(id, "paula", "approve").claim("note", "seen\0in the ticket");
        Reply reply = relayed(id, claims);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.json().path("status").asText()).isEqualTo("approved");
        String jti = claims.build().getJWTID();
        JsonNode review = at.seen(id).at("/reviews/0");
        assertThat(review.path("key").asText()).isEqualTo(relay.substring(0, 12));
        assertThat(review.path("note").asText()).isEqualTo("seen\ufffdin the ticket");
        assertThat(review.at("/relayed/issuer").asText()).isEqualTo(issuer);
        assertThat(review.at("/relayed/statement").asText()).isEqualTo(jti);
        JsonNode trail = server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("admin"))
                .json();
        JsonNode event = trail.findParents("specversion").stream()
                .filter(each -> each.path("type").asText().equals("approval.relayed"))
                .findFirst()
                .orElseThrow()
                .path("data");
        assertThat(event.path("by").asText()).isEqualTo(relay.substring(0, 12));
        assertThat(event.path("person")).isEqualTo(review.path("person"));
        assertThat(event.path("vote").asText()).isEqualTo("approve");
        assertThat(event.path("issuer").asText()).isEqualTo(idp.issuer());
        assertThat(event.path("statement").asText()).isEqualTo(jti);
        JsonNode approval = Asks.approval(server, at.agent(), id);
        assertThat(Reply.decision(at.ask(Asks.with(Asks.call("pay"), approval))))
                .isTrue();
    }

    @Test
    void aRefusalThatWasDecidedElsewhereEndsTheRequest() {
        String id = at.requested(Asks.call("pay"));
        assertThat(relayed(id, claims(id, "paula", "deny"))
                        .json()
                        .path("status")
                        .asText())
                .isEqualTo("rejected");
        assertThat(at.seen(id).path("status").asText()).isEqualTo("rejected");
    }

    @Test
    void aRelayIsNoReviewerByThatAndItsPersonDoesNotDecide() {
        String own = key("{\"name\": \"rita\", \"person\": \"Rita\", \"roles\": [\"approvals.relay\"]}");
        Issued.person(server, issuer, "rita", "Rita", true);
        String id = at.requested(Asks.call("pay"));
        assertThat(Asks.approve(server, relay, id).status()).isEqualTo(403);
        assertThat(Asks.reject(server, own, id).status()).isEqualTo(403);
        refused(relayed(own, id, signed(claims(id, "rita", "approve").build())), id, "own");
        assertThat(relayed(own, id, signed(claims(id, "paula", "approve").build()))
                        .status())
                .isEqualTo(200);
    }

    @Test
    void withoutTheRoleNothingIsRelayed() {
        String id = at.requested(Asks.call("pay"));
        String statement = signed(claims(id, "paula", "approve").build());
        for (String name : new String[] {"agent", "alice", "admin", "author", "operator"}) {
            assertThat(relayed(server.key(name), id, statement).status())
                    .as(name)
                    .isEqualTo(403);
        }
        assertThat(relayed("csk_nobody_nothing", id, statement).status()).isEqualTo(401);
        untouched(id);
    }

    @Test
    void aStatementIsTakenOnce() {
        String id = at.requested(pair());
        String first = signed(claims(id, "paula", "approve").build());
        assertThat(relayed(relay, id, first).json().path("status").asText()).isEqualTo("pending");
        Reply again = relayed(relay, id, first);
        assertThat(again.status()).isEqualTo(403);
        assertThat(again.json().path("reason").asText()).isEqualTo("replayed");
        ineligible(relayed(id, claims(id, "paula", "approve")), "voted_already");
        assertThat(at.seen(id).path("reviews")).hasSize(1);
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        assertThat(relayed(relay, id, first).json().path("reason").asText()).isEqualTo("replayed");
        JsonNode stats =
                server.get(Asks.APPROVALS + "/stats", server.key("alice")).json();
        assertThat(stats.path("by_channel"))
                .extracting(each -> each.path("channel").asText())
                .contains("relay", "key");
    }

    @Test
    void aStatementThatManyBringAtOnceIsTakenOnce() {
        String id = at.requested(pair());
        String statement = signed(claims(id, "paula", "approve").build());
        var replies = Stream.generate(() -> CompletableFuture.supplyAsync(() -> relayed(relay, id, statement)))
                .limit(8)
                .toList()
                .stream()
                .map(CompletableFuture::join)
                .toList();
        assertThat(replies).filteredOn(each -> each.status() == 200).hasSize(1);
        assertThat(replies)
                .filteredOn(each -> each.status() != 200)
                .allMatch(each -> each.json().path("reason").asText().equals("replayed"));
        assertThat(at.seen(id).path("reviews")).hasSize(1);
    }

    @Test
    void whatIsKeptOfStatementsIsForgottenOnceTheyAreExpiredAndNotBefore() throws Exception {
        String id = at.requested(pair());
        String statement = signed(claims(id, "paula", "approve").build());
        relayed(relay, id, statement);
        Sql.execute(owner, """
                insert into relayed_statements (tenant, issuer, statement, request, used_at, kept_until)
                values ('demo', '%s', 'old', '%s', now(), now() - interval '1 second')""".formatted(issuer, id));
        String other = at.requested(Asks.call("pay"));
        assertThat(relayed(other, claims(other, "paula", "deny")).status()).isEqualTo(200);
        assertThat(kept("statement = 'old'")).isZero();
        assertThat(kept("request = '" + id + "'")).isEqualTo(1);
        assertThat(relayed(relay, id, statement).json().path("reason").asText()).isEqualTo("replayed");
    }

    @Test
    void aPersonOnTheRequestersSideDoesNotCountWhoeverRelays() {
        String id = at.requested(Asks.call("pay"));
        ineligible(relayed(id, claims(id, "carol", "approve")), "requesters_side");
        untouched(id);
    }

    @Test
    void aRequestThatHasEndedIsDecidedNoMore() {
        String id = at.requested(Asks.call("pay"));
        var claims = claims(id, "paula", "deny");
        assertThat(at.approve("alice", id).status()).isEqualTo(200);
        Reply reply = relayed(id, claims);
        assertThat(reply.status()).isEqualTo(409);
        assertThat(reply.json().path("type").asText()).endsWith("request_ended");
        assertThat(at.seen(id).path("status").asText()).isEqualTo("approved");
    }

    private static long kept(String where) throws Exception {
        try (var connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var rows = connection
                        .createStatement()
                        .executeQuery("select count(*) from relayed_statements where " + where)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
