package dev.countersign.rules.explain;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Tells why each rule of a base, or row of a table, applies to a request or does not. It asks the reference interpreter and costs much more
 * than a decision, so it is for people, on demand. Immutable, and shared by all threads.
 */
public final class Explainer {
    private static final Comparator<RuleExplanation> NEAREST_FIRST = Comparator.comparing(
                    RuleExplanation::result, Comparator.reverseOrder())
            .thenComparing(RuleExplanation::away);

    private final RuleBase base;
    private final List<Node> nodes;

    /** A condition and what it is made of. The closure is asked only of tests, which have no parts. */
    private record Node(Expr expr, Condition condition, List<Node> parts) {
        /** How many tests must change for this node to come out as wanted: all of the parts, or the nearest one. */
        int away(Request request, boolean wanted) {
            if (expr instanceof Expr.Test) {
                return condition.test(request) == (wanted ? Condition.TRUE : Condition.FALSE) ? 0 : 1;
            }
            if (expr instanceof Expr.Not) {
                return parts.get(0).away(request, !wanted);
            }
            var each = parts.stream().mapToInt(part -> part.away(request, wanted));
            return expr instanceof Expr.And == wanted ? each.sum() : each.min().orElse(0);
        }

        void tests(Request request, boolean wanted, boolean against, List<TestExplanation> out) {
            boolean counts = against && away(request, wanted) > 0;
            if (expr instanceof Expr.Test test) {
                Truth result = Truth.of(condition.test(request));
                out.add(new TestExplanation(Canonical.expr(test), result, wanted, counts, seen(test, request)));
            }
            boolean below = expr instanceof Expr.Not != wanted;
            parts.forEach(part -> part.tests(request, below, counts, out));
        }
    }

    /** An explainer of this base's rules. */
    public Explainer(RuleBase base) {
        this.base = base;
        var conditions = new Conditions(base.layout());
        this.nodes = base.rules().stream()
                .map(rule -> node(new Expr.And(rule.rule().conditions()), conditions))
                .toList();
    }

    private static Node node(Expr expr, Conditions conditions) {
        Condition condition = expr instanceof Expr.Test ? conditions.of(expr) : request -> Condition.UNKNOWN;
        return new Node(
                expr,
                condition,
                expr.parts().stream().map(part -> node(part, conditions)).toList());
    }

    /** The verdict that the base's rules alone give, with what each rule made of the request. */
    public Explanation explain(Request request) {
        return explain(request, List.of(), Fallback.DENY);
    }

    /**
     * The verdict that the base's rules and some tables of rows give together, with what each rule made of the request, and
     * each row whose action is the request's.
     *
     * @throws IllegalArgumentException if a table is another tenant's, or was made for another base
     */
    public Explanation explain(Request request, List<RowTable> tables, Fallback otherwise) {
        Evaluation evaluation = base.interpret(request);
        var all = new ArrayList<>(base.rules());
        for (RowTable table : tables) {
            table.judge(evaluation);
            all.addAll(table.candidates(request));
        }
        return new Explanation(DenyOverrides.combine(evaluation, otherwise), rules(request, all));
    }

    /** What each rule makes of a request: those that matched, then the unknown, then the others, the nearest first. */
    public List<RuleExplanation> rules(Request request) {
        return rules(request, base.rules());
    }

    private List<RuleExplanation> rules(Request request, List<CompiledRule> rules) {
        return rules.stream()
                .map(rule -> explain(rule, request))
                .sorted(NEAREST_FIRST)
                .toList();
    }

    /** What one rule of this base, or one row of a table for it, makes of a request. */
    public RuleExplanation explain(CompiledRule rule, Request request) {
        Node node = rule.ordinal() < nodes.size() && base.rules().get(rule.ordinal()) == rule
                ? nodes.get(rule.ordinal())
                : node(new Expr.And(rule.rule().conditions()), new Conditions(base.layout()));
        var tests = new ArrayList<TestExplanation>();
        node.tests(request, true, true, tests);
        return new RuleExplanation(
                rule.rule(), Truth.of(rule.test(request)), node.away(request, true), List.copyOf(tests));
    }

    private static List<TestExplanation.Seen> seen(Expr.Test test, Request request) {
        var out = new LinkedHashSet<TestExplanation.Seen>();
        for (Operand operand : Canonical.operands(test)) {
            if (operand instanceof Operand.Field field) {
                out.add(new TestExplanation.Seen(field.attribute().name(), SeenValue.of(field.attribute(), request)));
            } else if (operand instanceof Operand.Parameter parameter) {
                Object value = request.values().param(request.values().layout().slot(parameter.param()));
                out.add(new TestExplanation.Seen(Canonical.operand(operand), SeenValue.text(value)));
            } else if (operand instanceof Operand.Count count) {
                out.add(new TestExplanation.Seen(count.list().name(), SeenValue.of(count.list(), request)));
            } else if (operand instanceof Operand.HoursSince since) {
                out.add(new TestExplanation.Seen(since.time().name(), SeenValue.of(since.time(), request)));
                out.add(new TestExplanation.Seen("now", SeenValue.text(request.now())));
            }
        }
        return List.copyOf(out);
    }
}
