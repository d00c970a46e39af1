package dev.countersign.server.tls;

import dev.countersign.server.config.ServerConfig.Variable;
import io.vertx.core.Vertx;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/** A certificate with its chain and its private key: they belong together, and were good when they were read. */
record ServerCertificate(PemFiles files, PemKeyCertOptions options, X509Certificate leaf) {
    private static final byte[] PROBE = "countersign".getBytes(StandardCharsets.US_ASCII);
    private static final Map<String, String> SIGNATURES = Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA");

    /**
     * What these files hold.
     *
     * @throws IllegalArgumentException if it cannot be shown to clients; the message says what to do, and nothing of the key
     */
    static ServerCertificate of(PemFiles files, Vertx vertx, Instant now) {
        X509Certificate leaf = leaf(files);
        if (now.isAfter(leaf.getNotAfter().toInstant())) {
            throw new IllegalArgumentException(Variable.TLS_CERT.key() + ": the certificate in "
                    + files.where().certificate() + " expired at "
                    + leaf.getNotAfter().toInstant() + "; put a new one there");
        }
        if (now.isBefore(leaf.getNotBefore().toInstant())) {
            throw new IllegalArgumentException(Variable.TLS_CERT.key() + ": the certificate in "
                    + files.where().certificate() + " is not good before "
                    + leaf.getNotBefore().toInstant() + "; is the clock of this machine right?");
        }
        var options = new PemKeyCertOptions().addCertValue(files.certificate()).addKeyValue(files.key());
        PrivateKey key = key(files, options, leaf, vertx);
        if (key == null || !belongs(key, leaf.getPublicKey())) {
            throw new IllegalArgumentException(Variable.TLS_KEY.key() + ": the private key in "
                    + files.where().key() + " is not the one of the certificate in "
                    + files.where().certificate());
        }
        return new ServerCertificate(files, options, leaf);
    }

    private static X509Certificate leaf(PemFiles files) {
        try {
            var found = CertificateFactory.getInstance("X.509")
                    .generateCertificates(
                            new ByteArrayInputStream(files.certificate().getBytes()));
            if (found.iterator().hasNext() && found.iterator().next() instanceof X509Certificate leaf) {
                return leaf;
            }
        } catch (CertificateException e) {
            throw new IllegalArgumentException(noCertificate(files), e);
        }
        throw new IllegalArgumentException(noCertificate(files));
    }

    private static String noCertificate(PemFiles files) {
        return Variable.TLS_CERT.key() + ": " + files.where().certificate() + " holds no certificate in PEM";
    }

    /** {@code null} if it is a key of another kind. */
    private static @Nullable PrivateKey key(
            PemFiles files, PemKeyCertOptions options, X509Certificate leaf, Vertx vertx) {
        try {
            for (KeyManager each : options.getKeyManagerFactory(vertx).getKeyManagers()) {
                if (each instanceof X509KeyManager manager) {
                    String[] names =
                            manager.getServerAliases(leaf.getPublicKey().getAlgorithm(), null);
                    return names == null ? null : manager.getPrivateKey(names[0]);
                }
            }
            return null;
        } catch (Exception e) {
            // Its message is left out, as it may quote the file.
            throw new IllegalArgumentException(Variable.TLS_KEY.key() + ": "
                    + files.where().key() + " cannot be used: it has to hold the private key of the certificate in "
                    + files.where().certificate() + ", RSA or EC, in PEM and not encrypted");
        }
    }

    private static boolean belongs(PrivateKey key, PublicKey certified) {
        String algorithm = SIGNATURES.get(certified.getAlgorithm());
        if (algorithm == null) {
            return false;
        }
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(PROBE);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(PROBE);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    Instant end() {
        return leaf.getNotAfter().toInstant();
    }

    /** Printed without the key. */
    @Override
    public String toString() {
        return leaf.getSubjectX500Principal() + ", good until " + end();
    }
}
