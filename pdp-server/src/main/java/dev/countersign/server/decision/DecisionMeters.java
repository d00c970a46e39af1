package dev.countersign.server.decision;

import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.metrics.Metrics;
import io.micrometer.core.instrument.Counter;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** Counts decisions, with its counters at hand: the hot path looks nothing up by several labels. */
final class DecisionMeters {
    private final Metrics metrics;
    private final Map<Outcome, Map<Dialect, Counter>> outcomes = new EnumMap<>(Outcome.class);
    private final Map<Outcome, Map<String, Counter>> reasons = new EnumMap<>(Outcome.class);
    private final Counter indeterminate;

    DecisionMeters(Metrics metrics) {
        this.metrics = metrics;
        this.indeterminate = metrics.counter(Metric.INDETERMINATE);
    }

    /** Reason codes come from rules, so there are no more series than the packs in force name. */
    void count(Decided decided) {
        Outcome outcome = decided.verdict().outcome();
        Dialect dialect = decided.dialect();
        String reason = decided.verdict().reasons().get(0);
        outcomes.computeIfAbsent(outcome, known -> new EnumMap<>(Dialect.class))
                .computeIfAbsent(dialect, known -> metrics.counter(Metric.DECISIONS, outcome.word(), dialect.word()))
                .increment();
        reasons.computeIfAbsent(outcome, known -> new HashMap<>())
                .computeIfAbsent(reason, code -> metrics.counter(Metric.REASONS, outcome.word(), code))
                .increment();
        if (reason.equals(Verdict.MISSING_ATTRIBUTE)) {
            indeterminate.increment();
        }
    }
}
