package dev.countersign.server.live;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.pubsub.PgSubscriber;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps {@link Live} values fresh. A look asks the database how often each kind was changed, and reads those again of which
 * that is news. It looks when PostgreSQL notifies of a change, and at an interval in any case; one look at a time, and a
 * change during a look causes one more.
 */
public final class LiveFeed {
    private static final Logger LOG = LoggerFactory.getLogger(LiveFeed.class);
    private static final String CHANNEL = "countersign";
    private static final long LIMIT_SECONDS = 5;

    private final Pool pool;
    private final InstantSource clock;
    private final Duration interval;
    private final List<Live<?>> values = new CopyOnWriteArrayList<>();
    private final Map<String, Consumer<String>> others = new ConcurrentHashMap<>();
    private @Nullable PgSubscriber subscriber;
    private @Nullable Promise<Void> running;
    private @Nullable Promise<Void> next;
    private volatile boolean away;

    /**
     * A feed of no values, which does nothing yet.
     *
     * @param interval how long it waits between looks that nothing calls for, and before it listens again when that
     *     connection is lost
     */
    public LiveFeed(Pool pool, InstantSource clock, Duration interval) {
        this.pool = pool;
        this.clock = clock;
        this.interval = interval;
    }

    /** A value that this feed keeps fresh once it is started; see {@link Live}. */
    public <T> Live<T> live(String kind, T initial, Function<T, Future<T>> load) {
        var value = new Live<>(kind, initial, load);
        values.add(value);
        return value;
    }

    /**
     * Has {@code heard} called with whatever is notified on another channel once this is started. What is notified while the
     * connection is lost is never heard.
     */
    public void listen(String channel, Consumer<String> heard) {
        others.put(channel, heard);
    }

    /** The values that it keeps fresh. */
    public List<Live<?>> values() {
        return Collections.unmodifiableList(values);
    }

    /** Whether a value was last confirmed longer ago than {@code most}, so that nothing may be decided. */
    public boolean stale(Duration most) {
        return confirmed().isBefore(clock.instant().minus(most));
    }

    /** When all values together were last known to be what the database holds. */
    public Instant confirmed() {
        Instant oldest = Instant.MAX;
        for (Live<?> value : values) {
            oldest = value.confirmed().isBefore(oldest) ? value.confirmed() : oldest;
        }
        return oldest;
    }

    /**
     * Reads all values, and then keeps looking until {@code vertx} is closed. Notifications that do not come because
     * their connection is lost only make changes known later, at the next look of the interval.
     *
     * @param database where notifications come from
     * @return done when all are read; failed if they could not be, or if the database cannot be listened to
     */
    public Future<Void> start(Vertx vertx, PgConnectOptions database) {
        long millis = interval.toMillis();
        PgSubscriber listening = PgSubscriber.subscriber(vertx, database).reconnectPolicy(failures -> millis);
        subscriber = listening;
        listening.channel(CHANNEL).handler(kind -> look());
        others.forEach((channel, heard) -> listening.channel(channel).handler(heard::accept));
        return listening
                .connect()
                .compose(connected -> look())
                .onSuccess(read -> vertx.setPeriodic(millis, timer -> poll()));
    }

    /**
     * Looks, in a look that begins after this call.
     *
     * @return done when the values are at least as new as they were in the database at the time of this call; failed if
     *     that could not be found out
     */
    public Future<Void> look() {
        Promise<Void> mine;
        synchronized (this) {
            if (running != null) {
                next = next == null ? Promise.promise() : next;
                return next.future();
            }
            mine = Promise.promise();
            running = mine;
        }
        look(mine);
        return mine.future();
    }

    private void poll() {
        synchronized (this) {
            if (running != null) {
                return;
            }
        }
        look();
    }

    private void look(Promise<Void> mine) {
        // Whatever is thrown in it fails the look: otherwise it would run for ever, and no other begin.
        Future.succeededFuture()
                .compose(begun -> {
                    Instant at = clock.instant();
                    return revisions().compose(revisions -> confirm(revisions, at));
                })
                .onComplete(looked -> {
                    say(looked.cause());
                    Promise<Void> waiting;
                    synchronized (this) {
                        waiting = next;
                        running = waiting;
                        next = null;
                    }
                    if (waiting != null) {
                        look(waiting);
                    }
                    if (looked.succeeded()) {
                        mine.complete();
                    } else {
                        mine.fail(looked.cause());
                    }
                });
    }

    private Future<Map<String, Long>> revisions() {
        return pool.query("select kind, revision from revisions")
                .execute()
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .map(rows -> {
                    var revisions = new HashMap<String, Long>();
                    for (Row row : rows) {
                        revisions.put(row.getString("kind"), row.getLong("revision"));
                    }
                    return revisions;
                });
    }

    /** One that cannot be read keeps none of the others from being so. */
    private Future<Void> confirm(Map<String, Long> revisions, Instant at) {
        return Future.join(values.stream()
                        .map(value -> {
                            Long revision = revisions.get(value.kind());
                            return revision == null
                                    ? Future.failedFuture("the database has no revision of the " + value.kind())
                                    : value.confirm(revision, at, LIMIT_SECONDS);
                        })
                        .toList())
                .mapEmpty();
    }

    private void say(@Nullable Throwable failure) {
        boolean before = away;
        away = failure != null;
        if (failure != null && !before) {
            LOG.warn("the database does not answer; decisions go on with what is known: {}", failure.toString());
        } else if (failure == null && before) {
            LOG.info("the database answers again");
        }
    }

    /** Stops listening for notifications. */
    public Future<Void> close() {
        return subscriber == null ? Future.succeededFuture() : subscriber.close();
    }

    /** Whether the last look failed. */
    public boolean away() {
        return away;
    }
}
