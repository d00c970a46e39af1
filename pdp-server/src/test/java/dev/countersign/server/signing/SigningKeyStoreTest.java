package dev.countersign.server.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.signing.StoredSigningKey.State;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** All servers sign with keys that all of them know, there always is one, and none is given away. */
@ExtendWith(PostgresExtension.class)
class SigningKeyStoreTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant START = Instant.parse("2026-03-02T09:00:00Z");
    private static final String US = "https://pdp.example";

    private final AtomicReference<Instant> now = new AtomicReference<>(START);
    private Vertx vertx;
    private PgConnectOptions options;
    private PostgresAddress owner;
    private Server one;
    private Server two;

    /** What a server has of keys, with connections of its own to the database. */
    private record Server(Pool pool, LiveFeed feed, SigningKeyStore store, Live<SigningKeys> keys, Tokens tokens) {
        String sign(Instant exp) {
            ObjectNode claims = JSON.createObjectNode();
            claims.put("iss", US).put("aud", US).put("exp", exp.getEpochSecond());
            return tokens.sign("approval+jwt", claims);
        }

        Verified verify(String token) {
            return tokens.verify(token, "approval+jwt", US, US);
        }

        List<String> published() throws Exception {
            var kids = new ArrayList<String>();
            JSON.readTree(keys.get().jwks())
                    .get("keys")
                    .forEach(key -> kids.add(key.get("kid").textValue()));
            return kids;
        }

        void rotate(boolean revoke) throws Exception {
            done(pool.withTransaction(connection -> store.rotate(connection, "csk_operator", revoke)));
        }

        void ensure() throws Exception {
            done(store.ensure());
            done(feed.look());
        }
    }

    @BeforeEach
    void connect(PostgresAddress database, @AsOwner PostgresAddress tables) throws Exception {
        owner = tables;
        vertx = Vertx.vertx();
        options = new PgConnectOptions()
                .setHost(database.host())
                .setPort(database.port())
                .setDatabase(database.database())
                .setUser(database.user())
                .setPassword(database.password());
        one = server();
        two = server();
    }

    private Server server() throws Exception {
        Pool pool = PgBuilder.pool().connectingTo(options).using(vertx).build();
        var feed = new LiveFeed(pool, now::get, Duration.ofSeconds(1));
        var store = new SigningKeyStore(pool, SecretBox.CLEAR, now::get, new SecureRandom());
        Live<SigningKeys> keys = feed.live("signing", SigningKeys.NONE, known -> store.load());
        done(feed.start(vertx, options));
        return new Server(pool, feed, store, keys, new Tokens(keys::get, now::get));
    }

    @AfterEach
    void disconnect() throws Exception {
        done(vertx.close());
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static String kid(String token) throws Exception {
        byte[] header = Base64.getUrlDecoder().decode(token.split("\\.")[0]);
        return JSON.readTree(header).get("kid").textValue();
    }

    private void later(Duration after) {
        now.set(START.plus(after));
    }

    private Instant soon() {
        return now.get().plusSeconds(300);
    }

    @Test
    void serversThatStartAtOnceMakeOneKey() throws Exception {
        var starts = new ArrayList<Future<Void>>();
        for (int i = 0; i < 8; i++) {
            starts.add(one.store().ensure());
            starts.add(two.store().ensure());
        }
        done(Future.all(starts));
        assertThat(Sql.query(owner, "select count(*) from signing_keys")).isEqualTo("1");
        done(one.feed().look());
        assertThat(one.published()).hasSize(1).containsExactly(kid(one.sign(soon())));
    }

    @Test
    void whatOneServerSignsTheOtherTakes() throws Exception {
        one.ensure();
        String token = one.sign(soon());
        RunningServer.until("the other server hears of the key", () -> two.verify(token) instanceof Verified.Good);
        assertThat(one.verify(two.sign(soon()))).isInstanceOf(Verified.Good.class);
    }

    @Test
    void whatAnotherServerHasSignedAMomentAgoIsTakenAfterALook() throws Exception {
        one.ensure();
        one.rotate(false);
        // Nothing was said to this server of what it does not look at.
        var unheard = new AtomicReference<>(SigningKeys.NONE);
        var tokens = new Tokens(unheard::get, now::get);
        done(one.feed().look());
        Verified verified = done(tokens.verify(
                one.sign(soon()),
                "approval+jwt",
                US,
                US,
                () -> two.store().load().onSuccess(unheard::set).mapEmpty()));
        assertThat(verified).isInstanceOf(Verified.Good.class);
    }

    @Test
    void whatARotatedKeyHasSignedIsGoodUntilItIsOver() throws Exception {
        one.ensure();
        String token = one.sign(now.get().plus(SigningKeyStore.MOST_LIFE));
        two.rotate(false);
        done(one.feed().look());
        assertThat(kid(one.sign(soon()))).isNotEqualTo(kid(token));
        assertThat(one.published()).hasSize(2).contains(kid(token));
        later(SigningKeyStore.MOST_LIFE);
        one.ensure();
        assertThat(one.verify(token)).isInstanceOf(Verified.Good.class);
    }

    @Test
    void whatRevokedKeysHaveSignedIsNotGoodAnywhereAndTheirSecretsAreGone() throws Exception {
        one.ensure();
        String token = one.sign(soon());
        later(Duration.ofDays(29));
        one.ensure();
        assertThat(one.published())
                .as("the one that was to follow has been published")
                .hasSize(2);
        two.rotate(true);
        RunningServer.until(
                "both servers have heard of it",
                () -> one.verify(token) == Verified.Bad.UNKNOWN_KEY && two.verify(token) == Verified.Bad.UNKNOWN_KEY);
        assertThat(one.published()).hasSize(1).containsExactly(kid(one.sign(soon())));
        assertThat(two.verify(one.sign(soon()))).isInstanceOf(Verified.Good.class);
        String left = "select count(*) from signing_keys where private_jwk is not null";
        assertThat(Sql.query(owner, left)).isEqualTo("1");
        assertThat(done(one.store().list()))
                .extracting(StoredSigningKey::state)
                .containsExactly(State.SIGNS, State.REVOKED, State.REVOKED);
        two.ensure();
        assertThat(two.published()).as("nobody makes another one in its place").hasSize(1);
    }

    @Test
    void makingSureOfWhatIsThereChangesNothing() throws Exception {
        one.ensure();
        String revision = "select revision from revisions where kind = 'signing'";
        assertThat(Sql.query(owner, revision)).isEqualTo("1");
        later(Duration.ofDays(29).minusSeconds(1));
        one.ensure();
        two.ensure();
        assertThat(Sql.query(owner, revision)).isEqualTo("1");
    }

    @Test
    void aKeyIsFollowedByOneThatWasPublishedADayBefore() throws Exception {
        one.ensure();
        String first = kid(one.sign(soon()));
        later(Duration.ofDays(29));
        one.ensure();
        two.ensure();
        assertThat(one.published()).hasSize(2).isEqualTo(two.published());
        assertThat(kid(one.sign(soon()))).isEqualTo(first);
        later(Duration.ofDays(30).minusNanos(1_000));
        String last = one.sign(now.get().plus(SigningKeyStore.MOST_LIFE));
        assertThat(kid(last)).isEqualTo(first);
        later(Duration.ofDays(30));
        assertThat(kid(one.sign(soon()))).isNotEqualTo(first).isIn(two.published());
        later(Duration.ofDays(60));
        two.ensure();
        assertThat(two.published()).contains(first);
        assertThat(two.verify(last)).isInstanceOf(Verified.Good.class);
        later(Duration.ofDays(70));
        two.ensure();
        assertThat(two.published()).doesNotContain(first);
        assertThat(two.verify(last)).isEqualTo(Verified.Bad.UNKNOWN_KEY);
    }

    /** Every twelve hours somebody makes sure of the keys; nobody else does anything. */
    @Test
    void inAllTheTimeThereIsAKeyThatVerifiersKnowAndNoApprovalOutlivesIt() throws Exception {
        var seen = new HashMap<String, Instant>();
        var approvals = new HashMap<String, Instant>();
        one.ensure();
        seen.put(kid(one.sign(soon())), START.minus(SigningKeyStore.AHEAD));
        for (int i = 0; i < 2 * 130; i++) {
            later(Duration.ofHours(12L * i));
            Server server = i % 2 == 0 ? one : two;
            server.ensure();
            server.published().forEach(kid -> seen.putIfAbsent(kid, now.get()));
            Instant exp = now.get().plus(SigningKeyStore.MOST_LIFE);
            String token = server.sign(exp);
            assertThat(seen.get(kid(token))).isBeforeOrEqualTo(now.get().minus(Duration.ofHours(12)));
            approvals.put(token, exp);
            approvals.values().removeIf(until -> until.isBefore(now.get()));
            if (i % 20 == 0) {
                approvals.forEach((approval, until) ->
                        assertThat(server.verify(approval)).as("%s", until).isInstanceOf(Verified.Good.class));
            }
        }
        assertThat(seen).hasSize(5);
        assertThat(Sql.query(owner, "select count(*) from signing_keys")).isEqualTo("3");
    }

    @Test
    void serversThatWereAwayForAYearMakeANewKeyAndForgetTheOldOne() throws Exception {
        one.ensure();
        List<String> old = one.published();
        later(Duration.ofDays(365));
        assertThatThrownBy(() -> one.sign(soon())).hasMessageContaining("no key signs now");
        one.ensure();
        assertThat(one.published()).hasSize(1).doesNotContainAnyElementsOf(old);
        assertThat(one.verify(one.sign(soon()))).isInstanceOf(Verified.Good.class);
        assertThat(Sql.query(owner, "select count(*) from signing_keys")).isEqualTo("1");
    }

    @Test
    void aKeyThatIsRotatedSignsNoMoreAndWhatItSignedStaysGood() throws Exception {
        one.ensure();
        String before = one.sign(soon());
        one.rotate(false);
        done(one.feed().look());
        done(two.feed().look());
        String after = two.sign(soon());
        assertThat(kid(after)).isNotEqualTo(kid(before)).isEqualTo(kid(one.sign(soon())));
        assertThat(one.published()).containsExactly(kid(after), kid(before));
        assertThat(two.verify(before)).isInstanceOf(Verified.Good.class);
        assertThat(one.verify(after)).isInstanceOf(Verified.Good.class);
        now.set(START.minusSeconds(30));
        assertThat(kid(two.sign(soon()))).as("by a clock that is behind").isEqualTo(kid(after));
    }

    @Test
    void aKeyThatWasPublishedBeforeARotationNeverSigns() throws Exception {
        one.ensure();
        later(Duration.ofDays(29));
        one.ensure();
        var before = new TreeSet<>(one.published());
        assertThat(before).hasSize(2);
        one.rotate(false);
        for (int hours = 0; hours < 24 * 40; hours += 12) {
            later(Duration.ofDays(29).plusHours(hours));
            two.ensure();
            assertThat(kid(two.sign(soon()))).isNotIn(before);
        }
    }

    @Test
    void theKeySetHoldsNothingPrivate() throws Exception {
        one.ensure();
        one.rotate(false);
        done(one.feed().look());
        String jwks = one.keys().get().jwks();
        JsonNode keys = JSON.readTree(jwks).get("keys");
        assertThat(keys).hasSize(2);
        for (JsonNode key : keys) {
            var members = new TreeSet<String>();
            key.fieldNames().forEachRemaining(members::add);
            assertThat(members).containsExactly("alg", "crv", "kid", "kty", "use", "x", "y");
            assertThat(key.get("use").textValue()).isEqualTo("sig");
            assertThat(key.get("alg").textValue()).isEqualTo("ES256");
            String secret = secret(key.get("kid").textValue());
            assertThat(jwks).doesNotContain(secret);
            assertThat(one.keys()
                            .get()
                            .find(key.get("kid").textValue(), now.get())
                            .toString())
                    .as("what a log would show")
                    .contains("kid")
                    .doesNotContain(secret);
        }
    }

    private String secret(String kid) throws Exception {
        String jwk = Sql.query(owner, "select private_jwk from signing_keys where kid = '" + kid + "'");
        String secret = JSON.readTree(jwk).get("d").textValue();
        assertThat(secret).hasSize(43);
        return secret;
    }

    @Test
    void aKeyWhoseTimeIsOverIsReadWithoutItsPrivatePart() throws Exception {
        one.ensure();
        String kid = kid(one.sign(soon()));
        later(Duration.ofDays(30));
        SigningKey key = done(one.store().load()).find(kid, now.get());
        assertThat(key).isNotNull();
        assertThat(key.signer()).isNull();
    }

    @Test
    void aKeyThatCannotBeReadIsNamedAndNotShown() throws Exception {
        one.ensure();
        String kid = kid(one.sign(soon()));
        String secret = secret(kid);
        Sql.execute(owner, "update signing_keys set private_jwk = replace(private_jwk, '\"EC\"', '\"EX\"')");
        assertThatThrownBy(() -> done(one.store().load()))
                .hasMessageContaining(kid)
                .hasMessageContaining("delete it")
                .hasMessageNotContaining(secret)
                .hasStackTraceContaining("signing_keys");
        assertThatThrownBy(() -> done(one.feed().look())).hasMessageContaining(kid);
        Sql.execute(owner, "delete from signing_keys");
        one.ensure();
        assertThat(one.verify(one.sign(soon()))).isInstanceOf(Verified.Good.class);
    }

    @Test
    void noServerChangesAKey(PostgresAddress application) throws Exception {
        one.ensure();
        for (String sql : List.of(
                "update signing_keys set sign_until = sign_until + interval '1 year'",
                "update signing_keys set public_jwk = ''",
                "truncate signing_keys")) {
            assertThatThrownBy(() -> Sql.execute(application, sql))
                    .isInstanceOf(SQLException.class)
                    .extracting(failed -> ((SQLException) failed).getSQLState())
                    .isEqualTo("42501");
        }
    }
}
