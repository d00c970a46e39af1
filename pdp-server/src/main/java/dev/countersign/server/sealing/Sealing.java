package dev.countersign.server.sealing;

import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.signing.Tokens;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Seals the approval events and makes checkpoints, all the time; any number of servers may. */
public final class Sealing {
    private static final Logger LOG = LoggerFactory.getLogger(Sealing.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final String STATE = """
            select count(*) as unsealed, min(time) as oldest,
              (select at from checkpoints order by number desc limit 1) as checkpoint
            from events
            where type like 'approval.%' and number > coalesce((select max(event) from sealed_events), 0)""";

    private final Pool pool;
    private final Sealer sealer;
    private final Checkpoints checkpoints;
    private final Duration interval;
    private final Metrics metrics;
    private final InstantSource clock;
    private boolean busy;
    private boolean away;
    private volatile State state = new State(0, null, null);

    private record State(
            long unsealed,
            @Nullable Instant oldest,
            @Nullable Instant checkpoint) {
        static State of(Row row) {
            return new State(row.getLong("unsealed"), instant(row, "oldest"), instant(row, "checkpoint"));
        }

        private static @Nullable Instant instant(Row row, String column) {
            OffsetDateTime time = row.getOffsetDateTime(column);
            return time == null ? null : time.toInstant();
        }
    }

    /**
     * Of the database behind {@code pool}.
     *
     * @param tokens signs
     * @param issuer who says so
     * @param ids draws the id of a chain
     * @param interval how long after a checkpoint the next is made, if there is something new
     */
    public Sealing(
            Pool pool,
            Tokens tokens,
            String issuer,
            Supplier<UUID> ids,
            Duration interval,
            Metrics metrics,
            InstantSource clock) {
        this.pool = pool;
        this.sealer = new Sealer(pool, ids, clock);
        this.checkpoints = new Checkpoints(pool, tokens, issuer, clock);
        this.interval = interval;
        this.metrics = metrics;
        this.clock = clock;
        metrics.counter(Metric.CHECKPOINTS_FAILED);
        metrics.gauge(Metric.EVENTS_UNSEALED, () -> state.unsealed);
        metrics.gauge(Metric.EVENTS_UNSEALED_SECONDS, () -> age(state.oldest));
        metrics.gauge(Metric.CHECKPOINT_AGE_SECONDS, () -> age(state.checkpoint));
    }

    private double age(@Nullable Instant since) {
        return since == null ? 0 : Duration.between(since, clock.instant()).toMillis() / 1_000.0;
    }

    /** The checkpoints. */
    public Checkpoints checkpoints() {
        return checkpoints;
    }

    /** Seals and makes checkpoints until {@code vertx} is closed. */
    public void start(Vertx vertx) {
        vertx.setPeriodic(TICK.toMillis(), timer -> {
            if (!busy) {
                busy = true;
                once(interval).onComplete(done -> {
                    busy = false;
                    if (done.failed()) {
                        metrics.counter(Metric.CHECKPOINTS_FAILED).increment();
                        if (!away) {
                            LOG.warn(
                                    "events could not be sealed, or no checkpoint made: {}",
                                    done.cause().toString());
                        }
                    }
                    away = done.failed();
                });
            }
        });
    }

    /** Seals what there is, and makes a last checkpoint of it. */
    public Future<?> finish() {
        return once(Duration.ZERO);
    }

    /**
     * Seals what there is, and makes a checkpoint unless the newest is younger than {@code least}.
     *
     * @return how many checkpoints it has made
     */
    Future<Integer> once(Duration least) {
        return sealer.seal().compose(count -> checkpoints.make(least)).compose(made -> look().map(made));
    }

    private Future<?> look() {
        return pool.query(STATE)
                .execute()
                .timeout(Sealer.LIMIT_SECONDS, TimeUnit.SECONDS)
                .map(rows -> state = State.of(rows.iterator().next()));
    }
}
