package dev.countersign.rules.scenarios;

import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.explain.RuleExplanation;
import dev.countersign.rules.verdict.Verdict;
import java.util.List;

/**
 * What came of one case.
 *
 * @param scenario the case
 * @param verdict the engine's verdict
 * @param reference what the rules say by the reference interpreter
 * @param failures in what it failed; empty if it passed
 * @param whyNot of a failed case, the rules that should have matched and did not, the nearest first
 */
public record CaseResult(
        Scenario scenario,
        Verdict verdict,
        Evaluation reference,
        List<Failure> failures,
        List<RuleExplanation> whyNot) {
    /** Whether the case passed. */
    public boolean passed() {
        return failures.isEmpty();
    }
}
