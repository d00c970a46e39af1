package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Diagnostic;
import java.util.List;

/**
 * What testing some packs came to.
 *
 * @param reports one for each pack that could be tested
 * @param diagnostics the mistakes and warnings in packs and scenario files; a pack with mistakes is not tested
 */
public record PackTestResult(List<TestReport> reports, List<Diagnostic> diagnostics) {
    /** How a result is written. */
    public enum Format {
        /** For people. */
        TEXT,
        /** One JSON object. */
        JSON,
        /** JUnit XML, as CI servers read it. */
        JUNIT
    }

    /**
     * The exit code of a command: 1 if a pack or scenario file has mistakes or there was nothing to test, else 2 if a
     * case failed, else 3 if a pack missed its bar, else 0.
     */
    public int exitCode() {
        if (reports.isEmpty()
                || diagnostics.stream()
                        .anyMatch(diagnostic -> !diagnostic.code().warning())) {
            return 1;
        }
        List<Integer> codes = reports.stream().map(TestReport::exitCode).toList();
        return codes.contains(2) ? 2 : codes.contains(3) ? 3 : 0;
    }

    /** The result in a format; it ends with a line feed. */
    public String render(Format format) {
        return switch (format) {
            case TEXT -> TextReport.of(this);
            case JSON -> JsonReport.of(this).toPrettyString() + "\n";
            case JUNIT -> JunitReport.of(this);
        };
    }
}
