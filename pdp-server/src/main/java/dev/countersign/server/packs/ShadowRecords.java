package dev.countersign.server.packs;

import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Shadow;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What shadows said beside what was answered: counts of each pair of outcomes, and the first decisions of each pair that
 * differs. They are kept in memory for a second at most and then added to the tables; what a server that is killed had in
 * memory is lost. While the database is away they are kept until it is back, as far as there is room; what the database
 * refuses, as a tenant that it does not know, is lost alone. Decisions that were lost are counted.
 */
public final class ShadowRecords {
    private static final Logger LOG = LoggerFactory.getLogger(ShadowRecords.class);
    private static final long EVERY_MILLIS = 500;
    private static final int MOST_EXAMPLES = 100;
    /** The most pairs of outcomes of all versions that are kept in memory, each with its examples. */
    static final int MOST_TALLIES = 2_000;
    /** The classes of SQL states by which PostgreSQL says that it would never take this: bad data, and broken constraints. */
    private static final Set<String> FOR_EVER = Set.of("22", "23");

    /** A version of a tenant's pack, what was answered, and what the version said. */
    private record Key(String tenant, String pack, long version, Outcome answered, Outcome said) {}

    /** A decision in which a shadow says something else. */
    public record Example(UUID decision, Instant at) {}

    /** How often a shadow said something of what was answered otherwise, or the same. */
    public record Pair(String answered, String said, long count, List<Example> examples) {}

    private static final class Tally {
        long count;
        final List<Example> examples = new ArrayList<>();

        void add(Tally other) {
            count += other.count;
            other.examples.forEach(this::keep);
        }

        void keep(Example example) {
            if (examples.size() < MOST_EXAMPLES) {
                examples.add(example);
            }
        }
    }

    private final Pool pool;
    private final Metrics metrics;
    private Map<Key, Tally> tallies = new HashMap<>();
    private volatile boolean away;

    /** Records in the database behind {@code pool}, written until {@code vertx} is closed. */
    public ShadowRecords(Pool pool, Vertx vertx, Metrics metrics) {
        this.pool = pool;
        this.metrics = metrics;
        for (Outcome answered : Outcome.values()) {
            for (Outcome said : Outcome.values()) {
                metrics.counter(Metric.SHADOW, answered.word(), said.word());
            }
        }
        write(vertx);
    }

    private void write(Vertx vertx) {
        vertx.setTimer(EVERY_MILLIS, timer -> write().onComplete(done -> write(vertx)));
    }

    /** Who records what a version of a tenant's pack says. */
    public Shadow.Observer of(String tenant, String pack, long version) {
        return new Shadow.Observer() {
            @Override
            public void compared(Decided decided, Verdict verdict) {
                Outcome answered = decided.verdict().outcome();
                Outcome said = verdict.outcome();
                metrics.counter(Metric.SHADOW, answered.word(), said.word()).increment();
                var tally = new Tally();
                tally.count = 1;
                if (answered != said) {
                    tally.keep(new Example(
                            UUID.fromString(decided.id()), decided.at().instant()));
                }
                add(Map.of(new Key(tenant, pack, version, answered, said), tally));
            }

            @Override
            public void dropped() {
                metrics.counter(Metric.SHADOW_DROPPED).increment();
            }
        };
    }

    private synchronized void add(Map<Key, Tally> more) {
        more.forEach((key, tally) -> {
            if (tallies.size() < MOST_TALLIES || tallies.containsKey(key)) {
                tallies.computeIfAbsent(key, first -> new Tally()).add(tally);
            } else {
                metrics.counter(Metric.SHADOW_DROPPED).increment((double) tally.count);
            }
        });
    }

    private synchronized Map<Key, Tally> take() {
        Map<Key, Tally> taken = tallies;
        tallies = new HashMap<>();
        return taken;
    }

    private Future<Void> write() {
        Map<Key, Tally> taken = take();
        return taken.isEmpty()
                ? Future.succeededFuture()
                : write(taken).recover(failure -> {
                    if (taken.size() > 1 && forEver(failure)) {
                        return eachOf(taken);
                    }
                    notWritten(taken, failure);
                    return Future.succeededFuture();
                });
    }

    private Future<Void> write(Map<Key, Tally> taken) {
        return Future.succeededFuture()
                .compose(begun -> pool.withTransaction(connection -> write(connection, taken)))
                .<Void>mapEmpty()
                .onSuccess(written -> say(null));
    }

    /** One that the database refuses keeps no other from being written. */
    private Future<Void> eachOf(Map<Key, Tally> taken) {
        Future<Void> done = Future.succeededFuture();
        for (Map.Entry<Key, Tally> entry : taken.entrySet()) {
            Map<Key, Tally> one = Map.of(entry.getKey(), entry.getValue());
            done = done.compose(before -> write(one)).recover(failure -> {
                notWritten(one, failure);
                return Future.succeededFuture();
            });
        }
        return done;
    }

    private void notWritten(Map<Key, Tally> taken, Throwable failure) {
        if (!forEver(failure)) {
            say(failure);
            add(taken);
            return;
        }
        taken.forEach((key, tally) -> {
            LOG.error(
                    "what version {} of the pack `{}` of the tenant `{}` said as a shadow cannot be stored and is lost: {}",
                    key.version(),
                    key.pack(),
                    key.tenant(),
                    failure.getMessage());
            metrics.counter(Metric.SHADOW_DROPPED).increment((double) tally.count);
        });
    }

    private static boolean forEver(Throwable failure) {
        return failure instanceof PgException refused
                && refused.getSqlState() != null
                && refused.getSqlState().length() == 5
                && FOR_EVER.contains(refused.getSqlState().substring(0, 2));
    }

    private void say(@Nullable Throwable failure) {
        boolean before = away;
        away = failure != null;
        if (failure != null && !before) {
            LOG.warn("what shadows said cannot be written, and is kept in memory until it can: {}", failure.toString());
        } else if (failure == null && before) {
            LOG.info("what shadows said is written again");
        }
    }

    private static Future<?> write(SqlConnection connection, Map<Key, Tally> taken) {
        var counts = new ArrayList<Tuple>();
        var examples = new ArrayList<Tuple>();
        taken.forEach((key, tally) -> {
            Object[] names = {
                key.tenant(),
                key.pack(),
                key.version(),
                key.answered().word(),
                key.said().word()
            };
            counts.add(Tuple.from(names).addLong(tally.count));
            tally.examples.forEach(example -> examples.add(Tuple.from(names)
                    .addUUID(example.decision())
                    .addOffsetDateTime(example.at().atOffset(ZoneOffset.UTC))
                    .addInteger(MOST_EXAMPLES)));
        });
        return connection
                .preparedQuery("insert into rule_packs_shadow as s (tenant, name, version, answered, said, count)"
                        + " values ($1, $2, $3, $4, $5, $6) on conflict (tenant, name, version, answered, said)"
                        + " do update set count = s.count + excluded.count")
                .executeBatch(counts)
                .compose(counted -> examples.isEmpty()
                        ? Future.succeededFuture()
                        : connection
                                .preparedQuery(
                                        "insert into rule_packs_shadow_examples (tenant, name, version, answered,"
                                                + " said, decision, at) select $1, $2, $3, $4, $5, $6, $7 where (select count(*)"
                                                + " from rule_packs_shadow_examples where tenant = $1 and name = $2"
                                                + " and version = $3 and answered = $4 and said = $5) < $8")
                                .executeBatch(examples));
    }

    /** What a version said, by what was answered. */
    public Future<List<Pair>> read(String tenant, String pack, long version) {
        Tuple which = Tuple.of(tenant, pack, version);
        return pool.preparedQuery("select s.answered, s.said, s.count, e.decision, e.at from rule_packs_shadow s"
                        + " left join rule_packs_shadow_examples e using (tenant, name, version, answered, said)"
                        + " where tenant = $1 and name = $2 and version = $3 order by answered, said, e.decision")
                .execute(which)
                .map(rows -> {
                    var pairs = new ArrayList<Pair>();
                    rows.forEach(row -> {
                        String answered = row.getString("answered");
                        String said = row.getString("said");
                        Pair last = pairs.isEmpty() ? null : pairs.get(pairs.size() - 1);
                        if (last == null
                                || !last.answered().equals(answered)
                                || !last.said().equals(said)) {
                            last = new Pair(answered, said, row.getLong("count"), new ArrayList<>());
                            pairs.add(last);
                        }
                        OffsetDateTime at = row.getOffsetDateTime("at");
                        if (at != null) {
                            last.examples().add(new Example(row.getUUID("decision"), at.toInstant()));
                        }
                    });
                    return pairs;
                });
    }
}
