package dev.countersign.bench;

import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Decisions in process, by one thread: from a parsed call to a verdict. */
final class Engine {
    /** How many different requests take turns; a power of two. */
    static final int CALLS = 1_024;

    private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");

    private final RuleBase base;
    private final Values values;
    private final Evaluator evaluator;
    private final List<Call> calls = Workload.calls(CALLS);
    private final String[] tenants = new String[CALLS];
    private int next;

    /** The 31 rules and {@code tenantRules} more. */
    Engine(int tenantRules, Map<String, Map<String, String>> texts) {
        base = RuleBase.of(BenchPack.read(texts));
        values = base.values(Map.of(), Map.of());
        evaluator = base.evaluator();
        int known = Math.max(1, tenantRules / BenchPack.PER_TENANT);
        for (int i = 0; i < CALLS; i++) {
            tenants[i] = "t" + (i * 7_919L) % known;
        }
    }

    static Engine of(int tenantRules) {
        return new Engine(tenantRules, BenchPack.texts(tenantRules));
    }

    int rules() {
        return base.rules().size();
    }

    /** Decides the next request. */
    Verdict decide() {
        int i = next++ & CALLS - 1;
        return DenyOverrides.combine(evaluator.evaluate(new Request(tenants[i], calls.get(i), NOW, values)));
    }
}
