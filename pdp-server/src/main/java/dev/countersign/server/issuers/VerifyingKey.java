package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A public key with which an issuer's signatures are verified. May be used from any thread.
 *
 * @param kid its id
 * @param algorithms what it verifies
 */
record VerifyingKey(String kid, Set<String> algorithms, Check check) {
    private static final int LEAST_RSA_BITS = 2048;
    /** A larger one would take a loop's time for itself. */
    private static final int MOST_RSA_BITS = 8192;

    private static final int ED25519_BYTES = 32;
    /** What stands before the key itself in an X.509 SubjectPublicKeyInfo (RFC 8410). */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    /** Whether a signature is good. */
    interface Check {
        boolean good(String algorithm, byte[] input, Base64URL signature)
                throws JOSEException, GeneralSecurityException;
    }

    /** Whether {@code signature} is that of {@code input}; never for an algorithm that is not of this key. */
    boolean verifies(String algorithm, byte[] input, Base64URL signature) {
        try {
            return algorithms.contains(algorithm) && check.good(algorithm, input, signature);
        } catch (JOSEException | GeneralSecurityException e) {
            return false;
        }
    }

    /** The key that a member of a JWK Set writes; {@code null} if it is none that verifies, or one that is too weak. */
    static @Nullable VerifyingKey read(JsonNode json) {
        try {
            JWK key = JWK.parse(json.toString());
            boolean signs = key.getKeyUse() == null || key.getKeyUse().equals(KeyUse.SIGNATURE);
            boolean verifies =
                    key.getKeyOperations() == null || key.getKeyOperations().contains(KeyOperation.VERIFY);
            return key.getKeyID() == null || !signs || !verifies ? null : of(key);
        } catch (ParseException | JOSEException | GeneralSecurityException | IllegalArgumentException e) {
            return null;
        }
    }

    private static @Nullable VerifyingKey of(JWK key) throws JOSEException, GeneralSecurityException {
        if (key instanceof RSAKey rsa) {
            int bits = rsa.size();
            return bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS
                    ? null
                    : of(key, new RSASSAVerifier(rsa.toRSAPublicKey()));
        }
        if (key instanceof ECKey ec) {
            return of(key, new ECDSAVerifier(ec.toECPublicKey()));
        }
        return key instanceof OctetKeyPair pair && pair.getCurve().getName().equals("Ed25519") ? ed25519(pair) : null;
    }

    private static VerifyingKey of(JWK key, JWSVerifier verifier) {
        Set<String> algorithms = verifier.supportedJWSAlgorithms().stream()
                .map(JWSAlgorithm::getName)
                .collect(Collectors.toUnmodifiableSet());
        return new VerifyingKey(
                key.getKeyID(),
                allowed(key, algorithms),
                (algorithm, input, signature) ->
                        verifier.verify(new JWSHeader(JWSAlgorithm.parse(algorithm)), input, signature));
    }

    private static Set<String> allowed(JWK key, Set<String> algorithms) {
        return algorithms.stream()
                .filter(Issuer.ALGORITHMS::contains)
                .filter(algorithm -> key.getAlgorithm() == null
                        || key.getAlgorithm().getName().equals(algorithm))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** By the Java platform: the library would need another one. */
    private static @Nullable VerifyingKey ed25519(OctetKeyPair pair) throws GeneralSecurityException {
        byte[] point = pair.getDecodedX();
        if (point.length != ED25519_BYTES) {
            return null;
        }
        byte[] encoded = new byte[ED25519_PREFIX.length + ED25519_BYTES];
        System.arraycopy(ED25519_PREFIX, 0, encoded, 0, ED25519_PREFIX.length);
        System.arraycopy(point, 0, encoded, ED25519_PREFIX.length, ED25519_BYTES);
        PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        return new VerifyingKey(pair.getKeyID(), allowed(pair, Set.of("EdDSA")), (algorithm, input, signature) -> {
            Signature verifier = Signature.getInstance("Ed25519");
            verifier.initVerify(key);
            verifier.update(input);
            return verifier.verify(signature.decode());
        });
    }
}
