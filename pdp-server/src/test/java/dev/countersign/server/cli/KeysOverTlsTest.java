package dev.countersign.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.tls.TestCertificate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code countersign keys} and a server whose certificate only its operator vouches for. */
@ExtendWith(PostgresExtension.class)
class KeysOverTlsTest {
    @TempDir
    private Path directory;

    @Test
    void theCertificateToTrustIsNamed(@AsOwner PostgresAddress database) throws IOException {
        Path certificate = directory.resolve("tls.crt");
        Path key = directory.resolve("tls.key");
        TestCertificate.good(directory, "server").write(certificate, key);
        var env = Map.of("TLS_CERT", certificate.toString(), "TLS_KEY", key.toString());
        try (var server = RunningServer.start(
                database, database.port(), env, RunningServer.checkout("examples/authzen-certification"))) {
            String https = "https://127.0.0.1:" + server.port();
            String data = server.directory().toString();
            CliTest.Ran trusted =
                    CliTest.run("keys", "list", "--server", https, "--data", data, "--cacert", certificate.toString());
            assertThat(trusted.code()).as(trusted.err()).isZero();
            assertThat(trusted.out()).contains("csk_");
            CliTest.Ran unknown = CliTest.run("keys", "list", "--server", https, "--data", data);
            assertThat(unknown.code()).isEqualTo(1);
            assertThat(unknown.err()).contains("is not trusted", "--cacert");
            CliTest.Ran plain = CliTest.run("keys", "list", "--server", server.url(), "--data", data);
            assertThat(plain.code()).isEqualTo(1);
            assertThat(plain.err()).contains("no server answers at http://", "https where it has TLS_CERT");
            Path none = Files.writeString(directory.resolve("none.crt"), "");
            assertThat(CliTest.run("keys", "list", "--server", https, "--data", data, "--cacert", none.toString())
                            .err())
                    .contains("no certificate in PEM");
        }
    }
}
