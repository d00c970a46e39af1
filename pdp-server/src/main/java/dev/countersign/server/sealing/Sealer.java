package dev.countersign.server.sealing;

import dev.countersign.server.decisionlog.SealedChain;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Puts the events of approvals into their chain, in the order of their numbers. One server at a time does it, in steps of
 * one transaction each. As numbers become visible in their order, none is left behind.
 */
final class Sealer {
    /** Held by whoever adds to the chain or makes a checkpoint, until the end of the transaction. */
    static final String LOCK = "hashtext('countersign sealer')";

    static final String STATEMENT_LIMIT = "set local statement_timeout = '3s'";
    static final long LIMIT_SECONDS = 10;
    private static final int STEP = 200;
    private static final String NEXT = "select number, tenant, type, time, body from events"
            + " where type like 'approval.%' and number > $1 order by number limit $2";

    private final Pool pool;
    private final Supplier<UUID> ids;
    private final InstantSource clock;

    Sealer(Pool pool, Supplier<UUID> ids, InstantSource clock) {
        this.pool = pool;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * Seals what there is, unless another server is at it.
     *
     * @return how many events it has sealed
     */
    Future<Integer> seal() {
        return step().compose(count -> count < STEP ? Future.succeededFuture(count) : seal().map(more -> count + more));
    }

    private Future<Integer> step() {
        return pool.withTransaction(connection -> connection
                        .query(STATEMENT_LIMIT)
                        .execute()
                        .compose(limited -> connection
                                .query("select pg_try_advisory_xact_lock(" + LOCK + ")")
                                .execute())
                        .compose(locked ->
                                locked.iterator().next().getBoolean(0) ? end(connection) : Future.succeededFuture(0)))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private Future<Integer> end(SqlConnection connection) {
        return connection
                .query("select segment, seq, hash, coalesce(event, 0) as event from sealed_events"
                        + " order by seq desc limit 1")
                .execute()
                .compose(last -> {
                    long event = last.size() == 0 ? 0 : last.iterator().next().getLong("event");
                    return connection
                            .preparedQuery(NEXT)
                            .execute(Tuple.of(event, STEP))
                            .compose(events -> events.size() == 0
                                    ? Future.succeededFuture(0)
                                    : seal(connection, last, events).map(events.size()));
                });
    }

    private Future<?> seal(SqlConnection connection, RowSet<Row> last, RowSet<Row> events) {
        var links = new ArrayList<Tuple>(events.size() + 1);
        UUID segment;
        SealedChain chain;
        if (last.size() == 0) {
            segment = ids.get();
            chain = SealedChain.begin();
            links.add(tuple(segment, null, chain.header(segment, clock.instant())));
        } else {
            Row end = last.iterator().next();
            segment = end.getUUID("segment");
            chain = SealedChain.after(end.getLong("seq"), end.getBuffer("hash").getBytes());
        }
        for (Row event : events) {
            links.add(tuple(segment, event.getLong("number"), chain.add(event(event))));
        }
        return connection
                .preparedQuery(
                        "insert into sealed_events (segment, event, seq, entry, hash) values ($1, $2, $3, $4, $5)")
                .executeBatch(links);
    }

    private static SealedChain.Event event(Row row) {
        return new SealedChain.Event(
                row.getLong("number"),
                row.getString("tenant"),
                row.getString("type"),
                row.getOffsetDateTime("time").toInstant(),
                row.getString("body"));
    }

    private static Tuple tuple(UUID segment, @Nullable Long event, SealedChain.Link link) {
        return Tuple.of(segment, event, link.seq(), link.entry(), Buffer.buffer(link.hash()));
    }
}
