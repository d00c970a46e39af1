package dev.countersign.server.signing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
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

/** One key of our servers, their tokens, and what others may make of both. */
abstract class TokensCase {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Instant START = Instant.parse("2026-03-02T09:00:00Z");
    static final String TYPE = "binding+jwt";
    static final String ISSUER = "https://pdp.example";
    static final String AUDIENCE = "https://pdp.example/access/v1/requests";

    final AtomicReference<Instant> now = new AtomicReference<>(START);
    final AtomicReference<SigningKeys> keys = new AtomicReference<>();
    final Tokens tokens = new Tokens(keys::get, now::get);
    ECKey ours;

    @BeforeEach
    void makeKey() throws Exception {
        ours = newKey();
        keys.set(new SigningKeys(List.of(signing(ours))));
    }

    static ECKey newKey() throws Exception {
        return new ECKeyGenerator(Curve.P_256)
                .algorithm(JWSAlgorithm.ES256)
                .keyUse(KeyUse.SIGNATURE)
                .keyIDFromThumbprint(true)
                .generate();
    }

    static SigningKey signing(ECKey key) {
        return SigningKey.of(
                key.getKeyID(),
                key.toPublicJWK().toJSONString(),
                key.toJSONString(),
                START,
                START.plus(Duration.ofDays(30)),
                START.plus(Duration.ofDays(70)));
    }

    static ObjectNode claims() {
        return JSON.createObjectNode().put("iss", ISSUER).put("aud", AUDIENCE).put("exp", START.getEpochSecond() + 300);
    }

    Verified verify(String compact) {
        return tokens.verify(compact, TYPE, ISSUER, AUDIENCE);
    }

    String header() {
        return "{'alg':'ES256','typ':'binding+jwt','kid':'" + ours.getKeyID() + "'}";
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The part of a token before its signature; in the header, the quotes are single. */
    static String unsigned(String header, String claims) {
        return base64(header.replace('\'', '"').getBytes(StandardCharsets.UTF_8)) + "."
                + base64(claims.getBytes(StandardCharsets.UTF_8));
    }

    /** A token that truly is signed with this key, by the JDK alone. */
    static String signed(String header, String claims, ECKey key) throws Exception {
        return signed(header, claims, key, "SHA256withECDSAinP1363Format");
    }

    static String signed(String header, String claims, ECKey key, String algorithm) throws Exception {
        String input = unsigned(header, claims);
        var signature = Signature.getInstance(algorithm);
        signature.initSign(key.toECPrivateKey());
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return input + "." + base64(signature.sign());
    }

    static String hmac(String header, byte[] secret) throws Exception {
        String input = unsigned(header, claims().toString());
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
    }
}
