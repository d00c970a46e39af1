package dev.countersign.server.signing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.secrets.Secrets;
import dev.countersign.server.signing.StoredSigningKey.State;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The keys in PostgreSQL that all servers sign with. A key signs for {@link #SIGNS}, is published {@link #AHEAD} of that, and
 * stays published for {@link #STAYS} after it. Changes are safe when several servers make them at once.
 */
public final class SigningKeyStore {
    /** How long a key signs. */
    public static final Duration SIGNS = Duration.ofDays(30);

    /** How long before it signs a key is published, but for one that has to sign at once. */
    public static final Duration AHEAD = Duration.ofDays(1);

    /** The longest time for which any token may be good. */
    public static final Duration MOST_LIFE = Duration.ofDays(30);

    /**
     * How long a key is published after it has signed its last token: that one's life, and ten days for clocks that differ
     * and for servers that were away when it was over.
     */
    public static final Duration STAYS = MOST_LIFE.plusDays(10);

    /** A key that has to sign at once does so also by the clock of a server that is this much behind. */
    private static final Duration SKEW = Duration.ofMinutes(1);

    private static final long LIMIT_SECONDS = 5;
    /** Less than the above, so that a statement that waits is rather known to have failed than not known of. */
    private static final String STATEMENT_LIMIT = "set local statement_timeout = '3s'";

    private final Pool pool;
    private final SecretBox secrets;
    private final InstantSource clock;
    private final SecureRandom random;

    /** When a key signs, and until when it is published. */
    private record Times(Instant signFrom, Instant signUntil, Instant publishUntil) {
        static Times from(Instant signFrom, Instant signUntil) {
            return new Times(signFrom, signUntil, signUntil.plus(STAYS));
        }

        boolean sign(Instant now) {
            return !now.isBefore(signFrom) && now.isBefore(signUntil);
        }
    }

    /**
     * The keys of the database behind {@code pool}.
     *
     * @param secrets encrypts their private parts
     * @param clock tells which keys sign and which are over
     * @param random makes the keys
     */
    public SigningKeyStore(Pool pool, SecretBox secrets, InstantSource clock, SecureRandom random) {
        this.pool = pool;
        this.secrets = secrets;
        this.clock = clock;
        this.random = random;
    }

    /** All keys that are published now; the private part of one that signs no more stays where it is. */
    public Future<SigningKeys> load() {
        return pool.preparedQuery(
                        "select kid, public_jwk, case when sign_until > $1 then private_jwk end as private_jwk,"
                                + " sign_from, sign_until, publish_until from signing_keys where publish_until > $1"
                                + " and revoked_at is null"
                                + " order by created_at desc, kid")
                .execute(Tuple.of(time(clock.instant())))
                .map(rows -> {
                    var keys = new ArrayList<SigningKey>(rows.size());
                    rows.forEach(row -> keys.add(key(row)));
                    return new SigningKeys(keys);
                });
    }

    /** All keys that are kept, those that were revoked too; the newest first, as they are in the database. */
    Future<List<StoredSigningKey>> list() {
        return pool.query("select kid, created_at, created_by, sign_from, sign_until, publish_until, revoked_at,"
                        + " revoked_by from signing_keys order by created_at desc, kid")
                .execute()
                .map(rows -> {
                    Instant now = clock.instant();
                    var found = new ArrayList<StoredSigningKey>(rows.size());
                    boolean signed = false;
                    for (Row row : rows) {
                        boolean revoked = row.getOffsetDateTime("revoked_at") != null;
                        boolean signs = !signed && !revoked && times(row).sign(now);
                        signed |= signs;
                        found.add(stored(row, revoked ? State.REVOKED : signs ? State.SIGNS : State.VERIFIES));
                    }
                    return found;
                });
    }

    private static StoredSigningKey stored(Row row, State state) {
        Times times = times(row);
        OffsetDateTime revoked = row.getOffsetDateTime("revoked_at");
        return new StoredSigningKey(
                row.getString("kid"),
                state,
                row.getOffsetDateTime("created_at").toInstant(),
                row.getString("created_by"),
                times.signFrom(),
                times.signUntil(),
                times.publishUntil(),
                revoked == null ? null : revoked.toInstant(),
                row.getString("revoked_by"));
    }

    private SigningKey key(Row row) {
        Times times = times(row);
        String kid = row.getString("kid");
        String secret = row.getString("private_jwk");
        return SigningKey.of(
                kid,
                row.getString("public_jwk"),
                secret == null ? null : secrets.open(secret, Secrets.ofSigningKey(kid)),
                times.signFrom(),
                times.signUntil(),
                times.publishUntil());
    }

    /**
     * Makes what is missing, so that a key signs now and, in its last day, another one is published that follows it; deletes
     * the keys that are over. To be called at the start and every hour.
     *
     * @return done when that is committed, which the kind {@code signing} of the table {@code revisions} then tells
     */
    public Future<Void> ensure() {
        return alone(connection -> {
            Instant now = clock.instant();
            return clean(connection, now)
                    .compose(cleaned -> read(connection))
                    .compose(newestFirst -> fill(connection, newestFirst, now));
        });
    }

    private Future<Void> fill(SqlConnection connection, List<Times> newestFirst, Instant now) {
        if (newestFirst.stream().noneMatch(key -> key.sign(now))) {
            return insert(connection, atOnce(now), null);
        }
        // Of two that may sign the newest one does, so it is the end of that one that counts.
        Instant end = newestFirst.stream()
                .map(Times::signUntil)
                .filter(now::isBefore)
                .findFirst()
                .orElseThrow();
        return end.isAfter(now.plus(AHEAD))
                ? Future.succeededFuture()
                : insert(connection, Times.from(end, end.plus(SIGNS)), null);
    }

    /**
     * Makes a key that signs at once, in place of the one that does and of the one that was to follow it. Verifiers elsewhere
     * that cache keys do not have this one yet.
     *
     * @param by the visible prefix of the key that wishes it
     * @param revoke whether nothing is good any more that those before have signed, or will; else it is as long as it was
     */
    public Future<Void> rotate(SqlConnection connection, String by, boolean revoke) {
        Instant now = clock.instant();
        return lock(connection)
                .compose(locked -> revoke ? revoke(connection, by, now) : Future.succeededFuture())
                .compose(revoked -> insert(connection, atOnce(now), by));
    }

    private static Future<?> revoke(SqlConnection connection, String by, Instant now) {
        return connection
                .preparedQuery("update signing_keys set private_jwk = null, revoked_at = $1, revoked_by = $2"
                        + " where revoked_at is null")
                .execute(Tuple.of(time(now), by));
    }

    private static Times atOnce(Instant now) {
        return Times.from(now.minus(SKEW), now.plus(SIGNS));
    }

    private Future<Void> alone(Function<SqlConnection, Future<Void>> change) {
        return pool.withTransaction(connection -> connection
                        .query(STATEMENT_LIMIT)
                        .execute()
                        .compose(limited -> lock(connection))
                        .compose(locked -> change.apply(connection)))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private static Future<?> lock(SqlConnection connection) {
        return connection
                .query("select pg_advisory_xact_lock(hashtext('countersign signing keys'))")
                .execute();
    }

    private static Future<List<Times>> read(SqlConnection connection) {
        return connection
                .query("select sign_from, sign_until, publish_until from signing_keys where revoked_at is null"
                        + " order by created_at desc, kid")
                .execute()
                .map(rows -> {
                    var all = new ArrayList<Times>(rows.size());
                    rows.forEach(row -> all.add(times(row)));
                    return all;
                });
    }

    /** A delete counts as a change even if there is nothing to delete. */
    private static Future<?> clean(SqlConnection connection, Instant now) {
        return connection
                .preparedQuery("select 1 from signing_keys where publish_until <= $1 limit 1")
                .execute(Tuple.of(time(now)))
                .compose(over -> over.size() == 0
                        ? Future.succeededFuture()
                        : connection
                                .preparedQuery("delete from signing_keys where publish_until <= $1")
                                .execute(Tuple.of(time(now))));
    }

    private Future<Void> insert(SqlConnection connection, Times times, @Nullable String by) {
        ECKey key;
        try {
            key = new ECKeyGenerator(Curve.P_256)
                    .algorithm(JWSAlgorithm.ES256)
                    .keyUse(KeyUse.SIGNATURE)
                    .keyIDFromThumbprint(true)
                    .secureRandom(random)
                    .generate();
        } catch (JOSEException e) {
            return Future.failedFuture(new IllegalStateException("this Java cannot make an EC key on P-256", e));
        }
        return connection
                .preparedQuery(
                        "insert into signing_keys (kid, algorithm, public_jwk, private_jwk, sign_from, sign_until,"
                                + " publish_until, created_by) values ($1, 'ES256', $2, $3, $4, $5, $6, $7)")
                .execute(Tuple.of(
                        key.getKeyID(),
                        key.toPublicJWK().toJSONString(),
                        secrets.seal(key.toJSONString(), Secrets.ofSigningKey(key.getKeyID())),
                        time(times.signFrom()),
                        time(times.signUntil()),
                        time(times.publishUntil()),
                        by))
                .mapEmpty();
    }

    private static Times times(Row row) {
        return new Times(
                row.getOffsetDateTime("sign_from").toInstant(),
                row.getOffsetDateTime("sign_until").toInstant(),
                row.getOffsetDateTime("publish_until").toInstant());
    }

    private static OffsetDateTime time(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
