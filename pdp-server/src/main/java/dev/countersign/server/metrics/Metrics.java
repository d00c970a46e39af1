package dev.countersign.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The meters of {@link Metric}, and those of the JVM. All methods may be called from any thread. */
public final class Metrics implements AutoCloseable {
    private static final Duration[] BUCKETS = {
        Duration.ofNanos(100_000),
        Duration.ofNanos(250_000),
        Duration.ofNanos(500_000),
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(25),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5)
    };

    private record Key(Metric metric, List<String> labels) {}

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<Key, Counter> counters = new ConcurrentHashMap<>();
    private final Map<Key, Timer> timers = new ConcurrentHashMap<>();
    private final Map<Key, FunctionCounter> timed = new ConcurrentHashMap<>();
    private final Map<Metric, MultiGauge> gauges = new ConcurrentHashMap<>();
    private final JvmGcMetrics gc = new JvmGcMetrics();

    /** Meters, all at zero. */
    public Metrics() {
        new ClassLoaderMetrics().bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        gc.bindTo(registry);
        for (Metric metric : Metric.values()) {
            if (metric.kind() == Metric.Kind.COUNTER && metric.labels().isEmpty()) {
                counter(metric);
            }
        }
    }

    /** The counter of a metric with these label values. */
    public Counter counter(Metric metric, String... labels) {
        return counters.computeIfAbsent(
                new Key(metric, List.of(labels)),
                key -> Counter.builder(metric.id())
                        .description(metric.help())
                        .tags(tags(metric, key.labels()))
                        .register(registry));
    }

    /** Makes a counter of what {@code timer}, one of {@link #timer}, has timed; timing gets no dearer by it. */
    public void counter(Metric metric, Timer timer, String... labels) {
        timed.computeIfAbsent(
                new Key(metric, List.of(labels)),
                key -> FunctionCounter.builder(metric.id(), timer, Timer::count)
                        .description(metric.help())
                        .tags(tags(metric, key.labels()))
                        .register(registry));
    }

    /** The timer of a metric with these label values. */
    public Timer timer(Metric metric, String... labels) {
        return timers.computeIfAbsent(
                new Key(metric, List.of(labels)),
                key -> Timer.builder(metric.id())
                        .description(metric.help())
                        .serviceLevelObjectives(BUCKETS)
                        .tags(tags(metric, key.labels()))
                        .register(registry));
    }

    /** Makes a gauge that asks {@code value} whenever it is read. */
    public void gauge(Metric metric, Supplier<Number> value, String... labels) {
        Gauge.builder(metric.id(), value)
                .description(metric.help())
                .tags(tags(metric, List.of(labels)))
                .register(registry);
    }

    /** Makes the gauges of a metric these, by label values, and those that it had before no more. */
    public synchronized void gauges(Metric metric, Map<List<String>, Integer> values) {
        gauges.computeIfAbsent(
                        metric,
                        first -> MultiGauge.builder(metric.id())
                                .description(metric.help())
                                .register(registry))
                .register(
                        values.entrySet().stream()
                                .map(each -> MultiGauge.Row.of(Tags.of(tags(metric, each.getKey())), each.getValue()))
                                .toList(),
                        true);
    }

    private static List<Tag> tags(Metric metric, List<String> values) {
        if (values.size() != metric.labels().size()) {
            throw new IllegalArgumentException(metric + " has the labels " + metric.labels());
        }
        var tags = new ArrayList<Tag>();
        for (int i = 0; i < values.size(); i++) {
            tags.add(Tag.of(metric.labels().get(i), values.get(i)));
        }
        return tags;
    }

    /** Everything, as Prometheus reads it (text format 0.0.4); never while {@link #gauges} are being changed. */
    public synchronized String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
