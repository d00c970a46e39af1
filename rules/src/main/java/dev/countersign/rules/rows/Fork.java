package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Request;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where the tests of rows part: on to each tree whose test a request does not make false. Tests of one field against
 * texts, or against numbers, are looked up together, however many they are. Immutable.
 */
sealed interface Fork {
    /** Goes on to the trees that may apply, where all tests on the way here came to {@code truth}. */
    void follow(Evaluation evaluation, Request request, boolean withDefaults, int truth);

    /** All trees behind it. */
    Collection<TestTree> trees();

    /** What tests have in common that are looked up together; of one field and one operator. */
    record Kind(Attribute attribute, Expr.Comparison op) {
        /** The kind of a test, or {@code null} for a test that is asked by itself. */
        static @Nullable Kind of(Expr test) {
            return test instanceof Expr.Compare compare
                            && compare.left() instanceof Operand.Field field
                            && compare.right() instanceof Operand.Literal literal
                            && (literal.value() instanceof String
                                    ? compare.op() == Expr.Comparison.EQ
                                    : literal.value() instanceof Double
                                            && !compare.op().equality())
                    ? new Kind(field.attribute(), compare.op())
                    : null;
        }

        boolean texts() {
            return op == Expr.Comparison.EQ;
        }
    }

    /** The forks that these tests make, of which each leads to its tree. */
    static List<Fork> of(Map<Expr, TestTree> trees, Conditions conditions) {
        var forks = new ArrayList<Fork>();
        var together = new LinkedHashMap<Kind, Map<Expr, TestTree>>();
        trees.forEach((test, tree) -> {
            Kind kind = Kind.of(test);
            if (kind == null) {
                forks.add(new Asked(conditions.of(test), tree));
            } else {
                together.computeIfAbsent(kind, first -> new LinkedHashMap<>()).put(test, tree);
            }
        });
        together.forEach((kind, group) -> forks.add(of(kind, group, conditions)));
        return forks;
    }

    private static Fork of(Kind kind, Map<Expr, TestTree> group, Conditions conditions) {
        Entry<Expr, TestTree> first = group.entrySet().iterator().next();
        if (group.size() == 1) {
            return new Asked(conditions.of(first.getKey()), first.getValue());
        }
        Conditions.Reading field = conditions.reading(kind.attribute());
        return kind.texts() ? Texts.of(field, group) : new Numbers(field, kind.op(), group);
    }

    private static Object literal(Expr test) {
        return ((Operand.Literal) ((Expr.Compare) test).right()).value();
    }

    /** A test that is asked by itself. */
    record Asked(Condition test, TestTree tree) implements Fork {
        @Override
        public void follow(Evaluation evaluation, Request request, boolean withDefaults, int truth) {
            int further = Math.min(truth, test.test(request));
            if (further != Condition.FALSE) {
                tree.found(evaluation, request, withDefaults, further);
            }
        }

        @Override
        public Collection<TestTree> trees() {
            return List.of(tree);
        }
    }

    /** Equalities of one field with different texts: one of them holds at most. */
    record Texts(Conditions.Reading field, Map<String, TestTree> byText) implements Fork {
        static Texts of(Conditions.Reading field, Map<Expr, TestTree> group) {
            return new Texts(
                    field,
                    group.entrySet().stream()
                            .collect(Collectors.toUnmodifiableMap(
                                    each -> (String) literal(each.getKey()), Entry::getValue)));
        }

        @Override
        public void follow(Evaluation evaluation, Request request, boolean withDefaults, int truth) {
            if (field.of(request) instanceof String text) {
                TestTree tree = byText.get(text);
                if (tree != null) {
                    tree.found(evaluation, request, withDefaults, truth);
                }
            } else {
                unknown(trees(), evaluation, request, withDefaults);
            }
        }

        @Override
        public Collection<TestTree> trees() {
            return byText.values();
        }
    }

    /** Comparisons of one field with different numbers, the smallest first: those that hold stand together at one end. */
    final class Numbers implements Fork {
        private final Conditions.Reading field;
        private final Expr.Comparison op;
        private final double[] numbers;
        private final List<TestTree> trees;

        Numbers(Conditions.Reading field, Expr.Comparison op, Map<Expr, TestTree> group) {
            List<Entry<Expr, TestTree>> ascending = group.entrySet().stream()
                    .sorted(Comparator.comparingDouble(each -> number(each.getKey())))
                    .toList();
            this.field = field;
            this.op = op;
            this.numbers = ascending.stream()
                    .mapToDouble(each -> number(each.getKey()))
                    .toArray();
            this.trees = ascending.stream().map(Entry::getValue).toList();
        }

        private static double number(Expr test) {
            return (Double) literal(test) + 0.0; // minus zero is zero
        }

        @Override
        public void follow(Evaluation evaluation, Request request, boolean withDefaults, int truth) {
            if (!(field.of(request) instanceof Double value)) {
                unknown(trees, evaluation, request, withDefaults);
                return;
            }
            boolean fromBelow = op == Expr.Comparison.GT || op == Expr.Comparison.GE;
            int end = count(value + 0.0, op == Expr.Comparison.GE || op == Expr.Comparison.LT);
            int last = fromBelow ? end : numbers.length;
            for (int i = fromBelow ? 0 : end; i < last; i++) {
                trees.get(i).found(evaluation, request, withDefaults, truth);
            }
        }

        /** How many numbers are below a value, with those that are equal to it if asked for. */
        private int count(double value, boolean withEqual) {
            int low = 0;
            int high = numbers.length;
            while (low < high) {
                int middle = low + high >>> 1;
                int sign = Double.compare(numbers[middle], value);
                if (sign < 0 || withEqual && sign == 0) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }

        @Override
        public Collection<TestTree> trees() {
            return trees;
        }
    }

    private static void unknown(
            Collection<TestTree> trees, Evaluation evaluation, Request request, boolean withDefaults) {
        for (TestTree tree : trees) {
            tree.found(evaluation, request, withDefaults, Condition.UNKNOWN);
        }
    }
}
