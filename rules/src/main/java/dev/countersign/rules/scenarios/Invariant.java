package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.verdict.Outcome;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What must hold for all requests, and is checked on boundary requests.
 *
 * @param suite the suite's name
 * @param name its name: the sentence that it says
 * @param file the file it stands in
 * @param line the line it starts on
 * @param tenant the tenant that asks
 * @param clock the instant of the decisions
 * @param settings the tenant's values of parameters and lists, by name
 * @param never whether the decision must never come, rather than always
 * @param when the conditions in which it must not, or must
 * @param decision the decision
 */
public record Invariant(
        String suite,
        String name,
        String file,
        int line,
        String tenant,
        Instant clock,
        Map<String, Object> settings,
        boolean never,
        List<Expr> when,
        Outcome decision) {
    /** Whether a request in which {@link #when} holds breaks it by this outcome. */
    boolean broken(Outcome outcome) {
        return (outcome == decision) == never;
    }
}
