package dev.countersign.server.live;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Transactions that change what servers hold in memory. They are bounded in time, and over when this server knows of them. */
public final class Changes {
    private static final long LIMIT_SECONDS = 5;
    /** Less than the above, so that a statement that waits is rather known to have failed than not known of. */
    private static final String STATEMENT_LIMIT = "set local statement_timeout = '3s'";

    private final Pool pool;
    private final LiveFeed feed;

    /** Changes of the database behind {@code pool}, which {@code feed} looks at. */
    public Changes(Pool pool, LiveFeed feed) {
        this.pool = pool;
        this.feed = feed;
    }

    /**
     * Makes a change, all of it or nothing.
     *
     * @param change what to do in the transaction; if it fails, nothing is done
     * @return done when the change is committed and this server judges by it; failed if either is not sure
     */
    public <T extends @Nullable Object> Future<T> make(Function<SqlConnection, Future<T>> change) {
        return pool.withTransaction(connection ->
                        connection.query(STATEMENT_LIMIT).execute().compose(limited -> change.apply(connection)))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .compose(made -> feed.look().map(made));
    }
}
