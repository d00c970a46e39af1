package dev.countersign.server.secrets;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a start does about secrets in the database: the private keys that sign, and those that webhooks are signed with. It finds
 * the key, refuses one that does not fit, and encrypts what is still in clear.
 */
public final class Secrets {
    private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);
    private static final int ROWS = 500;
    private static final String ALIKE = "'" + SecretBox.PREFIX + "%'";

    /** The ids of the keys that anything is encrypted with. */
    private static final String KEYS = "select split_part(private_jwk, ':', 2) as key from signing_keys"
            + " where private_jwk like " + ALIKE
            + " union select split_part(secret, ':', 2) from webhooks where secret like " + ALIKE
            + " union select split_part(previous_secret, ':', 2) from webhooks where previous_secret like " + ALIKE;

    private static final String CLEAR_KEYS =
            "select kid, private_jwk from signing_keys where private_jwk not like " + ALIKE + " for update";
    private static final String CLEAR_WEBHOOKS =
            "select tenant, id, secret, previous_secret from webhooks where secret not" + " like " + ALIKE
                    + " or previous_secret not like " + ALIKE + " limit " + ROWS + " for update";

    private final Pool pool;
    private final SecureRandom random;

    /** Secrets in the database behind {@code pool}. */
    public Secrets(Pool pool, SecureRandom random) {
        this.pool = pool;
        this.random = random;
    }

    /** Where the private part of a key that signs is. */
    public static String[] ofSigningKey(String kid) {
        return new String[] {"signing_keys", kid};
    }

    /** Where the secrets of a webhook are, the present one and the one before. */
    public static String[] ofWebhook(String tenant, String id) {
        return new String[] {"webhooks", tenant, id};
    }

    /**
     * Opens them.
     *
     * @param given the key that the operator has set, or {@code null}
     * @param file where a database of the server's own keeps its key, which is made if there is none; {@code null} for the
     *     operator's database, whose secrets stay in clear without a key
     * @return what encrypts; failed with an {@link IllegalArgumentException} that says what to do if anything in the database
     *     is encrypted with another key, which leaves everything as it was
     */
    public Future<SecretBox> open(@Nullable SecretKey given, @Nullable Path file) {
        try {
            SecretKey kept = given != null || file == null ? given : new KeyFile(file).read();
            return pool.withTransaction(connection -> connection
                    .query("select pg_advisory_xact_lock(hashtext('countersign secrets'))")
                    .execute()
                    .compose(locked -> connection.query(KEYS).execute())
                    .compose(rows -> {
                        var used = new TreeSet<String>();
                        rows.forEach(row -> used.add(row.getString("key")));
                        refuseOthers(used, kept, file);
                        if (kept != null) {
                            return encrypt(connection, kept);
                        }
                        return file == null ? clear() : encrypt(connection, made(file));
                    }));
        } catch (IOException | IllegalArgumentException e) {
            return Future.failedFuture(e);
        }
    }

    private static void refuseOthers(Set<String> used, @Nullable SecretKey key, @Nullable Path file) {
        if (key != null) {
            used.remove(SecretBox.id(key));
        }
        if (!used.isEmpty()) {
            throw new IllegalArgumentException("secrets in the database are encrypted with the key "
                    + String.join(", ", used) + ", and this server has "
                    + (key == null ? "none" : "another, " + SecretBox.id(key))
                    + ": set COUNTERSIGN_SECRETS_KEY to that key"
                    + (file == null ? "" : ", or put it back into " + file)
                    + "; docs/operator.md says what to do if it is lost");
        }
    }

    private static Future<SecretBox> clear() {
        LOG.warn("COUNTERSIGN_SECRETS_KEY is not set: the keys that sign, and the secrets of webhooks, are in clear in"
                + " the database and its backups; docs/operator.md says how to encrypt them");
        return Future.succeededFuture(SecretBox.CLEAR);
    }

    private SecretKey made(Path file) {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        var key = new SecretKeySpec(bytes, "AES");
        try {
            new KeyFile(file).write(key);
        } catch (IOException e) {
            throw new IllegalArgumentException("the key for secrets cannot be written: " + e, e);
        }
        LOG.info("secrets in the database are encrypted with the key in {}: keep a copy of it elsewhere", file);
        return key;
    }

    private Future<SecretBox> encrypt(SqlConnection connection, SecretKey key) {
        SecretBox box = SecretBox.of(key, random);
        return rewrite(
                        connection,
                        CLEAR_KEYS,
                        "update signing_keys set private_jwk = $2 where kid = $1",
                        row -> Tuple.of(
                                row.getString("kid"),
                                box.seal(row.getString("private_jwk"), ofSigningKey(row.getString("kid")))))
                .compose(keys -> webhooks(connection, box, keys))
                .map(rows -> {
                    if (rows > 0) {
                        LOG.info("{} rows with secrets in clear were encrypted", rows);
                    }
                    return box;
                });
    }

    private static Future<Integer> webhooks(SqlConnection connection, SecretBox box, int before) {
        return rewrite(
                        connection,
                        CLEAR_WEBHOOKS,
                        "update webhooks set secret = $3, previous_secret = $4 where tenant = $1 and id = $2",
                        row -> {
                            String[] place = ofWebhook(
                                    row.getString("tenant"), row.getUUID("id").toString());
                            String previous = row.getString("previous_secret");
                            return Tuple.of(
                                    row.getString("tenant"),
                                    row.getUUID("id"),
                                    sealed(box, row.getString("secret"), place),
                                    previous == null ? null : sealed(box, previous, place));
                        })
                .compose(rows ->
                        rows < ROWS ? Future.succeededFuture(before + rows) : webhooks(connection, box, before + rows));
    }

    private static String sealed(SecretBox box, String secret, String... place) {
        return secret.startsWith(SecretBox.PREFIX) ? secret : box.seal(secret, place);
    }

    private static Future<Integer> rewrite(
            SqlConnection connection, String select, String update, Function<Row, Tuple> values) {
        return connection.query(select).execute().compose(rows -> {
            var batch = new ArrayList<Tuple>();
            rows.forEach(row -> batch.add(values.apply(row)));
            return batch.isEmpty()
                    ? Future.succeededFuture(0)
                    : connection.preparedQuery(update).executeBatch(batch).map(batch.size());
        });
    }
}
