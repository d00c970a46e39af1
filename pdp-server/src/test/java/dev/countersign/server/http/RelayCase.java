package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.countersign.server.issuers.Idp;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A server with an issuer of statements, and a relay that brings them. */
@ExtendWith(PostgresExtension.class)
abstract class RelayCase {
    static final ECKey KEY = Idp.ec("one");
    static final String TYPE = "review-statement+jwt";

    static PostgresAddress owner;
    static Idp idp;
    static RunningServer server;
    static Approving at;
    static String issuer;
    static String relay;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        owner = database;
        idp = new Idp(KEY);
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("COUNTERSIGN_EGRESS", idp.origin()),
                RunningServer.checkout("rules/packs/base"),
                Issued.pairs(directory));
        at = new Approving(server, database);
        at.entity("agent/planner", "{\"owner\": \"carol\"}");
        issuer = Issued.register(server, server.key("admin"), Issued.registration(idp, "main"));
        Issued.person(server, issuer, "paula", "Paula", true);
        Issued.person(server, issuer, "carol", "carol", true);
        Issued.person(server, issuer, "olga", "Olga", false);
        relay = key("{\"name\": \"tickets\", \"roles\": [\"approvals.relay\"]}");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        idp.close();
    }

    static String key(String body) {
        return Managing.made(server.post(Managing.KEYS, server.key("admin"), body))
                .path("secret")
                .asText();
    }

    static JWTClaimsSet.Builder claims(String id, String sub, String decision) {
        return idp.claims("main", sub)
                .jwtID(UUID.randomUUID().toString())
                .claim("request_id", id)
                .claim("digest", at.seen(id).path("digest").asText())
                .claim("decision", decision);
    }

    static JWSHeader.Builder header(String type) {
        return Idp.header(JWSAlgorithm.ES256, "one").type(new JOSEObjectType(type));
    }

    static String signed(JWTClaimsSet claims) {
        return Idp.sign(KEY, header(TYPE).build(), claims);
    }

    static Reply relayed(String by, String id, String statement) {
        return server.post(Asks.APPROVALS + "/" + id + "/relay", by, "{\"statement\": \"" + statement + "\"}");
    }

    static Reply relayed(String id, JWTClaimsSet.Builder claims) {
        return relayed(relay, id, signed(claims.build()));
    }

    /** Says why a statement is not taken, and that nothing has come of it. */
    static void refused(Reply reply, String id, String reason) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(403);
        assertThat(reply.json().path("type").asText()).isEqualTo("urn:countersign:problem:statement_refused");
        assertThat(reply.json().path("reason").asText()).isEqualTo(reason);
        untouched(id);
    }

    static void untouched(String id) {
        assertThat(at.seen(id).path("status").asText()).isEqualTo("pending");
        assertThat(at.seen(id).path("reviews")).isEmpty();
    }

    static void unfit(String reason, UnaryOperator<JWTClaimsSet.Builder> change) {
        String id = at.requested(Asks.call("pay"));
        refused(relayed(id, change.apply(claims(id, "paula", "approve"))), id, reason);
        assertThat(relayed(id, claims(id, "paula", "approve")).status())
                .as("a good one is taken")
                .isEqualTo(200);
    }

    static Date in(int seconds) {
        return Date.from(Instant.now().plusSeconds(seconds));
    }

    static JsonNode pair() {
        var call = Asks.call("pair");
        call.withObject("/context").put("confidence", 0.99);
        return call;
    }
}
