package dev.countersign.server.signing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import java.text.ParseException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key of all servers, for ES256. It can be printed: what is secret of it is inside the signer.
 *
 * @param published what everybody may know of it
 * @param signer signs with it; {@code null} for one whose time to sign was over when it was read
 * @param verifier verifies what it has signed
 * @param signFrom from when on it may sign
 * @param signUntil from when on it signs no more
 * @param publishUntil from when on nothing that it has signed is good
 */
record SigningKey(
        ECKey published,
        @Nullable JWSSigner signer,
        JWSVerifier verifier,
        Instant signFrom,
        Instant signUntil,
        Instant publishUntil) {

    /**
     * The key that these JWKs hold.
     *
     * @throws IllegalStateException if they cannot be used; the message tells nothing of their content
     */
    static SigningKey of(
            String kid,
            String publicJwk,
            @Nullable String privateJwk,
            Instant signFrom,
            Instant signUntil,
            Instant publishUntil) {
        try {
            ECKey published = ECKey.parse(publicJwk).toPublicJWK();
            JWSSigner signer = privateJwk == null ? null : new ECDSASigner(ECKey.parse(privateJwk));
            if (!kid.equals(published.getKeyID())) {
                throw unusable(kid);
            }
            return new SigningKey(published, signer, new ECDSAVerifier(published), signFrom, signUntil, publishUntil);
        } catch (ParseException | JOSEException e) {
            // Their messages may quote the key.
            throw unusable(kid);
        }
    }

    private static IllegalStateException unusable(String kid) {
        return new IllegalStateException(
                "the row " + kid + " of the table signing_keys holds no EC key on P-256 of that id;"
                        + " delete it, and what it has signed is refused");
    }

    String kid() {
        return published.getKeyID();
    }

    boolean signs(Instant now) {
        return signer != null && !now.isBefore(signFrom) && now.isBefore(signUntil);
    }
}
