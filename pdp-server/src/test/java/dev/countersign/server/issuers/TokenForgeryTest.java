package dev.countersign.server.issuers;

import static com.nimbusds.jose.JWSAlgorithm.ES256;
import static com.nimbusds.jose.JWSAlgorithm.PS256;
import static com.nimbusds.jose.JWSAlgorithm.RS256;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.SignedJWT;
import dev.countersign.server.issuers.Recognition.Refused;
import java.net.URI;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way of having a token that should let nobody in. */
class TokenForgeryTest extends TokensCase {
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
}
