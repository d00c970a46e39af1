package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.verdict.Verdict;
import java.time.Instant;

/**
 * One way in which verdicts differ, with an example of it.
 *
 * @param kind what differs
 * @param widens whether something is allowed, or needs less approval, or carries less obligations than before
 * @param before the verdict before, on the example: its outcome, reasons, settling rule, approvals and obligations
 *     are those of all requests counted here; what else it holds is the example's own
 * @param after the verdict after, likewise
 * @param example a body of an AuthZEN evaluation request that is judged so
 * @param now when the example is asked
 * @param requests how many boundary requests differ so
 */
public record Change(
        Kind kind, boolean widens, Verdict before, Verdict after, JsonNode example, Instant now, int requests) {
    /** What differs, the gravest first. */
    public enum Kind implements Worded {
        /** The outcome. */
        OUTCOME,
        /** Both ask for approval, but not for the same. */
        APPROVALS,
        /** Both allow, but with other obligations, limits or modes. */
        OBLIGATIONS,
        /** Only the reasons or the rule that settles it. */
        REASON
    }

    Change andOneMore() {
        return new Change(kind, widens, before, after, example, now, requests + 1);
    }
}
