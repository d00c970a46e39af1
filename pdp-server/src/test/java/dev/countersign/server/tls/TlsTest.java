package dev.countersign.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A server with a certificate speaks HTTPS and nothing else, and follows the certificate's files. */
@ExtendWith(PostgresExtension.class)
class TlsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path directory;

    private static TestCertificate first;
    private static TestCertificate second;
    private static Path certificate;
    private static Path key;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        first = TestCertificate.good(directory, "first");
        second = TestCertificate.make(directory, "second", "RSA", "-1H", "1");
        certificate = directory.resolve("tls.crt");
        key = directory.resolve("tls.key");
        first.write(certificate, key);
        server = RunningServer.start(
                database,
                database.port(),
                Map.of("TLS_CERT", certificate.toString(), "TLS_KEY", key.toString()),
                RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @BeforeEach
    void showTheFirst() throws IOException {
        first.write(certificate, key);
        RunningServer.until(
                "the first certificate is shown", () -> first.certificate().equals(shown()));
    }

    private static HttpResponse<String> ask(TestCertificate trusted, HttpRequest.Builder request) throws IOException {
        HttpClient client = HttpClient.newBuilder()
                .connectTimeout(PATIENCE)
                .sslContext(trusted.trust())
                .build();
        try {
            return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static HttpResponse<String> get(TestCertificate trusted, String path) throws IOException {
        return ask(trusted, HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + path)));
    }

    /** What is shown to a client that connects now; null if it was changed meanwhile. */
    private static @Nullable Certificate shown() {
        for (TestCertificate each : new TestCertificate[] {first, second}) {
            try (var socket = (SSLSocket) each.trust().getSocketFactory().createSocket("127.0.0.1", server.port())) {
                socket.setSoTimeout((int) PATIENCE.toMillis());
                socket.startHandshake();
                return socket.getSession().getPeerCertificates()[0];
            } catch (SSLHandshakeException | SSLPeerUnverifiedException e) {
                // the other one, then
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return null;
    }

    private static JsonNode warnings() throws IOException {
        HttpResponse<String> ready = get(first, "/readyz");
        assertThat(ready.statusCode()).isEqualTo(200);
        return JSON.readTree(ready.body()).path("warnings");
    }

    @Test
    void decisionsAreServedOverHttp2ToClientsThatAskForIt() throws IOException {
        HttpResponse<String> answer = ask(
                first,
                HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + "/access/v1/evaluation"))
                        .header("Authorization", "Bearer " + server.key("agent"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString("""
                                {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
                                 "resource": {"type": "record", "id": "record-1"}}""")));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(JSON.readTree(answer.body()).path("decision").asBoolean()).isTrue();
    }

    @Test
    void whatTheServerCallsItselfIsHttps() throws IOException {
        HttpResponse<String> metadata = get(first, "/.well-known/authzen-configuration");
        assertThat(JSON.readTree(metadata.body()).path("policy_decision_point").asText())
                .isEqualTo("https://127.0.0.1:" + server.port());
    }

    @Test
    void plainHttpIsNotAnswered() throws IOException {
        assertThat(server.raw("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
                .doesNotContain("HTTP/");
    }

    @Test
    void nothingOlderThanTls12IsSpoken() throws IOException {
        for (String protocol : new String[] {"TLSv1.2", "TLSv1.3"}) {
            try (var socket = (SSLSocket) first.trust().getSocketFactory().createSocket("127.0.0.1", server.port())) {
                socket.setEnabledProtocols(new String[] {protocol});
                socket.startHandshake();
                assertThat(socket.getSession().getProtocol()).isEqualTo(protocol);
            }
        }
        // Java's own clients do not speak it any more either, so the version is written by hand: a ClientHello of TLS
        // 1.1.
        byte[] hello =
                HexFormat.of().parseHex("160301002f0100002b0302" + "00".repeat(32) + "00" + "0004c014c013" + "0100");
        byte[] answer;
        try (var socket = server.socket()) {
            socket.getOutputStream().write(hello);
            socket.getOutputStream().flush();
            answer = socket.getInputStream().readNBytes(1);
        }
        assertThat(answer).as("an alert (21), or nothing").isIn(new byte[] {21}, new byte[] {});
    }

    @Test
    void aNewCertificateIsShownWithoutARestartOnEveryConnection() throws IOException {
        second.write(certificate, key);
        RunningServer.until(
                "the second certificate is shown", () -> second.certificate().equals(shown()));
        for (int connection = 0; connection < 8; connection++) {
            HttpResponse<String> answer = get(second, "/healthz");
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        }
    }

    @Test
    void aClientThatDoesNotTrustTheCertificateIsNotServed() {
        assertThatThrownBy(() -> get(second, "/healthz")).isInstanceOf(SSLException.class);
    }

    @Test
    void aBadNewFileKeepsTheOldCertificateAndIsSaid() throws IOException {
        TestCertificate.replace(certificate, second.pem());
        RunningServer.until("the mismatch is said", () -> said("tls.key cannot be used"));
        assertThat(shown()).isEqualTo(first.certificate());
        TestCertificate.replace(certificate, "-----BEGIN CERTIFICATE-----\n");
        RunningServer.until("the broken file is said", () -> said("tls.crt holds no certificate in PEM"));
        assertThat(shown()).isEqualTo(first.certificate());
        first.write(certificate, key);
        RunningServer.until("all is well again", () -> !said("TLS_"));
    }

    private static boolean said(String part) {
        try {
            return warnings().path("tls").asText().contains(part);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
