package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.facts.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Rows in a tree of their tests: rows that begin with the same tests share the way, so that each of these is asked once for
 * all of them, and one that is false leaves them all out. Immutable.
 */
final class TestTree {
    /** A tree that still grows. */
    static final class Growing {
        private final Map<Expr, Growing> next = new LinkedHashMap<>();
        private final List<CompiledRule> rows = new ArrayList<>(1);
        private final List<CompiledRule> defaults = new ArrayList<>(0);

        /** Adds a row that applies where all tests hold. */
        void add(List<Expr> tests, CompiledRule row, boolean byDefault) {
            if (tests.isEmpty()) {
                (byDefault ? defaults : rows).add(row);
            } else {
                next.computeIfAbsent(tests.get(0), test -> new Growing())
                        .add(tests.subList(1, tests.size()), row, byDefault);
            }
        }

        TestTree grown(Conditions conditions) {
            var further = new LinkedHashMap<Expr, TestTree>();
            next.forEach((test, tree) -> further.put(test, tree.grown(conditions)));
            return new TestTree(this, Fork.of(further, conditions));
        }
    }

    private final CompiledRule[] rows;
    private final CompiledRule[] defaults;
    private final Fork[] next;

    private TestTree(Growing from, List<Fork> next) {
        this.rows = from.rows.toArray(CompiledRule[]::new);
        this.defaults = from.defaults.toArray(CompiledRule[]::new);
        this.next = next.toArray(Fork[]::new);
    }

    /** Adds what the rows say of the request, those of the default set only if asked for. */
    void judge(Evaluation evaluation, boolean withDefaults) {
        found(evaluation, evaluation.request(), withDefaults, Condition.TRUE);
    }

    /** All tests on the way here came to {@code truth}, which is not false. */
    void found(Evaluation evaluation, Request request, boolean withDefaults, int truth) {
        for (CompiledRule row : rows) {
            evaluation.judged(row, truth);
        }
        if (withDefaults) {
            for (CompiledRule row : defaults) {
                evaluation.judged(row, truth);
            }
        }
        for (Fork fork : next) {
            fork.follow(evaluation, request, withDefaults, truth);
        }
    }

    /** Visits all rows, those of the default set only if asked for. */
    void each(Consumer<CompiledRule> visitor, boolean withDefaults) {
        List.of(rows).forEach(visitor);
        if (withDefaults) {
            List.of(defaults).forEach(visitor);
        }
        for (Fork fork : next) {
            fork.trees().forEach(tree -> tree.each(visitor, withDefaults));
        }
    }
}
