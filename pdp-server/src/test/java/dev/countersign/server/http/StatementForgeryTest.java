package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.countersign.server.issuers.Idp;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What no registered issuer has signed about this very request and call, for now, is no statement of who decided. */
class StatementForgeryTest extends RelayCase {
    @Test
    void aStatementOfAnotherIssuerIsRefused() {
        unfit("unsigned", claims -> claims.issuer("https://login.example"));
        unfit("unsigned", claims -> claims.issuer(null));
    }

    @Test
    void aStatementOfAnIssuerOfAnotherTenantIsRefused() {
        String admin = Managing.tenant(server, "strangers");
        String theirs = Issued.register(server, admin, Issued.registration(idp, "theirs"));
        Reply said = server.put(Issued.subject(theirs, "paula"), admin, "{\"person\": \"Paula\", \"approves\": true}");
        assertThat(said.status()).as(said.body()).isEqualTo(200);
        unfit("unsigned", claims -> claims.audience("theirs"));
    }

    @Test
    void aStatementWithAnotherSignatureIsRefused() {
        String id = at.requested(Asks.call("pay"));
        JWTClaimsSet claims = claims(id, "paula", "approve").build();
        refused(relayed(relay, id, Idp.sign(Idp.ec("one"), header(TYPE).build(), claims)), id, "unsigned");
        String good = signed(claims);
        String other = signed(claims(id, "paula", "deny").build());
        String mixed = good.substring(0, good.lastIndexOf('.')) + other.substring(other.lastIndexOf('.'));
        refused(relayed(relay, id, mixed), id, "unsigned");
        assertThat(relayed(relay, id, good).status()).isEqualTo(200);
    }

    @Test
    void aTokenOfAnotherTypeIsNoStatementAndAStatementLetsNobodyIn() {
        String id = at.requested(Asks.call("pay"));
        JWTClaimsSet claims = claims(id, "paula", "approve").build();
        for (String type : new String[] {"at+jwt", "JWT", "review-statement"}) {
            refused(relayed(relay, id, Idp.sign(KEY, header(type).build(), claims)), id, "malformed");
        }
        String statement = signed(idp.claims("main", "paula", "reviewers").build());
        assertThat(Asks.approve(server, statement, id).status()).isEqualTo(401);
        untouched(id);
    }

    @Test
    void aStatementForAnotherAudienceIsRefused() {
        unfit("unsigned", claims -> claims.audience("elsewhere"));
        unfit("unsigned", claims -> claims.audience((String) null));
    }

    @Test
    void aStatementWhoseTimeIsOverOrHasNotComeIsRefused() {
        unfit("expired", claims -> claims.issueTime(in(-200)).expirationTime(in(-60)));
        unfit("early", claims -> claims.issueTime(in(120)).expirationTime(in(300)));
    }

    @Test
    void aStatementThatIsGoodForTooLongIsRefused() {
        unfit("too_long", claims -> claims.issueTime(in(-60)).expirationTime(in(541)));
        String id = at.requested(Asks.call("pay"));
        var longest = claims(id, "paula", "approve");
        Instant issued = Instant.ofEpochSecond(Instant.now().getEpochSecond());
        longest.issueTime(Date.from(issued)).expirationTime(Date.from(issued.plusSeconds(600)));
        assertThat(relayed(id, longest).status()).isEqualTo(200);
    }

    @Test
    void aStatementThatLacksAClaimIsRefused() {
        unfit("claims", claims -> claims.issueTime(null));
        unfit("claims", claims -> claims.expirationTime(null));
        unfit("claims", claims -> claims.jwtID(null));
        unfit("claims", claims -> claims.jwtID("x".repeat(201)));
        unfit("claims", claims -> claims.subject(null));
        unfit("claims", claims -> claims.claim("request_id", null));
        unfit("claims", claims -> claims.claim("digest", 7));
        unfit("claims", claims -> claims.claim("decision", "approved"));
        unfit("claims", claims -> claims.claim("note", 7));
    }

    @Test
    void aStatementAboutAnotherRequestIsRefused() {
        String other = at.requested(Asks.call("pay"));
        unfit("other_request", claims -> claims.claim("request_id", other));
        untouched(other);
    }

    @Test
    void aStatementAboutAnotherCallIsRefused() {
        unfit("other_digest", claims -> claims.claim("digest", "0".repeat(64)));
        unfit("other_digest", claims -> claims.claim("digest", ""));
    }

    @Test
    void aSubjectBehindWhomIsNoPersonWhoMayReviewSoIsRefused() {
        unfit("nobody", claims -> claims.subject("some-service"));
        unfit("nobody", claims -> claims.subject("olga"));
    }

    @Test
    void aStatementWithoutASignatureOrByASharedSecretIsRefused() throws JOSEException {
        String id = at.requested(Asks.call("pay"));
        JWTClaimsSet claims = claims(id, "paula", "approve").build();
        String payload = encoded(claims.toString());
        String none = encoded("{\"alg\":\"none\",\"kid\":\"one\",\"typ\":\"" + TYPE + "\"}");
        refused(relayed(relay, id, none + "." + payload + "."), id, "malformed");
        refused(relayed(relay, id, none + "." + payload + ".AA"), id, "unsigned");
        var shared = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256)
                        .type(new JOSEObjectType(TYPE))
                        .keyID("one")
                        .build(),
                claims);
        shared.sign(new MACSigner(KEY.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8)));
        refused(relayed(relay, id, shared.serialize()), id, "unsigned");
    }

    @Test
    void whatIsNoStatementAtAllIsRefused() {
        String id = at.requested(Asks.call("pay"));
        refused(relayed(relay, id, "nonsense"), id, "malformed");
        refused(relayed(relay, id, "a.b.c"), id, "malformed");
        assertThat(server.post(Asks.APPROVALS + "/" + id + "/relay", relay, "{}")
                        .status())
                .isEqualTo(422);
        assertThat(relayed(relay, UUID.randomUUID().toString(), "a.b.c").status())
                .isEqualTo(404);
    }

    private static String encoded(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
