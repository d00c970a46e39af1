package dev.countersign.bench;

import dev.countersign.rules.verdict.Verdict;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Measures the engine in process: CPU per decision, and how it grows with the number of rules. */
final class EngineBench {
    private static final int BATCH = 50_000;
    private static final int TIMED = 200_000;
    private static final int ACTIONS = 1_000;
    private static final int WARM_UP_SECONDS = 5;

    private record Round(double cpuNanos, long p50, long p99) {}

    private record Series(Engine engine, List<Round> rounds) {
        double median(ToDoubleFunction<Round> of) {
            return Report.median(rounds.stream().mapToDouble(of).boxed().toList());
        }
    }

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final Report report;
    private long sum;

    EngineBench(Report report) {
        this.report = report;
    }

    /** Measures all sizes in turn within each round, so that ratios are those of one moment. */
    void run(int rounds) {
        report.title("Engine, in process, one thread");
        Series shared = series(0);
        Series hundred = series(100);
        Series thousand = series(1_000);
        Series tenThousand = series(10_000);
        List<Series> all = List.of(shared, hundred, thousand, tenThousand);
        report.line("hits per request: %.2f", hits(shared.engine()));
        all.forEach(series -> warmUp(series.engine()));
        for (int round = 0; round < rounds; round++) {
            all.forEach(series -> series.rounds().add(measure(series.engine())));
        }
        table(all);
        report.bar("engine: 100 -> 10,000 rules, ratio within a round", growth(hundred, tenThousand), 1.5, "x");
        report.bar("engine: CPU of a decision, 31 rules", shared.median(Round::cpuNanos) / 1e3, 2, "us");
        report.bar("engine: p99 of a decision, 31 rules", shared.median(Round::p99) / 1e3, 6, "us");
    }

    /** Measures policies as data, in turn within each round. */
    void policies(int rounds) {
        report.title("Policies as data beside 31 rules, in process, one thread");
        Series hundred = new Series(Engine.withRows(100, ACTIONS), new ArrayList<>());
        Series thousand = new Series(Engine.withRows(1_000, ACTIONS), new ArrayList<>());
        Series tenThousand = new Series(Engine.withRows(10_000, ACTIONS), new ArrayList<>());
        Series one = new Series(Engine.withRows(1_000, 1), new ArrayList<>());
        List<Series> all = List.of(hundred, thousand, tenThousand, one);
        all.forEach(series -> warmUp(series.engine()));
        for (int round = 0; round < rounds; round++) {
            all.forEach(series -> series.rounds().add(measure(series.engine())));
        }
        table(all);
        report.bar("policies: 100 -> 10,000 rows, ratio within a round", growth(hundred, tenThousand), 1.5, "x");
        report.bar(
                "policies: CPU of a decision, 1,000 rows on one action", one.median(Round::cpuNanos) / 1e3, 10, "us");
    }

    private void table(List<Series> all) {
        report.line("%8s %10s %8s %8s   (medians of rounds)", "rules", "cpu ns", "p50 ns", "p99 ns");
        all.forEach(series -> report.line(
                "%8d %10.0f %8.0f %8.0f",
                series.engine().rules(),
                series.median(Round::cpuNanos),
                series.median(Round::p50),
                series.median(Round::p99)));
    }

    private static double growth(Series few, Series many) {
        List<Double> growth = new ArrayList<>();
        for (int i = 0; i < few.rounds().size(); i++) {
            growth.add(many.rounds().get(i).cpuNanos() / few.rounds().get(i).cpuNanos());
        }
        return Report.median(growth);
    }

    private Series series(int tenantRules) {
        return new Series(build(tenantRules), new ArrayList<>());
    }

    private Engine build(int tenantRules) {
        var texts = BenchPack.texts(tenantRules);
        long began = System.nanoTime();
        var engine = new Engine(tenantRules, texts);
        sum += engine.decide().reasons().size();
        double millis = (System.nanoTime() - began) / 1e6;
        report.line("%6d rules from text to the first answer: %.0f ms", engine.rules(), millis);
        if (tenantRules == 1_000) {
            report.bar("engine: 1,031 rules from text to the first answer", millis / 1e3, 1, "s");
        }
        return engine;
    }

    private static double hits(Engine engine) {
        int hits = 0;
        for (int i = 0; i < Engine.CALLS; i++) {
            Verdict verdict = engine.decide();
            hits += verdict.matched().size();
        }
        return hits / (double) Engine.CALLS;
    }

    private void warmUp(Engine engine) {
        long end = System.nanoTime() + WARM_UP_SECONDS * 1_000_000_000L;
        while (System.nanoTime() < end) {
            sum += engine.decide().reasons().size();
        }
    }

    private Round measure(Engine engine) {
        var cpu = new ArrayList<Double>();
        for (int batch = 0; batch < 9; batch++) {
            long before = threads.getCurrentThreadCpuTime();
            for (int i = 0; i < BATCH; i++) {
                sum += engine.decide().reasons().size();
            }
            cpu.add((threads.getCurrentThreadCpuTime() - before) / (double) BATCH);
        }
        long[] nanos = new long[TIMED];
        for (int i = 0; i < TIMED; i++) {
            long before = System.nanoTime();
            sum += engine.decide().reasons().size();
            nanos[i] = System.nanoTime() - before;
        }
        Arrays.sort(nanos);
        return new Round(Report.median(cpu), nanos[TIMED / 2], nanos[TIMED / 100 * 99]);
    }

    /** Keeps the compiler from leaving out what nobody looks at. */
    long sum() {
        return sum;
    }
}
