package dev.countersign.rules.scenarios;

import dev.countersign.rules.pack.Pack;
import java.util.List;

/**
 * What testing one pack came to.
 *
 * @param pack the pack
 * @param results what came of each case, in the order of files and lines
 * @param invariants what came of each invariant, likewise
 * @param coverage what the cases exercise of the rules
 * @param mutants what the cases notice of small mistakes in the rules
 */
public record TestReport(
        Pack pack, List<CaseResult> results, List<InvariantResult> invariants, Coverage coverage, Mutants mutants) {
    /** The cases that failed. */
    public List<CaseResult> failed() {
        return results.stream().filter(result -> !result.passed()).toList();
    }

    /** The invariants that some request breaks, or that nothing could be checked of. */
    public List<InvariantResult> broken() {
        return invariants.stream().filter(result -> !result.passed()).toList();
    }

    /** How much of what cases could notice they do. */
    public Coverage.Share noticed() {
        return mutants.noticed(pack.bar().mutants());
    }

    /** Whether the pack asks for coverage and has no case at all. */
    public boolean untested() {
        Pack.Bar bar = pack.bar();
        return results.isEmpty() && (bar.rules() > 0 || bar.conditions() > 0 || bar.needed() > 0 || bar.mutants() > 0);
    }

    /** 0 if all is well, 2 if a case or an invariant failed, 3 if none did but the bar was missed. */
    public int exitCode() {
        boolean met = !untested() && coverage.met() && noticed().met();
        return !failed().isEmpty() || !broken().isEmpty() ? 2 : met ? 0 : 3;
    }
}
