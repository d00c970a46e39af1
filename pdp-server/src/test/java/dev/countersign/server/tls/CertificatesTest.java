package dev.countersign.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.config.TlsFiles;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A certificate that no client would take is refused at the start, by the variable and the file that is to be put right. */
class CertificatesTest {
    @TempDir
    private static Path directory;

    private static Vertx vertx;
    private static TestCertificate good;
    private Path certificate = Path.of("");
    private Path key = Path.of("");

    @BeforeAll
    static void start() {
        vertx = Vertx.vertx();
        good = TestCertificate.good(directory, "good");
    }

    @AfterAll
    static void stop() {
        vertx.close().await();
    }

    @BeforeEach
    void files() throws IOException {
        certificate = directory.resolve("tls.crt");
        key = directory.resolve("tls.key");
        good.write(certificate, key);
    }

    private Certificates open() {
        return Certificates.open(vertx, new TlsFiles(certificate, key), InstantSource.system());
    }

    private void refused(String... said) {
        assertThatThrownBy(this::open)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA", "EC"})
    void keysOfEveryUsualKindAreTaken(String algorithm) throws IOException {
        TestCertificate made = TestCertificate.make(directory, algorithm, algorithm, "-1H", "30");
        made.write(certificate, key);
        Instant end = ((X509Certificate) made.certificate()).getNotAfter().toInstant();
        var clock = InstantSource.fixed(end.minus(Duration.ofDays(10)));
        var certificates = Certificates.open(vertx, new TlsFiles(certificate, key), clock);
        assertThat(certificates.left()).isEqualTo(Duration.ofDays(10));
        assertThat(certificates.problem()).isNull();
    }

    @Test
    void aCertificateThatEndsWithinAWeekIsWarnedOf() {
        assertThat(open().problem()).contains("ends at");
    }

    @Test
    void aFileThatIsNotThereIsNamed() throws IOException {
        Files.delete(key);
        refused("TLS_KEY", "tls.key");
        Files.delete(certificate);
        refused("TLS_CERT", "tls.crt");
    }

    @Test
    void filesWithoutACertificateOrAKeyAreRefusedWithoutQuotingThem() throws IOException {
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n");
        refused("TLS_KEY", "tls.key cannot be used", "in PEM and not encrypted");
        assertThatThrownBy(this::open).message().doesNotContain("s3cret");
        Files.writeString(key, good.pem());
        refused("TLS_KEY", "tls.key cannot be used", "in PEM and not encrypted");
        Files.writeString(certificate, "");
        refused("TLS_CERT", "tls.crt holds no certificate");
        Files.writeString(certificate, good.key());
        refused("TLS_CERT", "tls.crt holds no certificate");
    }

    @Test
    void aKindOfKeyThatCannotBeUsedIsRefused() throws IOException {
        TestCertificate.make(directory, "ed25519", "Ed25519", "-1H", "30").write(certificate, key);
        refused("TLS_KEY", "RSA or EC");
    }

    @Test
    void aKeyOfAnotherCertificateIsRefused() throws IOException {
        Files.writeString(key, TestCertificate.good(directory, "other").key());
        refused("TLS_KEY", "tls.key is not the one of the certificate in", "tls.crt");
        Files.writeString(
                key, TestCertificate.make(directory, "rsa", "RSA", "-1H", "1").key());
        refused("TLS_KEY", "tls.key cannot be used", "the private key of the certificate in", "tls.crt");
    }

    @Test
    void anExpiredCertificateAndOneOfTheFutureAreRefused() throws IOException {
        TestCertificate.make(directory, "over", "EC", "-10d", "2").write(certificate, key);
        refused("TLS_CERT", "tls.crt expired at");
        TestCertificate.make(directory, "early", "EC", "+10d", "2").write(certificate, key);
        refused("TLS_CERT", "tls.crt is not good before");
    }

    @Test
    @ExtendWith(PostgresExtension.class)
    void aServerDoesNotStartWithIt(@AsOwner PostgresAddress database) throws IOException {
        Files.writeString(key, TestCertificate.good(directory, "another").key());
        var env = Map.of(
                ServerConfig.Variable.TLS_CERT.key(),
                certificate.toString(),
                ServerConfig.Variable.TLS_KEY.key(),
                key.toString());
        assertThatThrownBy(() ->
                        RunningServer.start(database, database.port(), env, RunningServer.checkout("rules/packs/base")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("TLS_KEY");
    }
}
