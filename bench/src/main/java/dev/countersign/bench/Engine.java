package dev.countersign.bench;

import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decisions in process, by one thread: from a parsed call to a verdict. */
final class Engine {
    /** How many different requests take turns; a power of two. */
    static final int CALLS = 1_024;

    private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");

    private final RuleBase base;
    private final Values values;
    private final Evaluator evaluator;
    private final List<Call> calls;
    private final @Nullable RowTable policies;
    private final String[] tenants = new String[CALLS];
    private int next;

    /** The 31 rules and {@code tenantRules} more. */
    Engine(int tenantRules, Map<String, Map<String, String>> texts) {
        base = RuleBase.of(BenchPack.read(texts));
        values = base.values(Map.of(), Map.of());
        evaluator = base.evaluator();
        calls = Workload.calls(CALLS);
        policies = null;
        int known = Math.max(1, tenantRules / BenchPack.PER_TENANT);
        for (int i = 0; i < CALLS; i++) {
            tenants[i] = "t" + (i * 7_919L) % known;
        }
    }

    /** The 31 rules, and policies of the one tenant as data. */
    private Engine(List<PolicyRow> rows, List<String> actions) {
        base = RuleBase.of(BenchPack.read(BenchPack.texts(0)));
        values = base.values(Map.of(), Map.of());
        evaluator = base.evaluator();
        calls = Workload.calls(CALLS, actions);
        policies = RowTable.of(base, RowVocabulary.of(base.packs(), Map.of()), BenchRows.TENANT, rows, Set.of());
        Arrays.fill(tenants, BenchRows.TENANT);
        if (!policies.unfit().isEmpty()) {
            throw new IllegalStateException("the measured policies have mistakes: " + policies.unfit());
        }
    }

    /** The 31 rules, and so many policies as data over so many actions; the requests name all of these. */
    static Engine withRows(int rows, int actions) {
        return new Engine(BenchRows.of(rows, actions), BenchRows.actions(actions));
    }

    static Engine of(int tenantRules) {
        return new Engine(tenantRules, BenchPack.texts(tenantRules));
    }

    int rules() {
        return base.rules().size() + (policies == null ? 0 : policies.rows());
    }

    /** Decides the next request. */
    Verdict decide() {
        int i = next++ & CALLS - 1;
        var evaluation = evaluator.evaluate(new Request(tenants[i], calls.get(i), NOW, values));
        if (policies != null) {
            policies.judge(evaluation);
        }
        return DenyOverrides.combine(evaluation);
    }
}
