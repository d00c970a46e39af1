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
    private static final int MOST_REASONS = 200;
    private static final String OTHER = "other";

    private final Metrics metrics;
    private final Map<Outcome, Map<Dialect, Counter>> outcomes = new EnumMap<>(Outcome.class);
    private final Map<Outcome, Map<String, Counter>> reasons = new EnumMap<>(Outcome.class);
    private final Counter indeterminate;

    DecisionMeters(Metrics metrics) {
        this.metrics = metrics;
        this.indeterminate = metrics.counter(Metric.INDETERMINATE);
    }

    /** Reason codes come from rules, also from those of tenants: what comes after the first so many is counted together. */
    void count(Decided decided) {
        Outcome outcome = decided.verdict().outcome();
        Dialect dialect = decided.dialect();
        String first = decided.verdict().reasons().get(0);
        Map<String, Counter> known = reasons.computeIfAbsent(outcome, none -> new HashMap<>());
        String reason = known.containsKey(first) || known.size() < MOST_REASONS ? first : OTHER;
        outcomes.computeIfAbsent(outcome, none -> new EnumMap<>(Dialect.class))
                .computeIfAbsent(dialect, counter -> metrics.counter(Metric.DECISIONS, outcome.word(), dialect.word()))
                .increment();
        known.computeIfAbsent(reason, code -> metrics.counter(Metric.REASONS, outcome.word(), code))
                .increment();
        if (first.equals(Verdict.MISSING_ATTRIBUTE)) {
            indeterminate.increment();
        }
    }
}
