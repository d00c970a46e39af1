package dev.countersign.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was measured, held to the bars: printed at once, and once more as a summary with the misses first. */
final class Report {
    private final PrintStream out;
    private final List<String> met = new ArrayList<>();
    private final List<String> missed = new ArrayList<>();

    Report(PrintStream out) {
        this.out = out;
    }

    /** Prints one line. */
    void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }

    void title(String text) {
        out.println();
        out.println(text);
        out.println("-".repeat(text.length()));
    }

    /** Holds a value to the most that it may be. */
    void bar(String what, double value, double most, String unit) {
        String said = String.format(Locale.ROOT, "%-62s %8.2f %-3s (bar %.2f)", what, value, unit, most);
        (value <= most ? met : missed).add(said);
    }

    /** Holds something that either is so or is not. */
    void check(String what, boolean holds) {
        line("  %s %s", holds ? "ok    " : "FAILED", what);
        (holds ? met : missed).add(what);
    }

    /** Prints the first request of each load that was refused or broken, if one was. */
    void failure(Load... loads) {
        for (Load load : loads) {
            if (load.failure() != null) {
                line("         the first that failed: %s", load.failure());
            }
        }
    }

    /** Prints the summary and answers the exit code. */
    int end() {
        title("Summary: " + missed.size() + " missed, " + met.size() + " met");
        missed.forEach(each -> out.println("  MISSED " + each));
        met.forEach(each -> out.println("  met    " + each));
        return missed.isEmpty() ? Main.OK : Main.MISSED;
    }

    /** The middle one of some values. */
    static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(Double.NaN);
    }
}
