package dev.countersign.server.issuers;

import static com.nimbusds.jose.JWSAlgorithm.ES256;
import static com.nimbusds.jose.JWSAlgorithm.EdDSA;
import static com.nimbusds.jose.JWSAlgorithm.PS256;
import static com.nimbusds.jose.JWSAlgorithm.RS256;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition.Known;
import dev.countersign.server.issuers.Recognition.Refused;
import io.vertx.core.Vertx;
import java.net.URI;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which tokens let in, and as whom; and every way of having one that should not. */
class TokenCallersTest {
    private static final String AUDIENCE = "countersign";
    private static final UUID ACME = new UUID(0, 1);
    private static final UUID PERSON = new UUID(0, 9);

    private static final Vertx VERTX = Vertx.vertx();
    private static final ECKey EC = Idp.ec("ec");
    private static final RSAKey RSA = Idp.rsa("rsa", 2048);
    private static final RSAKey WEAK = Idp.rsa("weak", 1024);
    private static final ECKey FOREIGN = Idp.ec("ec");

    private static Idp idp;
    private static Idp foreign;

    private Instant now = Instant.now();
    private Issuers issuers = Issuers.NONE;
    private KeySets keys;
    private TokenCallers callers;

    @BeforeAll
    static void serve() {
        idp = new Idp(EC, RSA, WEAK);
        foreign = new Idp(FOREIGN);
    }

    @AfterAll
    static void stop() throws Exception {
        idp.close();
        foreign.close();
        VERTX.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static Issuer issuer(UUID id, String tenant, Idp at, String audience, String... algorithms) {
        var terms = new Issuer.Terms(
                URI.create(at.jwks()),
                List.of(algorithms),
                Idp.ROLES,
                Map.of(
                        "agents", List.of(Role.DECIDE),
                        "all", Arrays.asList(Role.values())));
        return new Issuer(id, tenant, at.issuer(), audience, terms, Instant.EPOCH, "test", null, null);
    }

    @BeforeEach
    void register() throws Exception {
        register(
                issuer(ACME, "acme", idp, AUDIENCE, "ES256", "RS256", "PS256"),
                issuer(new UUID(0, 2), "other", foreign, "other", "ES256"));
    }

    private void register(Issuer... all) throws Exception {
        issuers = new Issuers(
                List.of(all),
                Map.of(
                        ACME,
                        Map.of(
                                "ann", new Issuers.Known(PERSON, "Ann", true),
                                "ben", new Issuers.Known(PERSON, "Ben", false))));
        var egress = new Egress(VERTX, EgressRules.parse(List.of(idp.origin(), foreign.origin())), null);
        keys = new KeySets(egress, () -> now);
        callers = new TokenCallers(() -> issuers, keys, () -> now);
        keys.follow(issuers);
        keys.start(VERTX).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static JWTClaimsSet.Builder claims(String sub, String... roles) {
        return idp.claims(AUDIENCE, sub, roles);
    }

    private static String good() {
        return Idp.sign(EC, claims("bot", "agents").build());
    }

    private Caller known(String token) {
        Recognition recognition = callers.recognize(token);
        assertThat(recognition).isInstanceOf(Known.class);
        return ((Known) recognition).caller();
    }

    private void refused(String token, Refused why) {
        assertThat(callers.recognize(token)).isEqualTo(why);
        assertThat(callers.recognize(good()))
                .as("the server still takes good ones")
                .isInstanceOf(Known.class);
    }

    private void unfit(UnaryOperator<JWTClaimsSet.Builder> change, Refused why) {
        refused(Idp.sign(EC, change.apply(claims("bot", "agents")).build()), why);
    }

    private void header(UnaryOperator<JWSHeader.Builder> change, Refused why) {
        JWSHeader header = change.apply(Idp.header(ES256, "ec")).build();
        refused(Idp.sign(EC, header, claims("bot", "agents").build()), why);
    }

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
            var egress = new Egress(VERTX, EgressRules.parse(List.of(edwards.origin())), null);
            keys = new KeySets(egress, () -> now);
            issuers = new Issuers(List.of(issuer(ACME, "acme", edwards, AUDIENCE, "EdDSA")), Map.of());
            callers = new TokenCallers(() -> issuers, keys, () -> now);
            keys.follow(issuers);
            keys.start(VERTX).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
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
    void aTokenThatNobodySignedIsRefused() {
        String payload =
                claims("bot", "agents").build().toPayload().toBase64URL().toString();
        for (String alg : List.of("none", "None", "ES256")) {
            String head = Base64URL.encode("{\"alg\":\"" + alg + "\",\"typ\":\"JWT\",\"kid\":\"ec\"}")
                    .toString();
            refused(head + "." + payload + ".", Refused.MALFORMED);
            refused(head + "." + payload + ".AA", Refused.UNKNOWN);
            refused(head + "." + payload + "." + Base64URL.encode(new byte[64]), Refused.UNKNOWN);
        }
    }

    @Test
    void aPublicKeyIsNoSecretToSignWith() throws Exception {
        for (byte[] secret : List.of(
                RSA.toRSAPublicKey().getEncoded(),
                RSA.toPublicJWK().toJSONString().getBytes(UTF_8),
                EC.toECPublicKey().getEncoded())) {
            var token = new SignedJWT(
                    Idp.header(JWSAlgorithm.HS256, "rsa").build(),
                    claims("bot", "agents").build());
            token.sign(new MACSigner(secret));
            refused(token.serialize(), Refused.UNKNOWN);
        }
    }

    @Test
    void anotherIssuersKeyOfTheSameIdSignsNothingHere() {
        refused(Idp.sign(FOREIGN, claims("bot", "agents").build()), Refused.UNKNOWN);
        refused(Idp.sign(EC, foreign.claims("other", "bot", "agents").build()), Refused.UNKNOWN);
        refused(Idp.sign(FOREIGN, foreign.claims(AUDIENCE, "bot", "agents").build()), Refused.UNKNOWN);
        assertThat(known(Idp.sign(FOREIGN, foreign.claims("other", "ann", "all").build()))
                        .person())
                .as("another issuer's subject of that name")
                .isNull();
    }

    @Test
    void aTokenForSomebodyElseIsRefused() {
        unfit(claims -> claims.audience("elsewhere"), Refused.UNKNOWN);
        unfit(claims -> claims.audience((String) null), Refused.UNKNOWN);
        unfit(claims -> claims.audience(AUDIENCE + "/"), Refused.UNKNOWN);
        unfit(claims -> claims.issuer(idp.issuer() + "/"), Refused.UNKNOWN);
        unfit(claims -> claims.issuer(null), Refused.UNKNOWN);
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
    void anAlgorithmThatIsNotRegisteredIsRefused() throws Exception {
        register(issuer(ACME, "acme", idp, AUDIENCE, "ES256"));
        refused(
                Idp.sign(
                        RSA,
                        Idp.header(RS256, "rsa").build(),
                        claims("bot", "agents").build()),
                Refused.UNKNOWN);
    }

    @Test
    void aKeyThatIsWeakOrNotForSignaturesSignsNothing() throws Exception {
        for (JWSAlgorithm algorithm : List.of(RS256, PS256)) {
            Recognition recognition = callers.recognize(Idp.sign(
                    WEAK,
                    Idp.header(algorithm, "weak").build(),
                    claims("bot", "agents").build()));
            assertThat(recognition).isIn(Refused.UNKNOWN, Refused.READING);
        }
        assertThat(keys.state(ACME).keys()).isEqualTo(2);
        JWK encrypting = new ECKey.Builder(EC)
                .keyUse(com.nimbusds.jose.jwk.KeyUse.ENCRYPTION)
                .build();
        assertThat(KeySet.read(new JWKSet(encrypting).toString().getBytes(UTF_8))
                        .size())
                .isZero();
        assertThat(KeySet.read("{\"keys\": [{\"kty\": \"new\", \"kid\": \"x\"}, {\"kty\": \"EC\", \"kid\": \"y\"}, 7]}"
                                .getBytes(UTF_8))
                        .size())
                .isZero();
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

    private Date at(int seconds) {
        return Date.from(now.plusSeconds(seconds));
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
    void noTokenBringsAKeyOrARuleOfItsOwn() {
        header(header -> header.jwk(EC.toPublicJWK()), Refused.MALFORMED);
        header(header -> header.jwkURL(URI.create(idp.jwks())), Refused.MALFORMED);
        header(header -> header.x509CertURL(URI.create(idp.jwks())), Refused.MALFORMED);
        header(header -> header.criticalParams(Set.of("exp")).customParam("exp", 1), Refused.MALFORMED);
        header(header -> header.type(new JOSEObjectType("secevent+jwt")), Refused.MALFORMED);
        header(header -> header.type(null), Refused.MALFORMED);
        header(header -> header.keyID(null), Refused.UNKNOWN);
        ECKey own = Idp.ec("ec");
        refused(
                Idp.sign(
                        own,
                        Idp.header(ES256, "ec").jwk(own.toPublicJWK()).build(),
                        claims("bot", "agents").build()),
                Refused.MALFORMED);
        known(Idp.sign(
                EC,
                Idp.header(ES256, "ec").type(JOSEObjectType.JWT).build(),
                claims("bot", "agents").build()));
    }

    @Test
    void aTokenOfMoreThan16KiBIsRefusedUnread() {
        unfit(claims -> claims.claim("fill", "x".repeat(16 * 1_024)), Refused.MALFORMED);
    }

    @Test
    void everyChangedCharacterIsFound() {
        String token = good();
        int last = token.length() - 1;
        for (int i = 0; i < last; i += 7) {
            char other = token.charAt(i) == 'A' ? 'B' : 'A';
            assertThat(callers.recognize(token.substring(0, i) + other + token.substring(i + 1)))
                    .as("at " + i)
                    .isInstanceOf(Refused.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "a.b.c", "e30.e30.e30", "a.b.c.d", "e30=.e30.AA", "\u00e9.b.c", "W10.W10.AA"})
    void whatIsNoTokenIsRefused(String text) {
        refused(text, Refused.MALFORMED);
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
}
