package dev.countersign.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.decision.DecisionLoop.Durability;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigTest {
    private static ServerConfig config(Map<String, String> env) {
        return ServerConfig.of(8080, Path.of("data"), null, List.of(), env);
    }

    private static void refused(Map<String, String> env, String... said) {
        assertThatThrownBy(() -> config(env))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(said);
    }

    @Test
    void anEmptyEnvironmentGivesALoopbackServerWithADatabaseOfItsOwn() {
        ServerConfig config = config(Map.of());
        assertThat(config.host()).isEqualTo("127.0.0.1");
        assertThat(config.loopback()).isTrue();
        assertThat(config.databaseUrl()).isNull();
        assertThat(config.publicUrl()).isNull();
        assertThat(config.durability()).isEqualTo(Durability.PROCESS);
        assertThat(config.maxStaleness()).isEqualTo(Duration.ofMinutes(10));
        assertThat(config.logDir()).isEqualTo(Path.of("data/log"));
    }

    @Test
    void unknownVariablesOfOursAreRefusedAllAtOnceAndOthersAreNoneOfOurConcern() {
        refused(
                Map.of("COUNTERSIGN_HOTS", "x", "COUNTERSIGN_DURABILTY", "disk"),
                "COUNTERSIGN_DURABILTY, COUNTERSIGN_HOTS",
                "known",
                "COUNTERSIGN_HOST",
                "COUNTERSIGN_DURABILITY");
        assertThat(config(Map.of("PATH", "/bin", "APPROVALS_THRESHOLD", "0.5")).env())
                .hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://pdp.example",
                "https://pdp.example/",
                "https://pdp.example?x=1",
                "https://pdp.example#x",
                "https://",
                "pdp.example",
                "https:pdp.example",
                "ftp://pdp.example",
                "https://pdp example",
                ""
            })
    void aPublicUrlIsHttpsWithoutQueryFragmentOrFinalSlash(String url) {
        refused(Map.of("PUBLIC_URL", url), "PUBLIC_URL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://pdp.example", "https://pdp.example:8443", "https://pdp.example/tenant-1"})
    void aPublicUrlMayHaveAPortAndAPath(String url) {
        assertThat(config(Map.of("PUBLIC_URL", url)).publicUrl()).hasToString(url);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1"})
    void anyAddressButLoopbackNeedsAPublicUrl(String host) {
        refused(Map.of("COUNTERSIGN_HOST", host), host, "PUBLIC_URL");
        assertThat(config(Map.of("COUNTERSIGN_HOST", host, "PUBLIC_URL", "https://pdp.example"))
                        .loopback())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    void loopbackNeedsNone(String host) {
        assertThat(config(Map.of("COUNTERSIGN_HOST", host)).loopback()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "COUNTERSIGN_DURABILITY, maybe",
        "COUNTERSIGN_DURABILITY, DISK",
        "COUNTERSIGN_MAX_STALENESS, 0",
        "COUNTERSIGN_MAX_STALENESS, 2",
        "COUNTERSIGN_MAX_STALENESS, -1",
        "COUNTERSIGN_MAX_STALENESS, 10m",
        "COUNTERSIGN_MAX_STALENESS, ''",
        "COUNTERSIGN_CHECKPOINT_INTERVAL, 0",
        "COUNTERSIGN_CHECKPOINT_INTERVAL, 5m",
        "COUNTERSIGN_SECRETS_KEY, ''",
        "COUNTERSIGN_SECRETS_KEY, c2hvcnQ=",
        "COUNTERSIGN_SECRETS_KEY, no base64"
    })
    void aValueThatDoesNotFitIsRefusedByTheNameOfItsVariable(String name, String value) {
        refused(Map.of(name, value), name);
    }

    @Test
    void aCertificateIsTwoFilesOrNone() {
        assertThat(config(Map.of()).tls()).isNull();
        assertThat(config(Map.of()).localUrl(8080)).isEqualTo("http://127.0.0.1:8080");
        ServerConfig config = config(Map.of("TLS_CERT", "tls.crt", "TLS_KEY", "tls.key", "COUNTERSIGN_HOST", "::1"));
        assertThat(config.tls()).isEqualTo(new TlsFiles(Path.of("tls.crt"), Path.of("tls.key")));
        assertThat(config.localUrl(8443)).isEqualTo("https://[::1]:8443");
        refused(Map.of("TLS_CERT", "tls.crt"), "TLS_CERT and TLS_KEY", "both, or neither");
        refused(Map.of("TLS_KEY", "tls.key"), "TLS_CERT and TLS_KEY", "both, or neither");
        refused(Map.of("TLS_CERT", "tls.crt", "TLS_KEY", ""), "TLS_CERT and TLS_KEY", "both, or neither");
    }

    @Test
    void theKeyOfSecretsIs32BytesAndNoPackReadsIt() {
        String text = Base64.getEncoder().encodeToString(new byte[32]);
        ServerConfig config = config(Map.of("COUNTERSIGN_SECRETS_KEY", text));
        assertThat(config.secretsKey()).isEqualTo(new SecretKeySpec(new byte[32], "AES"));
        assertThat(config.env()).isEmpty();
        assertThat(config.toString()).doesNotContain(text);
        assertThat(config.secretsFile()).isEqualTo(Path.of("data/secrets.key"));
        assertThat(config(Map.of("DATABASE_URL", "postgres://u:p@db/x")).secretsFile())
                .isNull();
        assertThatThrownBy(() -> config(Map.of("COUNTERSIGN_SECRETS_KEY", "c2VjcmV0")))
                .message()
                .doesNotContain("c2VjcmV0");
    }

    @Test
    void everyVariableIsInTheGuideForOperators() throws IOException {
        assertThat(Files.readString(RunningServer.checkout("docs/operator.md")))
                .contains(Arrays.stream(ServerConfig.Variable.values())
                        .map(variable -> "| `" + variable.key() + "` |")
                        .toList());
    }

    @Test
    void durabilityStalenessAndIntervalAreReadFromTheEnvironment() {
        ServerConfig config = config(Map.of("COUNTERSIGN_DURABILITY", "disk", "COUNTERSIGN_MAX_STALENESS", "5"));
        assertThat(config.durability()).isEqualTo(Durability.DISK);
        assertThat(config.maxStaleness()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.checkpoints()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config(Map.of("COUNTERSIGN_CHECKPOINT_INTERVAL", "1")).checkpoints())
                .isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    @ExtendWith(PostgresExtension.class)
    void demoKeysAreNotMadeForOtherMachines(@AsOwner PostgresAddress database) {
        var env = Map.of("COUNTERSIGN_HOST", "0.0.0.0", "PUBLIC_URL", "https://pdp.example");
        assertThatThrownBy(() ->
                        RunningServer.start(database, database.port(), env, RunningServer.checkout("rules/packs/base")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("demo keys")
                .hasMessageContaining("127.0.0.1");
    }

    @Test
    @ExtendWith(PostgresExtension.class)
    void otherMachinesAreNotServedWhileAnyKeyOfTheFirstStartIsGood(@AsOwner PostgresAddress database)
            throws IOException {
        var env = Map.of("COUNTERSIGN_HOST", "0.0.0.0", "PUBLIC_URL", "https://pdp.example");
        try (var first = RunningServer.start(database, RunningServer.checkout("rules/packs/base"))) {
            String operator = first.key("operator");
            assertThatThrownBy(() -> first.another(env, RunningServer.checkout("rules/packs/base")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(operator.substring(0, 12))
                    .hasMessageContaining(first.key("agent").substring(0, 12))
                    .message()
                    .doesNotContain(operator);
        }
    }
}
