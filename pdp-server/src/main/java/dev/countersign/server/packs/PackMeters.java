package dev.countersign.server.packs;

import dev.countersign.rules.pack.Pack;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The meters of the packs that judge every tenant. */
public final class PackMeters {
    private static final String SERVED = "served";
    private static final String REFUSED = "refused";

    private final Metrics metrics;

    /** Those among {@code metrics}, all at zero. */
    public PackMeters(Metrics metrics) {
        this.metrics = metrics;
        metrics.counter(Metric.PACK_RELOADS, SERVED);
        metrics.counter(Metric.PACK_RELOADS, REFUSED);
    }

    /** Says which packs judge. */
    public void inForce(List<Pack> packs) {
        var rules = new LinkedHashMap<List<String>, Integer>();
        var versions = new LinkedHashMap<List<String>, Integer>();
        for (Pack pack : packs) {
            rules.put(List.of(pack.name()), pack.rules().size());
            versions.put(List.of(pack.name(), pack.version(), pack.digest()), 1);
        }
        metrics.gauges(Metric.RULES, rules);
        metrics.gauges(Metric.PACK, versions);
    }

    void served() {
        metrics.counter(Metric.PACK_RELOADS, SERVED).increment();
    }

    void refused() {
        metrics.counter(Metric.PACK_RELOADS, REFUSED).increment();
    }

    void refusing(BooleanSupplier now) {
        metrics.gauge(Metric.PACKS_REFUSED, () -> now.getAsBoolean() ? 1 : 0);
    }
}
