package dev.countersign.server.secrets;

import static dev.countersign.server.secrets.SecretBoxTest.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** With a key nothing secret is in clear in the database; with another one, nobody starts and nothing changes. */
@ExtendWith(PostgresExtension.class)
class SecretsTest {
    private static final String CLEAR = "select (select count(*) from signing_keys where private_jwk like '{%')"
            + " + (select count(*) from webhooks where secret like 'whsec%' or previous_secret like 'whsec%')";
    private static final String ALL = "select string_agg(private_jwk, ' ') from signing_keys";

    @TempDir
    private Path directory;

    private Vertx vertx;
    private Secrets secrets;
    private PostgresAddress owner;

    @BeforeEach
    void connect(PostgresAddress database, @AsOwner PostgresAddress tables) {
        owner = tables;
        vertx = Vertx.vertx();
        Pool pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(database.host())
                        .setPort(database.port())
                        .setDatabase(database.database())
                        .setUser(database.user())
                        .setPassword(database.password()))
                .using(vertx)
                .build();
        secrets = new Secrets(pool, new SecureRandom());
    }

    @AfterEach
    void disconnect() {
        vertx.close().await();
    }

    private SecretBox open(@Nullable SecretKey given, @Nullable Path file) throws Exception {
        return secrets.open(given, file)
                .toCompletionStage()
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
    }

    private void fill() throws SQLException {
        Sql.execute(
                owner,
                "insert into signing_keys (kid, algorithm, public_jwk, private_jwk, sign_from, sign_until,"
                        + " publish_until) select 'k' || n, 'ES256', '{}', '{\"d\": \"s3cret\"}', now(), now() + interval '1 day',"
                        + " now() + interval '2 days' from generate_series(1, 3) n");
        Sql.execute(owner, "insert into tenants (id, name) values ('acme', 'Acme')");
        Sql.execute(
                owner,
                "insert into webhooks (tenant, id, url, format, event_types, secret, previous_secret,"
                        + " previous_until, seen, created_at, created_by) select 'acme', ('00000000-0000-0000-0000-'"
                        + " || lpad(n::text, 12, '0'))::uuid, 'https://x', 'standard', array['*'], 'whsec_' || n,"
                        + " case when n % 2 = 0 then 'whsec_old' end, case when n % 2 = 0 then now() end, 0, now(), 'cs_1'"
                        + " from generate_series(1, 1203) n");
    }

    @Test
    void whatIsInClearIsEncryptedOnceAKeyIsThereAndCanBeRead() throws Exception {
        fill();
        assertThat(Sql.query(owner, CLEAR)).isEqualTo("1206");
        SecretBox box = open(key(1), null);
        assertThat(Sql.query(owner, CLEAR)).isEqualTo("0");
        assertThat(box.open(
                        Sql.query(owner, "select private_jwk from signing_keys where kid = 'k2'"),
                        Secrets.ofSigningKey("k2")))
                .isEqualTo("{\"d\": \"s3cret\"}");
        String id = "00000000-0000-0000-0000-000000001202";
        String row = " from webhooks where id = '" + id + "'";
        String[] place = Secrets.ofWebhook("acme", id);
        assertThat(box.open(Sql.query(owner, "select secret" + row), place)).isEqualTo("whsec_1202");
        assertThat(box.open(Sql.query(owner, "select previous_secret" + row), place))
                .isEqualTo("whsec_old");
        String before = Sql.query(owner, ALL);
        open(key(1), null);
        assertThat(Sql.query(owner, ALL)).isEqualTo(before);
    }

    @Test
    void anotherKeyOrNoneIsRefusedAndChangesNothing() throws Exception {
        fill();
        open(key(1), null);
        String before = Sql.query(owner, ALL);
        for (SecretKey wrong : new SecretKey[] {key(2), null}) {
            assertThatThrownBy(() -> open(wrong, null))
                    .hasRootCauseInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll(SecretBox.id(key(1)), "COUNTERSIGN_SECRETS_KEY");
        }
        Path file = directory.resolve("secrets.key");
        assertThatThrownBy(() -> open(null, file)).hasMessageContainingAll(SecretBox.id(key(1)), "put it back into");
        assertThat(file).doesNotExist();
        assertThat(Sql.query(owner, ALL)).isEqualTo(before);
    }

    @Test
    void withoutAKeyADatabaseOfTheOperatorsStaysAsItIs() throws Exception {
        fill();
        assertThat(open(null, null)).isSameAs(SecretBox.CLEAR);
        assertThat(Sql.query(owner, CLEAR)).isEqualTo("1206");
    }

    @Test
    void aDatabaseOfTheServersOwnHasItsKeyInAFileThatNobodyElseReads() throws Exception {
        fill();
        Path file = directory.resolve("secrets.key");
        SecretBox made = open(null, file);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(Sql.query(owner, CLEAR)).isEqualTo("0");
        assertThat(open(null, file)).hasToString(made.toString());
        String content = Files.readString(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> open(null, file)).hasMessageContaining("chmod 600");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.writeString(file, "s3cret");
        assertThatThrownBy(() -> open(null, file))
                .hasMessageContaining("holds no key of 32 bytes")
                .hasMessageNotContaining("s3cret");
        Files.writeString(file, Base64.getEncoder().encodeToString(key(2).getEncoded()));
        assertThatThrownBy(() -> open(null, file)).hasMessageContaining(SecretBox.id(key(2)));
        Files.writeString(file, content);
        assertThat(open(null, file)).hasToString(made.toString());
    }

    @Test
    void aServerSignsAndVerifiesWithKeysThatAreEncrypted() throws IOException, SQLException {
        String key = Base64.getEncoder().encodeToString(key(3).getEncoded());
        var packs = RunningServer.checkout("examples/authzen-certification");
        String kid;
        try (var clear = RunningServer.start(owner, packs)) {
            kid = clear.get("/access/v1/jwks").json().at("/keys/0/kid").asText();
            try (var encrypting = clear.another(Map.of("COUNTERSIGN_SECRETS_KEY", key), packs)) {
                assertThat(Sql.query(owner, ALL)).startsWith(SecretBox.PREFIX).doesNotContain("\"d\"");
                assertThat(encrypting
                                .get("/access/v1/jwks")
                                .json()
                                .at("/keys/0/kid")
                                .asText())
                        .isEqualTo(kid);
                assertThat(encrypting.get("/readyz").status()).isEqualTo(200);
                assertThat(encrypting
                                .post("/api/v1/signing-keys/rotate", encrypting.key("operator"), "{}")
                                .status())
                        .isEqualTo(200);
                assertThat(Sql.query(owner, CLEAR)).isEqualTo("0");
            }
        }
        assertThatThrownBy(() -> RunningServer.start(owner, packs))
                .hasMessageContainingAll(SecretBox.id(key(3)), "COUNTERSIGN_SECRETS_KEY");
    }
}
