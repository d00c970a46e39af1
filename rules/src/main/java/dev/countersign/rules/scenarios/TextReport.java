package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.explain.RuleExplanation;
import dev.countersign.rules.explain.TestExplanation;
import dev.countersign.rules.explain.Truth;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A result for people: what failed and why, then what the cases leave open. */
final class TextReport {
    private final StringBuilder out = new StringBuilder();

    private TextReport() {}

    static String of(PackTestResult result) {
        var report = new TextReport();
        result.diagnostics().forEach(diagnostic -> report.line(0, diagnostic.toString()));
        result.reports().forEach(report::pack);
        report.line(
                0,
                switch (result.exitCode()) {
                    case 0 -> "passed";
                    case 1 ->
                        result.reports().isEmpty()
                                ? "nothing was tested"
                                : "a pack has mistakes and was not tested (see above)";
                    case 2 ->
                        result.reports().stream().anyMatch(one -> !one.failed().isEmpty())
                                ? "a case failed"
                                : "an invariant does not hold";
                    default -> "all cases passed, but a pack missed the bar that its pack.yaml sets under `tests:`";
                });
        return report.out.toString();
    }

    private void pack(TestReport report) {
        int all = report.results().size();
        int failed = report.failed().size();
        line(
                0,
                "pack " + report.pack().name() + " " + report.pack().version() + ": "
                        + (all == 0 ? "no cases" : (all - failed) + " of " + all + " cases passed"));
        report.failed().forEach(this::failed);
        if (!report.invariants().isEmpty()) {
            int broken = report.broken().size();
            line(
                    1,
                    (report.invariants().size() - broken) + " of "
                            + report.invariants().size() + " invariants hold");
            report.invariants().forEach(this::invariant);
        }
        if (report.untested()) {
            line(1, "the pack has no case, and pack.yaml sets a bar: write scenarios/*.yaml");
        }
        coverage(report.coverage());
        mutants(report);
        out.append('\n');
    }

    private void failed(CaseResult result) {
        Scenario scenario = result.scenario();
        line(1, "FAILED " + scenario.suite() + ": " + scenario.name());
        line(2, scenario.file() + ":" + scenario.line());
        result.failures().forEach(failure -> line(2, failure.line()));
        List<Rule> matched = result.verdict().matched();
        line(
                2,
                "matched: "
                        + (matched.isEmpty()
                                ? "no rule"
                                : matched.stream().map(Rule::name).collect(Collectors.joining(", "))));
        if (result.verdict().missing() != null && result.verdict().settledBy() != null) {
            line(
                    2,
                    "`" + result.verdict().missing() + "` is missing or unusable, and "
                            + result.verdict().settledBy().name() + " needs it");
        }
        result.whyNot().forEach(this::whyNot);
    }

    private void whyNot(RuleExplanation rule) {
        line(
                2,
                "why not " + place(rule.rule()) + ", " + rule.away()
                        + (rule.away() == 1 ? " condition away" : " conditions away")
                        + (rule.result() == Truth.UNKNOWN ? ", cannot be known:" : ":"));
        rule.tests().stream().filter(TestExplanation::against).forEach(test -> line(3, test.line()));
    }

    private void coverage(Coverage coverage) {
        share("rules matched in some case", coverage.rulesMatched());
        rules("never matched", coverage, rule -> !rule.matched());
        share("conditions seen true and false", coverage.conditionsSeen());
        tests("never true", coverage, test -> !test.seenTrue() && test.seenFalse());
        tests("never false", coverage, test -> test.seenTrue() && !test.seenFalse());
        tests("never true, never false", coverage, test -> !test.seenTrue() && !test.seenFalse());
        share("rules that deny or ask, needed by some case", coverage.rulesNeeded());
        rules("no case would fail without", coverage, rule -> rule.need() == Coverage.Need.NOT_NEEDED);
    }

    private void invariant(InvariantResult result) {
        Invariant invariant = result.invariant();
        if (!result.passed()) {
            line(1, "BROKEN " + invariant.suite() + ": " + invariant.name());
            line(2, invariant.file() + ":" + invariant.line());
            line(2, result.problem());
        } else if (result.whyNotExact() != null) {
            line(
                    2,
                    invariant.suite() + ": " + invariant.name() + ": held in " + result.tried()
                            + " requests, not proven: " + result.whyNotExact());
        }
    }

    private void mutants(TestReport report) {
        Mutants mutants = report.mutants();
        share("small mistakes in conditions, noticed by some case", report.noticed());
        if (mutants.equivalent() > 0) {
            line(2, mutants.equivalent() + " others change no verdict");
        }
        for (Mutants.Survivor survivor : mutants.survivors()) {
            line(2, "no case would notice: " + survivor.how() + "  in " + place(survivor.rule()) + "; this one would:");
            survivor.scenario().lines().forEach(line -> line(3, line));
        }
    }

    private void share(String what, Coverage.Share share) {
        line(
                1,
                what + ": " + share.reached() + " of " + share.of() + " (" + share.percent() + " %, bar " + share.bar()
                        + " %)" + (share.met() ? "" : " BELOW THE BAR"));
    }

    private void rules(String what, Coverage coverage, Predicate<Coverage.OfRule> which) {
        coverage.rules().stream().filter(which).forEach(rule -> line(2, what + ": " + place(rule.rule())));
    }

    private void tests(String what, Coverage coverage, Predicate<Coverage.OfTest> which) {
        coverage.rules()
                .forEach(rule -> rule.tests().stream()
                        .filter(which)
                        .forEach(test -> line(2, what + ": " + test.text() + "  in " + place(rule.rule()))));
    }

    private static String place(Rule rule) {
        return rule.name() + " (" + rule.file() + ":" + rule.line() + ")";
    }

    private void line(int depth, String text) {
        out.append("  ".repeat(depth)).append(text).append('\n');
    }
}
