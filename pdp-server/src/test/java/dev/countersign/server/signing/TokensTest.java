package dev.countersign.server.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What one of our servers has signed is taken, for what it was signed for, and nothing else ever is. */
class TokensTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant START = Instant.parse("2026-03-02T09:00:00Z");
    private static final String TYPE = "binding+jwt";
    private static final String ISSUER = "https://pdp.example";
    private static final String AUDIENCE = "https://pdp.example/access/v1/requests";

    private final AtomicReference<Instant> now = new AtomicReference<>(START);
    private final AtomicReference<SigningKeys> keys = new AtomicReference<>();
    private final Tokens tokens = new Tokens(keys::get, now::get);
    private ECKey ours;

    @BeforeEach
    void makeKey() throws Exception {
        ours = newKey();
        keys.set(new SigningKeys(List.of(signing(ours))));
    }

    private static ECKey newKey() throws Exception {
        return new ECKeyGenerator(Curve.P_256)
                .algorithm(JWSAlgorithm.ES256)
                .keyUse(KeyUse.SIGNATURE)
                .keyIDFromThumbprint(true)
                .generate();
    }

    private static SigningKey signing(ECKey key) {
        return SigningKey.of(
                key.getKeyID(),
                key.toPublicJWK().toJSONString(),
                key.toJSONString(),
                START,
                START.plus(Duration.ofDays(30)),
                START.plus(Duration.ofDays(70)));
    }

    private static ObjectNode claims() {
        return JSON.createObjectNode().put("iss", ISSUER).put("aud", AUDIENCE).put("exp", START.getEpochSecond() + 300);
    }

    private Verified verify(String compact) {
        return tokens.verify(compact, TYPE, ISSUER, AUDIENCE);
    }

    private String header() {
        return "{'alg':'ES256','typ':'binding+jwt','kid':'" + ours.getKeyID() + "'}";
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The part of a token before its signature; in the header, the quotes are single. */
    private static String unsigned(String header, String claims) {
        return base64(header.replace('\'', '"').getBytes(StandardCharsets.UTF_8)) + "."
                + base64(claims.getBytes(StandardCharsets.UTF_8));
    }

    /** A token that truly is signed with this key, by the JDK alone. */
    private static String signed(String header, String claims, ECKey key) throws Exception {
        return signed(header, claims, key, "SHA256withECDSAinP1363Format");
    }

    private static String signed(String header, String claims, ECKey key, String algorithm) throws Exception {
        String input = unsigned(header, claims);
        var signature = Signature.getInstance(algorithm);
        signature.initSign(key.toECPrivateKey());
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return input + "." + base64(signature.sign());
    }

    private static String hmac(String header, byte[] secret) throws Exception {
        String input = unsigned(header, claims().toString());
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void whatIsSignedIsTakenAndSaysTheSame() throws Exception {
        ObjectNode claims = claims();
        claims.putObject("resource")
                .put("id", "zürich \"1\"")
                .put("amount", 1.25)
                .put("count", 1L << 60);
        JsonNode said = JSON.readTree(claims.toString());
        Verified verified = verify(tokens.sign(TYPE, claims));
        assertThat(verified)
                .isInstanceOfSatisfying(
                        Verified.Good.class, good -> assertThat(good.claims()).isEqualTo(said));
        assertThat(verify(signed(header(), claims().toString(), ours)))
                .as("the forgeries of these tests differ from this by what they forge")
                .isInstanceOf(Verified.Good.class);
    }

    @Test
    void theHeaderNamesAlgorithmPurposeAndKeyAlone() throws Exception {
        String header = tokens.sign(TYPE, claims()).split("\\.")[0];
        assertThat(JSON.readTree(Base64.getUrlDecoder().decode(header)))
                .isEqualTo(JSON.readTree(header().replace('\'', '"')));
    }

    @Test
    void anotherKeyUnderOurKeysIdIsFoundOut() throws Exception {
        assertThat(verify(signed(header(), claims().toString(), newKey()))).isEqualTo(Verified.Bad.BAD_SIGNATURE);
    }

    @Test
    void noPublicKeyIsASecret() throws Exception {
        byte[] der = ours.toECPublicKey().getEncoded();
        String pem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END PUBLIC KEY-----\n";
        for (byte[] secret : List.of(
                der,
                pem.getBytes(StandardCharsets.US_ASCII),
                ours.toPublicJWK().toJSONString().getBytes(StandardCharsets.US_ASCII))) {
            assertThat(verify(hmac(header().replace("ES256", "HS256"), secret))).isEqualTo(Verified.Bad.MALFORMED);
            assertThat(verify(hmac(header(), secret))).isEqualTo(Verified.Bad.BAD_SIGNATURE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "", "es256", "ES256K", "ES384", "RS256", "EdDSA"})
    void noOtherAlgorithmIsTaken(String algorithm) throws Exception {
        String header = header().replace("ES256", algorithm);
        String unsigned = unsigned(header, claims().toString());
        assertThat(verify(unsigned + ".")).isEqualTo(Verified.Bad.MALFORMED);
        assertThat(verify(unsigned)).isEqualTo(Verified.Bad.MALFORMED);
        assertThat(verify(signed(header, claims().toString(), ours))).isEqualTo(Verified.Bad.MALFORMED);
    }

    @Test
    void aTokenWithoutASignatureOrWithOneOfZerosIsRefused() throws Exception {
        String unsigned = unsigned(header(), claims().toString());
        assertThat(verify(unsigned + ".")).isEqualTo(Verified.Bad.MALFORMED);
        assertThat(verify(unsigned + "." + base64(new byte[64]))).isEqualTo(Verified.Bad.BAD_SIGNATURE);
        assertThat(verify(unsigned + "." + base64(new byte[1]))).isEqualTo(Verified.Bad.BAD_SIGNATURE);
        assertThat(verify(signed(header(), claims().toString(), ours, "SHA256withECDSA")))
                .as("the signature in another encoding")
                .isEqualTo(Verified.Bad.BAD_SIGNATURE);
    }

    @Test
    void noTokenBringsItsOwnKey() throws Exception {
        ECKey theirs = newKey();
        String jwk = theirs.toPublicJWK().toJSONString();
        for (String member : List.of(
                "\"jwk\":" + jwk,
                "\"jku\":\"https://evil.example/jwks\"",
                "\"x5u\":\"https://evil.example/cert\"",
                "\"x5c\":[\"MIIB\"]",
                "\"x5t#S256\":\"MIIB\"",
                "\"crit\":[\"exp\"]",
                "\"crit\":[]",
                "\"b64\":false",
                "\"zip\":\"DEF\"",
                "\"enc\":\"A128GCM\"",
                "\"cty\":\"JWT\"")) {
            String header = header().replace("}", "," + member + "}");
            for (ECKey signer : List.of(ours, theirs)) {
                assertThat(verify(signed(header, claims().toString(), signer)))
                        .as(member)
                        .isEqualTo(Verified.Bad.MALFORMED);
            }
        }
        String own = header().replace(ours.getKeyID(), theirs.getKeyID());
        assertThat(verify(signed(own, claims().toString(), theirs))).isEqualTo(Verified.Bad.UNKNOWN_KEY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "../../../../dev/null",
                "/proc/sys/kernel/randomize_va_space",
                "1 or 1=1",
                "https://evil.example/key",
                "%00"
            })
    void theIdOfAKeyIsLookedUpAndNothingElse(String kid) throws Exception {
        String header = header().replace(ours.getKeyID(), kid);
        assertThat(verify(signed(header, claims().toString(), ours))).isEqualTo(Verified.Bad.UNKNOWN_KEY);
        assertThat(verify(hmac(header, new byte[1]))).isEqualTo(Verified.Bad.UNKNOWN_KEY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'alg':'ES256','typ':'binding+jwt'}",
                "{'alg':'ES256','typ':'binding+jwt','kid':null}",
                "{'alg':'ES256','typ':'binding+jwt','kid':['KID']}",
                "{'typ':'binding+jwt','kid':'KID'}",
                "{'alg':['ES256'],'typ':'binding+jwt','kid':'KID'}",
                "{'alg':'none','alg':'ES256','typ':'binding+jwt','kid':'KID'}",
                "['ES256']",
                "null",
                "{'alg':'ES256','typ':'binding+jwt','kid':'KID'} ,",
                "{"
            })
    void aHeaderThatNoServerWritesIsRefused(String header) throws Exception {
        String mine = header.replace("KID", ours.getKeyID());
        assertThat(verify(signed(mine, claims().toString(), ours))).isEqualTo(Verified.Bad.MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "...",
                "a.b",
                "a.b.c.d",
                "a.b.c.d.e",
                "a.b.c",
                "{\"payload\":\"\",\"signatures\":[]}",
                "é.é.é"
            })
    void whatIsNoTokenIsRefused(String compact) {
        assertThat(verify(compact)).isEqualTo(Verified.Bad.MALFORMED);
    }

    @Test
    void noCharacterOfATokenCanBeChanged() {
        String token = tokens.sign(TYPE, claims());
        for (int i = 0; i < token.length(); i++) {
            for (char other : new char[] {'A', 'B', 'Z', '9', '-', '.', '=', ' ', '\n'}) {
                if (token.charAt(i) != other) {
                    String changed = token.substring(0, i) + other + token.substring(i + 1);
                    assertThat(verify(changed)).as(changed).isInstanceOf(Verified.Bad.class);
                }
            }
        }
        assertThat(verify(token + "\n")).isEqualTo(Verified.Bad.MALFORMED);
        assertThat(verify(token + "=")).isEqualTo(Verified.Bad.MALFORMED);
        assertThat(verify(token)).isInstanceOf(Verified.Good.class);
    }

    @Test
    void partsOfTwoTokensAreNoToken() {
        String[] one = tokens.sign(TYPE, claims()).split("\\.");
        String[] other = tokens.sign("approval+jwt", claims().put("sub", "x")).split("\\.");
        assertThat(verify(one[0] + "." + other[1] + "." + other[2])).isEqualTo(Verified.Bad.BAD_SIGNATURE);
        assertThat(verify(one[0] + "." + other[1] + "." + one[2])).isEqualTo(Verified.Bad.BAD_SIGNATURE);
    }

    @Test
    void aTokenServesItsOwnPurposeAlone() throws Exception {
        assertThat(verify(tokens.sign("approval+jwt", claims()))).isEqualTo(Verified.Bad.WRONG_TYPE);
        String none = header().replace("'typ':'binding+jwt',", "");
        assertThat(verify(signed(none, claims().toString(), ours))).isEqualTo(Verified.Bad.WRONG_TYPE);
    }

    @Test
    void aTokenIsTakenFromItsIssuerAlone() throws Exception {
        assertThat(verify(tokens.sign(TYPE, claims().put("iss", ISSUER + "/")))).isEqualTo(Verified.Bad.WRONG_ISSUER);
        ObjectNode none = claims().without("iss");
        assertThat(verify(signed(header(), none.toString(), ours))).isEqualTo(Verified.Bad.WRONG_ISSUER);
    }

    @Test
    void aTokenIsTakenByThoseItNames() {
        assertThat(verify(tokens.sign(TYPE, claims().put("aud", ISSUER)))).isEqualTo(Verified.Bad.WRONG_AUDIENCE);
        ObjectNode several = claims();
        several.putArray("aud").add("https://other.example").add(AUDIENCE);
        assertThat(verify(tokens.sign(TYPE, several))).isInstanceOf(Verified.Good.class);
        ObjectNode others = claims();
        others.putArray("aud").add("https://other.example");
        assertThat(verify(tokens.sign(TYPE, others))).isEqualTo(Verified.Bad.WRONG_AUDIENCE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'aud':null}",
                "{'aud':''}",
                "{'aud':[]}",
                "{'aud':[1]}",
                "{'aud':{'AUD':1}}",
                "{'aud':[['AUD']]}"
            })
    void aTokenForNobodyIsTakenByNobodyAndNeverSigned(String aud) throws Exception {
        ObjectNode claims = claims().without("aud");
        claims.setAll((ObjectNode) JSON.readTree(aud.replace("AUD", AUDIENCE).replace('\'', '"')));
        assertThat(verify(signed(header(), claims.toString(), ours))).isEqualTo(Verified.Bad.NO_AUDIENCE);
        assertThatThrownBy(() -> tokens.sign(TYPE, claims))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("aud");
    }

    @Test
    void aTokenIsGoodUntilItsExpiryAndTheToleranceAfterIt() {
        String token = tokens.sign(TYPE, claims());
        now.set(START.plusSeconds(300).plus(Tokens.TOLERANCE).minusNanos(1));
        assertThat(verify(token)).isInstanceOf(Verified.Good.class);
        now.set(START.plusSeconds(300).plus(Tokens.TOLERANCE));
        assertThat(verify(token)).isEqualTo(Verified.Bad.EXPIRED);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}",
                "{'exp':null}",
                "{'exp':'9999999999'}",
                "{'exp':1e300}",
                "{'exp':99999999999999999999}",
                "{'exp':-1}"
            })
    void aTokenThatDoesNotSayUntilWhenIsRefusedAndNeverSigned(String exp) throws Exception {
        ObjectNode claims = claims().without("exp");
        claims.setAll((ObjectNode) JSON.readTree(exp.replace('\'', '"')));
        assertThat(verify(signed(header(), claims.toString(), ours))).isEqualTo(Verified.Bad.EXPIRED);
        assertThatThrownBy(() -> tokens.sign(TYPE, claims))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("exp");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "x", "{\"aud\":\"a\",\"aud\":\"b\"}"})
    void claimsThatNoServerWritesAreRefused(String claims) throws Exception {
        assertThat(verify(signed(header(), claims, ours))).isEqualTo(Verified.Bad.MALFORMED);
    }

    @Test
    void aTokenThatIsTooLongIsNeitherSignedNorTaken() throws Exception {
        ObjectNode claims = claims().put("pad", "");
        int free = (Tokens.MAX_LENGTH - tokens.sign(TYPE, claims).length()) / 4 * 3;
        String longest = tokens.sign(TYPE, claims.put("pad", "x".repeat(free)));
        assertThat(longest).hasSizeBetween(Tokens.MAX_LENGTH - 4, Tokens.MAX_LENGTH);
        assertThat(verify(longest)).isInstanceOf(Verified.Good.class);
        claims.put("pad", "x".repeat(free + 6));
        assertThat(verify(signed(header(), claims.toString(), ours))).isEqualTo(Verified.Bad.MALFORMED);
        assertThatThrownBy(() -> tokens.sign(TYPE, claims))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more than 16384");
    }

    @Test
    void nothingIsSignedForLongerThanItsKeyIsPublished() {
        now.set(START.plus(SigningKeyStore.SIGNS).minusSeconds(1));
        long latest = now.get().plus(SigningKeyStore.MOST_LIFE).getEpochSecond();
        String token = tokens.sign(TYPE, claims().put("exp", latest));
        assertThatThrownBy(() -> tokens.sign(TYPE, claims().put("exp", latest + 31)))
                .isInstanceOf(IllegalArgumentException.class);
        now.set(Instant.ofEpochSecond(latest));
        assertThat(verify(token)).isInstanceOf(Verified.Good.class);
    }

    @Test
    void aKeySignsOnlyInItsTimeAndVerifiesOnlyWhileItIsPublished() throws Exception {
        String forever = signed(header(), claims().put("exp", 99_999_999_999L).toString(), ours);
        now.set(START.minusNanos(1));
        assertThatThrownBy(() -> tokens.sign(TYPE, claims())).isInstanceOf(IllegalStateException.class);
        now.set(START.plus(Duration.ofDays(30)));
        assertThatThrownBy(() -> tokens.sign(TYPE, claims()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no key signs now");
        now.set(START.plus(Duration.ofDays(70)).minusNanos(1));
        assertThat(verify(forever)).isInstanceOf(Verified.Good.class);
        now.set(START.plus(Duration.ofDays(70)));
        assertThat(verify(forever)).isEqualTo(Verified.Bad.UNKNOWN_KEY);
    }

    @Test
    void withoutKeysNothingIsSignedAndNothingIsGood() {
        String token = tokens.sign(TYPE, claims());
        keys.set(SigningKeys.NONE);
        assertThat(verify(token)).isEqualTo(Verified.Bad.UNKNOWN_KEY);
        assertThatThrownBy(() -> tokens.sign(TYPE, claims())).isInstanceOf(IllegalStateException.class);
        assertThat(SigningKeys.NONE.jwks()).isEqualTo("{\"keys\":[]}");
    }

    @Test
    void anUnknownKeyIsLookedForOnceBeforeItsTokenIsRefused() {
        String token = tokens.sign(TYPE, claims());
        SigningKeys known = keys.getAndSet(SigningKeys.NONE);
        assertThat(verify(token, Future.succeededFuture()).result()).isEqualTo(Verified.Bad.UNKNOWN_KEY);
        assertThat(tokens.verify(token, TYPE, ISSUER, AUDIENCE, () -> {
                            keys.set(known);
                            return Future.succeededFuture();
                        })
                        .result())
                .isInstanceOf(Verified.Good.class);
    }

    @Test
    void whereKeysCannotBeReadAgainNobodyKnowsOfAnUnknownOneButEveryOtherTokenIsJudged() {
        String token = tokens.sign(TYPE, claims());
        Future<Void> away = Future.failedFuture("the database is away");
        assertThat(verify(token, away).result()).isInstanceOf(Verified.Good.class);
        assertThat(verify("x", away).result()).isEqualTo(Verified.Bad.MALFORMED);
        keys.set(SigningKeys.NONE);
        assertThat(verify(token, away).cause()).hasMessage("the database is away");
    }

    private Future<Verified> verify(String token, Future<Void> refreshed) {
        return tokens.verify(token, TYPE, ISSUER, AUDIENCE, () -> refreshed);
    }
}
