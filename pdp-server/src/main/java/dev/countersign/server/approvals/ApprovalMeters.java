package dev.countersign.server.approvals;

import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** What operators see of access requests, of all tenants together. */
public final class ApprovalMeters {
    private final Metrics metrics;
    private final InstantSource clock;
    private volatile ApprovalStats.Waiting waiting = new ApprovalStats.Waiting(0, null);

    /** Those among {@code metrics}, all at zero. */
    public ApprovalMeters(Metrics metrics, InstantSource clock) {
        this.metrics = metrics;
        this.clock = clock;
        metrics.counter(Metric.APPROVALS_REQUESTED);
        for (Status status : Status.values()) {
            if (status != Status.PENDING) {
                metrics.counter(Metric.APPROVALS_ENDED, status.word());
            }
        }
        metrics.counter(Metric.APPROVALS_BREAK_GLASS);
        metrics.timer(Metric.APPROVAL_SECONDS, Status.APPROVED.word());
        metrics.timer(Metric.APPROVAL_SECONDS, Status.DENIED.word());
        metrics.gauge(Metric.APPROVALS_PENDING, () -> waiting.pending());
        metrics.gauge(Metric.APPROVALS_OLDEST_SECONDS, this::oldest);
    }

    private double oldest() {
        Instant since = waiting.oldest();
        return since == null ? 0 : Duration.between(since, clock.instant()).toMillis() / 1_000.0;
    }

    /** Looks again and again at what waits, until {@code vertx} is closed; where it cannot, what was seen stays. */
    void watch(Vertx vertx, ApprovalStats stats, Duration interval) {
        vertx.setPeriodic(interval.toMillis(), timer -> stats.waiting().onSuccess(seen -> waiting = seen));
    }

    void brokeGlass() {
        metrics.counter(Metric.APPROVALS_BREAK_GLASS).increment();
    }

    void requested() {
        metrics.counter(Metric.APPROVALS_REQUESTED).increment();
    }

    void ended(AccessRequest request, Status status, Instant at) {
        metrics.counter(Metric.APPROVALS_ENDED, status.word()).increment();
        if (status == Status.APPROVED || status == Status.DENIED) {
            metrics.timer(Metric.APPROVAL_SECONDS, status.word()).record(Duration.between(request.createdAt(), at));
        }
    }
}
