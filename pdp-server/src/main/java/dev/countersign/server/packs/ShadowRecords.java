package dev.countersign.server.packs;

import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Shadow;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
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
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What shadows said beside what was answered: counts of each pair of outcomes, and the first decisions of each pair that
 * differs. They are kept in memory for a second at most and then added to the tables; what a server that is killed had in
 * memory is lost.
 */
public final class ShadowRecords {
    private static final Logger LOG = LoggerFactory.getLogger(ShadowRecords.class);
    private static final long EVERY_MILLIS = 500;
    private static final int MOST_EXAMPLES = 100;

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
        more.forEach((key, tally) ->
                tallies.computeIfAbsent(key, first -> new Tally()).add(tally));
    }

    private synchronized Map<Key, Tally> take() {
        Map<Key, Tally> taken = tallies;
        tallies = new HashMap<>();
        return taken;
    }

    private Future<?> write() {
        Map<Key, Tally> taken = take();
        return taken.isEmpty()
                ? Future.succeededFuture()
                : pool.withTransaction(connection -> write(connection, taken)).recover(failure -> {
                    LOG.debug("what shadows said is written later", failure);
                    add(taken);
                    return Future.succeededFuture();
                });
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
