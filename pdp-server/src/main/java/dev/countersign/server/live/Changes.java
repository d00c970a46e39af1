package dev.countersign.server.live;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Transactions that change what servers hold in memory. Those of one plane, a tenant's or the operator's, follow one another;
 * each begins by making sure that the key that asks is still good, whatever this server has heard, and is bounded in time.
 */
public final class Changes {
    private static final long LIMIT_SECONDS = 5;
    /** Less than the above, so that a statement that waits is rather known to have failed than not known of. */
    private static final String STATEMENT_LIMIT = "set local statement_timeout = '3s'";

    private static final String KEY_STANDS =
            "select 1 from api_keys k left join tenants t on t.id = k.tenant where k.id = $1"
                    + " and k.revoked_at is null and t.suspended_at is null"
                    + " and (k.expires_at is null or k.expires_at > $2)";

    /** The id of a caller with a token is {@code jwt:}, its issuer, {@code :}, and its subject as a person or a service. */
    private static final String TOKEN_STANDS =
            "select 1 from issuers i join tenants t on t.id = i.tenant and t.suspended_at is null"
                    + " cross join split_part($1, ':', 3) as subject"
                    + " where i.id = split_part($1, ':', 2)::uuid and i.disabled_at is null"
                    + " and case when subject like 'p%' then exists (select 1 from issuer_subjects s"
                    + " where s.issuer = i.id and s.as_person = subject) else not exists (select 1"
                    + " from issuer_subjects s where s.issuer = i.id and s.as_service = subject) end";

    private final Pool pool;
    private final LiveFeed feed;
    private final InstantSource clock;

    /** Changes of the database behind {@code pool}, which {@code feed} looks at; {@code clock} tells which keys are good. */
    public Changes(Pool pool, LiveFeed feed, InstantSource clock) {
        this.pool = pool;
        this.feed = feed;
        this.clock = clock;
    }

    /**
     * Makes a change, all of it or nothing.
     *
     * @param plane the tenant in whose plane the key acts that asks; {@code null} for the operator
     * @param by the visible prefix of that key, or the id of a caller with a token
     * @param change what to do in the transaction; if it fails, nothing is done
     * @return done when the change is committed and this server judges by it; failed if either is not sure, or with a
     *     {@link KeyEndedException}
     */
    public <T extends @Nullable Object> Future<T> make(
            @Nullable String plane, String by, Function<SqlConnection, Future<T>> change) {
        return commit(plane, by, change).compose(made -> feed.look().map(made));
    }

    /**
     * Makes a change whose result cannot be asked for again, as a secret cannot.
     *
     * @return done when it is committed, even if this server could not learn of it yet; else as {@link #make}
     */
    public <T extends @Nullable Object> Future<T> give(
            @Nullable String plane, String by, Function<SqlConnection, Future<T>> change) {
        return commit(plane, by, change).compose(made -> feed.look().transform(looked -> Future.succeededFuture(made)));
    }

    /**
     * Does something that no server holds in memory, beside what others do in the same plane.
     *
     * @return done when it is committed; else as {@link #make}
     */
    public <T extends @Nullable Object> Future<T> act(String by, Function<SqlConnection, Future<T>> change) {
        return bounded(connection -> standing(connection, by).compose(standing -> change.apply(connection)));
    }

    private <T extends @Nullable Object> Future<T> commit(
            @Nullable String plane, String by, Function<SqlConnection, Future<T>> change) {
        return bounded(connection -> alone(connection, plane)
                .compose(alone -> standing(connection, by))
                .compose(standing -> change.apply(connection)));
    }

    private <T extends @Nullable Object> Future<T> bounded(Function<SqlConnection, Future<T>> change) {
        return pool.withTransaction(connection ->
                        connection.query(STATEMENT_LIMIT).execute().compose(limited -> change.apply(connection)))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .recover(failure ->
                        failure instanceof KeyEndedException ? heard(failure) : Future.failedFuture(failure));
    }

    /** A server that has found out that a key is good no more does not take it once more after it has said so. */
    private <T extends @Nullable Object> Future<T> heard(Throwable ended) {
        return feed.look().transform(looked -> Future.failedFuture(ended));
    }

    private static Future<?> alone(SqlConnection connection, @Nullable String plane) {
        return plane == null
                ? connection
                        .query("select pg_advisory_xact_lock(hashtext('countersign operator'))")
                        .execute()
                : connection
                        .preparedQuery("select 1 from tenants where id = $1 for no key update")
                        .execute(Tuple.of(plane));
    }

    private Future<?> standing(SqlConnection connection, String by) {
        return connection
                .preparedQuery(by.startsWith("jwt:") ? TOKEN_STANDS : KEY_STANDS)
                .execute(
                        by.startsWith("jwt:")
                                ? Tuple.of(by)
                                : Tuple.of(by, clock.instant().atOffset(ZoneOffset.UTC)))
                .compose(found ->
                        found.size() == 0 ? Future.failedFuture(new KeyEndedException()) : Future.succeededFuture());
    }
}
