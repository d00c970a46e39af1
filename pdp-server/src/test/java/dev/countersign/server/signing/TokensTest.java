package dev.countersign.server.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Future;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What one of our servers has signed is taken for what it was signed for, by those whom it names, while it is good. */
class TokensTest extends TokensCase {
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
