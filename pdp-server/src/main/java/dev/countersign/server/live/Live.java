package dev.countersign.server.live;

import io.vertx.core.Future;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A value that is read whole from PostgreSQL and held in memory, always of one moment: a reader has the old one or the new
 * one. A {@link LiveFeed} keeps it fresh. All methods may be called from any thread.
 *
 * @param <T> the value, immutable
 */
public final class Live<T> {
    private static final long NEVER_READ = -1;

    private final String kind;
    private final Function<T, Future<T>> load;
    private volatile T value;
    private volatile Instant confirmed = Instant.EPOCH;
    private volatile long revision = NEVER_READ;

    /**
     * A value that nothing has confirmed yet.
     *
     * @param kind its kind in the table {@code revisions}, which also is the word for it in messages
     * @param initial what it is until it is first read
     * @param load reads it anew, given what it was before
     */
    public Live(String kind, T initial, Function<T, Future<T>> load) {
        this.kind = kind;
        this.value = initial;
        this.load = load;
    }

    /** The value: one volatile read. */
    public T get() {
        return value;
    }

    /** The word for what it is. */
    public String kind() {
        return kind;
    }

    /** The last instant at which this was known to be what the database holds. */
    public Instant confirmed() {
        return confirmed;
    }

    /** Whether it was last confirmed longer ago than {@code most}, so that nothing may be decided by it. */
    public boolean stale(Duration most, Instant now) {
        return confirmed.isBefore(now.minus(most));
    }

    /**
     * Makes this what the database holds, of which it is known that {@code at} it had changed {@code current} times. What
     * is read is of that revision or a later one: then the next look reads once more, and nothing is missed.
     */
    Future<Void> confirm(long current, Instant at, long limitSeconds) {
        if (current == revision) {
            confirmed = at;
            return Future.succeededFuture();
        }
        // The limit comes first, so that an answer after it changes nothing.
        return Future.succeededFuture()
                .compose(begun -> load.apply(value))
                .timeout(limitSeconds, TimeUnit.SECONDS)
                .map(read -> {
                    value = read;
                    revision = current;
                    confirmed = at;
                    return null;
                });
    }
}
