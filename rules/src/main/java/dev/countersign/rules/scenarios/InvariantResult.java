package dev.countersign.rules.scenarios;

import dev.countersign.rules.boundary.Boundary;
import dev.countersign.rules.boundary.Frame;
import dev.countersign.rules.boundary.Judge;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What came of an invariant.
 *
 * @param invariant the invariant
 * @param example a request that breaks it, or {@code null}
 * @param tried how many boundary requests it was checked on
 * @param whyNotExact why another request might break it all the same, or {@code null} if none can
 */
public record InvariantResult(
        Invariant invariant,
        Boundary.@Nullable Found example,
        int tried,
        @Nullable String whyNotExact) {
    /** What a base of one pack makes of an invariant. */
    static InvariantResult of(RuleBase base, Pack pack, Invariant invariant) {
        var judge = Judge.of(base, base.values(Map.of(), invariant.settings()));
        var answer = new Boundary(judge, new Frame(invariant.tenant(), invariant.clock()))
                .find(pack.name(), invariant.when(), verdict -> invariant.broken(verdict.outcome()));
        return new InvariantResult(invariant, answer.found(), answer.tried(), answer.whyNotExact());
    }

    /** Whether there was a request to check, and none broke the invariant. */
    public boolean passed() {
        return example == null && tried > 0;
    }

    /** Why it did not pass, for people. */
    String problem() {
        return example == null
                ? "`when` holds in no boundary request, so nothing was checked"
                : "decision " + example.verdict().outcome().word() + " for " + example.body()
                        + (example.now().equals(invariant.clock()) ? "" : " at " + example.now());
    }
}
