package dev.countersign.rules.scenarios;

import dev.countersign.rules.pack.Pack;
import java.util.List;

/**
 * What testing one pack came to.
 *
 * @param pack the pack
 * @param results what came of each case, in the order of files and lines
 * @param coverage what the cases exercise of the rules
 */
public record TestReport(Pack pack, List<CaseResult> results, Coverage coverage) {
    /** The cases that failed. */
    public List<CaseResult> failed() {
        return results.stream().filter(result -> !result.passed()).toList();
    }

    /** Whether the pack asks for coverage and has no case at all. */
    public boolean untested() {
        Pack.Bar bar = pack.bar();
        return results.isEmpty() && (bar.rules() > 0 || bar.conditions() > 0 || bar.needed() > 0);
    }

    /** 0 if all is well, 2 if a case failed, 3 if none did but the bar was missed. */
    public int exitCode() {
        return !failed().isEmpty() ? 2 : untested() || !coverage.met() ? 3 : 0;
    }
}
