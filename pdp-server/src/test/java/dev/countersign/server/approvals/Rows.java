package dev.countersign.server.approvals;

import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The tables of a database, as one of its roles sees them, for tests that wait for what they ask. */
final class Rows implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final Pool pool;

    Rows(PostgresAddress database) {
        pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(database.host())
                        .setPort(database.port())
                        .setDatabase(database.database())
                        .setUser(database.user())
                        .setPassword(database.password())
                        .setCachePreparedStatements(true))
                .with(new PoolOptions().setMaxSize(4))
                .using(vertx)
                .build();
    }

    Pool pool() {
        return pool;
    }

    /** What comes of something that is under way; an error of the test if it fails. */
    static <T> T done(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Runs a statement, and tells how many rows it was about. */
    int execute(String sql, Object... values) {
        return done(pool.preparedQuery(sql).execute(Tuple.from(values))).rowCount();
    }

    List<Row> all(String sql, Object... values) {
        var rows = new ArrayList<Row>();
        done(pool.preparedQuery(sql).execute(Tuple.from(values))).forEach(rows::add);
        return rows;
    }

    <T> T transaction(Function<SqlConnection, Future<T>> change) {
        return done(pool.withTransaction(change));
    }

    @Override
    public void close() {
        done(pool.close());
        done(vertx.close());
    }
}
