package dev.countersign.server.metrics;

import dev.countersign.server.decisionlog.LogObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Turns what the decision log does into metrics. */
public final class LogMeters implements LogObserver {
    private final Metrics metrics;
    private final InstantSource clock;
    private final Timer write;
    private final Timer fsync;
    private final Counter entries;
    private final Counter shipped;
    private volatile Instant refused = Instant.MIN;

    /** Meters in {@code metrics}; {@code clock} tells when the log refused. */
    public LogMeters(Metrics metrics, InstantSource clock) {
        this.metrics = metrics;
        this.clock = clock;
        this.write = metrics.timer(Metric.LOG_WRITE_SECONDS);
        this.fsync = metrics.timer(Metric.LOG_FSYNC_SECONDS);
        this.entries = metrics.counter(Metric.LOG_ENTRIES);
        this.shipped = metrics.counter(Metric.LOG_SHIPPED);
        for (Failure failure : Failure.values()) {
            counter(failure);
        }
    }

    @Override
    public void written(int loop, int count, long bytes, long nanos) {
        entries.increment(count);
        write.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void forced(long nanos) {
        fsync.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void shipped(int rows, long nanos) {
        shipped.increment(rows);
    }

    @Override
    public void failed(Failure failure) {
        counter(failure).increment();
        if (failure == Failure.OPEN || failure == Failure.WRITE) {
            refused = clock.instant();
        }
    }

    /** Whether the log refused entries after {@code since}. */
    public boolean refusedSince(Instant since) {
        return refused.isAfter(since);
    }

    private Counter counter(Failure failure) {
        return metrics.counter(Metric.LOG_FAILURES, failure.name().toLowerCase(Locale.ROOT));
    }
}
