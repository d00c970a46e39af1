package dev.countersign.server.signing;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.jwk.ECKey;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever somebody makes of tokens and public keys is refused. */
class TokensForgeryTest extends TokensCase {
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
}
