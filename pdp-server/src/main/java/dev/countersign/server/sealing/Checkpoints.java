package dev.countersign.server.sealing;

import dev.countersign.server.decisionlog.Checkpoint;
import dev.countersign.server.signing.Tokens;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The row of signed checkpoints in PostgreSQL. One server at a time adds to it, each in one transaction. Every new one is
 * also a line of the server's log, so that whoever ships that keeps it where the database's owner cannot reach.
 */
public final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    /** So many ends fit into one. */
    private static final int MOST_ENDS = 40;

    /** A new checkpoint names these: what has grown since one named it. */
    private static final String GROWN = """
            select segment, shipped_seq as seq, last_hash as hash from log_segments s
            where not exists (select from checkpoint_ends e where e.segment = s.segment and e.seq = s.shipped_seq)
            order by segment limit $1""";

    private static final String SEALED = """
            select segment, seq, hash, exists (
              select from checkpoint_ends e where e.segment = s.segment and e.seq = s.seq) as named
            from sealed_events s order by seq desc limit 1""";

    private final Pool pool;
    private final Tokens tokens;
    private final String issuer;
    private final InstantSource clock;

    /**
     * A checkpoint as it is kept.
     *
     * @param number its place in the row
     * @param at when it was made
     * @param jws it, serialized
     */
    public record Kept(long number, Instant at, String jws) {}

    /** The ends that are new, of all segments but at most {@link #MOST_ENDS}. */
    private record Ends(List<Checkpoint.End> grown, Checkpoint.@Nullable End approvals, boolean approvalsNamed) {
        boolean nothingNew() {
            return grown.isEmpty() && (approvals == null || approvalsNamed);
        }

        List<Checkpoint.End> unnamed() {
            var all = new ArrayList<>(grown);
            if (approvals != null && !approvalsNamed) {
                all.add(approvals);
            }
            return all;
        }
    }

    Checkpoints(Pool pool, Tokens tokens, String issuer, InstantSource clock) {
        this.pool = pool;
        this.tokens = tokens;
        this.issuer = issuer;
        this.clock = clock;
    }

    /**
     * The next checkpoints.
     *
     * @param after only those after the one of this number; 0 for all
     * @param limit at most so many
     */
    public Future<List<Kept>> page(long after, int limit) {
        return pool.preparedQuery("select number, at, jws from checkpoints where number > $1 order by number limit $2")
                .execute(Tuple.of(after, limit))
                .map(rows -> {
                    var page = new ArrayList<Kept>(rows.size());
                    rows.forEach(row -> page.add(kept(row)));
                    return page;
                });
    }

    /**
     * Makes checkpoints of all that is new, unless the newest is younger than {@code interval}.
     *
     * @return how many it has made
     */
    Future<Integer> make(Duration interval) {
        return one(interval).compose(made -> {
            if (made == null) {
                return Future.succeededFuture(0);
            }
            LOG.info("checkpoint {} {}", made.number(), made.jws());
            return make(Duration.ZERO).map(more -> more + 1);
        });
    }

    private Future<@Nullable Kept> one(Duration interval) {
        return pool.withTransaction(connection -> connection
                        .query(Sealer.STATEMENT_LIMIT)
                        .execute()
                        .compose(limited -> connection
                                .query("select pg_advisory_xact_lock(" + Sealer.LOCK + ")")
                                .execute())
                        .compose(locked -> connection
                                .query("select number, at, jws from checkpoints order by number desc limit 1")
                                .execute())
                        .compose(rows -> {
                            Kept last = rows.size() == 0
                                    ? null
                                    : kept(rows.iterator().next());
                            return last != null
                                            && clock.instant()
                                                    .isBefore(last.at().plus(interval))
                                    ? Future.succeededFuture(null)
                                    : ends(connection).compose(ends -> after(connection, last, ends));
                        }))
                .timeout(Sealer.LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private static Future<Ends> ends(SqlConnection connection) {
        return connection
                .preparedQuery(GROWN)
                .execute(Tuple.of(MOST_ENDS))
                .compose(grown -> connection.query(SEALED).execute().map(chained -> {
                    var ends = new ArrayList<Checkpoint.End>(grown.size());
                    grown.forEach(row -> ends.add(end(row)));
                    Row approvals =
                            chained.size() == 0 ? null : chained.iterator().next();
                    return new Ends(
                            ends,
                            approvals == null ? null : end(approvals),
                            approvals != null && approvals.getBoolean("named"));
                }));
    }

    private Future<@Nullable Kept> after(SqlConnection connection, @Nullable Kept last, Ends ends) {
        if (ends.nothingNew()) {
            return Future.succeededFuture(null);
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        var checkpoint = new Checkpoint(
                last == null ? 1 : last.number() + 1,
                issuer,
                now,
                last == null ? null : Checkpoint.digest(last.jws()),
                ends.grown(),
                ends.approvals());
        Tokens.Lasting signed = tokens.signLasting(Checkpoint.TYPE, checkpoint.claims());
        long number = checkpoint.number();
        List<Tuple> named = ends.unnamed().stream()
                .map(end -> Tuple.of(end.segment(), end.seq(), number))
                .toList();
        return connection
                .preparedQuery("insert into checkpoint_keys (kid, jwk) values ($1, $2) on conflict do nothing")
                .execute(Tuple.of(signed.kid(), signed.jwk()))
                .compose(keyed -> connection
                        .preparedQuery("insert into checkpoints (number, at, kid, jws) values ($1, $2, $3, $4)")
                        .execute(Tuple.of(number, now.atOffset(ZoneOffset.UTC), signed.kid(), signed.compact())))
                .compose(inserted -> connection
                        .preparedQuery("insert into checkpoint_ends (segment, seq, number) values ($1, $2, $3)")
                        .executeBatch(named))
                .map(done -> new Kept(number, now, signed.compact()));
    }

    private static Checkpoint.End end(Row row) {
        return new Checkpoint.End(
                row.getUUID("segment"),
                row.getLong("seq"),
                HexFormat.of().formatHex(row.getBuffer("hash").getBytes()));
    }

    private static Kept kept(Row row) {
        return new Kept(row.getLong("number"), row.getOffsetDateTime("at").toInstant(), row.getString("jws"));
    }
}
