package dev.countersign.server.issuers;

import static com.nimbusds.jose.JWSAlgorithm.EdDSA;
import static com.nimbusds.jose.JWSAlgorithm.PS256;
import static com.nimbusds.jose.JWSAlgorithm.RS256;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.util.Base64URL;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition.Refused;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Which tokens let in, for how long, and as whom. */
class TokenCallersTest extends TokensCase {
    @Test
    void theTenantIsThatOfTheRegistration() {
        Caller caller = known(Idp.sign(
                EC,
                claims("bot", "agents")
                        .claim("tenant", "other")
                        .claim("tid", "other")
                        .build()));
        assertThat(caller.tenant()).isEqualTo("acme");
        assertThat(caller.roles()).containsExactly(Role.DECIDE);
        assertThat(caller.name()).isEqualTo("bot");
        assertThat(caller.person()).isNull();
        assertThat(caller.subjectType()).isEqualTo("agent");
    }

    @Test
    void aServiceGetsNoRoleOfApproversNorOfTheOperator() {
        assertThat(known(Idp.sign(EC, claims("bot", "all").build())).roles())
                .doesNotContain(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS, Role.OPERATOR)
                .contains(Role.ADMIN);
        Caller ben = known(Idp.sign(EC, claims("ben", "all").build()));
        assertThat(ben.roles()).doesNotContain(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS, Role.OPERATOR);
        assertThat(ben.person()).isEqualTo(PERSON);
        assertThat(known(Idp.sign(EC, claims("ann", "all").build())).roles())
                .contains(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS)
                .doesNotContain(Role.OPERATOR);
    }

    @Test
    void whoItIsStaysTheSameAndIsNobodyElse() {
        Caller once = known(Idp.sign(EC, claims("bot", "agents").build()));
        Caller again = known(Idp.sign(EC, claims("bot", "all").jwtID("2").build()));
        Caller key = new Caller("csk_", ACME + "#bot", "acme", Set.of(), null, null);
        assertThat(again.principal()).isEqualTo(once.principal()).isNotEqualTo(key.principal());
        assertThat(again.keyId()).isEqualTo(once.keyId()).startsWith("jwt:" + ACME + ":");
        assertThat(known(Idp.sign(EC, claims("bob", "agents").build())).keyId()).isNotEqualTo(once.keyId());
        assertThat(key.actingFor(once.principal(), null, Role.DECIDE).principal())
                .isEqualTo(once.principal());
        assertThat(key.actingFor(once.principal(), null, Role.DECIDE).name()).isEqualTo("bot");
        assertThat(once.actingFor(key.principal(), null, Role.DECIDE).principal())
                .isEqualTo(key.principal());
    }

    @Test
    void allRegisteredAlgorithmsAreVerified() throws Exception {
        for (JWSAlgorithm algorithm : List.of(RS256, PS256)) {
            known(Idp.sign(
                    RSA,
                    Idp.header(algorithm, "rsa").build(),
                    claims("bot", "agents").build()));
        }
        var pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        byte[] encoded = pair.getPublic().getEncoded();
        var published = new OctetKeyPair.Builder(
                        Curve.Ed25519,
                        Base64URL.encode(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length)))
                .keyID("ed")
                .build();
        try (var edwards = new Idp(published)) {
            var egress = new Egress(vertx, EgressRules.parse(List.of(edwards.origin())), null);
            keys = new KeySets(egress, () -> now);
            issuers = new Issuers(List.of(issuer(ACME, "acme", edwards, AUDIENCE, "EdDSA")), Map.of());
            callers = new TokenCallers(() -> issuers, keys, () -> now);
            keys.follow(issuers);
            keys.start(vertx).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
            String input = Idp.header(EdDSA, "ed").build().toBase64URL() + "."
                    + edwards.claims(AUDIENCE, "bot", "agents")
                            .build()
                            .toPayload()
                            .toBase64URL();
            var signer = Signature.getInstance("Ed25519");
            signer.initSign(pair.getPrivate());
            signer.update(input.getBytes(UTF_8));
            byte[] signature = signer.sign();
            known(input + "." + Base64URL.encode(signature));
            signature[3] ^= 1;
            assertThat(callers.recognize(input + "." + Base64URL.encode(signature)))
                    .isEqualTo(Refused.UNKNOWN);
        }
    }

    @Test
    void aTokenForTwoRegistrationsHasNoTenant() throws Exception {
        register(issuer(ACME, "acme", idp, AUDIENCE, "ES256"), issuer(new UUID(0, 2), "other", idp, "other", "ES256"));
        assertThat(known(Idp.sign(EC, claims("bot", "agents").audience("other").build()))
                        .tenant())
                .isEqualTo("other");
        known(Idp.sign(
                EC,
                claims("bot", "agents").audience(List.of(AUDIENCE, "elsewhere")).build()));
        unfit(claims -> claims.audience(List.of(AUDIENCE, "other")), Refused.UNKNOWN);
    }

    @Test
    void timesAreHeldToHalfAMinute() {
        unfit(claims -> claims.expirationTime(at(-31)), Refused.EXPIRED);
        unfit(claims -> claims.expirationTime(null), Refused.CLAIMS);
        unfit(claims -> claims.notBeforeTime(at(40)), Refused.EARLY);
        unfit(claims -> claims.issueTime(at(40)), Refused.EARLY);
        unfit(claims -> claims.claim("exp", "tomorrow"), Refused.CLAIMS);
        unfit(claims -> claims.claim("exp", 1e300), Refused.CLAIMS);
        unfit(claims -> claims.claim("nbf", "never"), Refused.CLAIMS);
        known(Idp.sign(
                EC,
                claims("bot", "agents")
                        .expirationTime(at(-20))
                        .notBeforeTime(at(20))
                        .build()));
    }

    @Test
    void aRememberedTokenEndsWithItsTime() {
        String token = good();
        known(token);
        now = now.plusSeconds(329);
        known(token);
        now = now.plusSeconds(10);
        assertThat(callers.recognize(token)).isEqualTo(Refused.EXPIRED);
    }

    @Test
    void aRememberedTokenEndsWhenItsIssuerIsDisabled() {
        String token = good();
        known(token);
        issuers = Issuers.NONE;
        assertThat(callers.recognize(token)).isEqualTo(Refused.UNKNOWN);
    }

    @Test
    void aSubjectIsATextThatCanBeWrittenDown() {
        unfit(claims -> claims.subject(null), Refused.CLAIMS);
        unfit(claims -> claims.subject(" "), Refused.CLAIMS);
        unfit(claims -> claims.subject("x".repeat(201)), Refused.CLAIMS);
        unfit(claims -> claims.subject("a\0b"), Refused.CLAIMS);
        unfit(claims -> claims.claim("sub", 7), Refused.CLAIMS);
    }

    @Test
    void keysThatWereReadAnHourAgoAreGoodNoMore() {
        now = now.plus(KeySets.MOST_AGE).minus(Duration.ofMinutes(1));
        var claims = claims("bot", "agents")
                .issueTime(at(-1))
                .expirationTime(at(7_200))
                .build();
        known(Idp.sign(EC, claims));
        now = now.plus(Duration.ofMinutes(2));
        assertThat(callers.recognize(Idp.sign(EC, claims))).isIn(Refused.READING, Refused.UNKNOWN);
    }

    @Test
    void tokensWithUnknownKeysHaveKeysReadOnceInTenSeconds() {
        int asked = idp.asked();
        ECKey unknown = Idp.ec("unknown");
        for (int i = 1; i <= 3; i++) {
            assertThat(callers.recognize(
                            Idp.sign(unknown, claims("bot", "agents").build())))
                    .isEqualTo(Refused.READING);
            RunningServer.until(
                    "they are not read again",
                    () -> callers.recognize(
                                    Idp.sign(unknown, claims("bot", "agents").build()))
                            == Refused.UNKNOWN);
            assertThat(idp.asked()).isEqualTo(asked + i);
            now = now.plusSeconds(10);
        }
    }

    @Test
    void aRememberedTokenEndsWithItsKey() {
        String token = good();
        known(token);
        idp.publish(RSA);
        try {
            callers.recognize(
                    Idp.sign(Idp.ec("unknown"), claims("bot", "agents").build()));
            RunningServer.until("it is refused", () -> callers.recognize(token) instanceof Refused);
        } finally {
            idp.publish(EC, RSA, WEAK);
        }
    }
}
