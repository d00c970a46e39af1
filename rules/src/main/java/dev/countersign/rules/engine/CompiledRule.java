package dev.countersign.rules.engine;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Unavailable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A rule made ready to run. Pure and shared by all threads. */
public final class CompiledRule {
    /**
     * One condition of the rule: its text, its closure, and whether some request leaves it unknown.
     *
     * @param expr the checked condition
     * @param condition its closure
     * @param indexed the required field that it compares with a literal, or {@code null}
     * @param key that literal
     */
    record Part(
            Expr expr,
            Condition condition,
            @Nullable BuiltIn indexed,
            @Nullable String key) {}

    private final Rule rule;
    private final int ordinal;
    private final List<Part> parts;
    private final Condition[] soft;

    /**
     * A rule with the closures of its conditions.
     *
     * @param ordinal its place among all that judge a request together
     * @param conditions gives the closure of each condition; equal conditions may share one
     */
    public CompiledRule(Rule rule, int ordinal, Function<Expr, Condition> conditions) {
        this.rule = rule;
        this.ordinal = ordinal;
        var made = new ArrayList<Part>();
        var optional = new ArrayList<Condition>();
        for (Expr expr : rule.conditions()) {
            Condition condition = conditions.apply(expr);
            made.add(part(expr, condition));
            if (expr.optional()) {
                optional.add(condition);
            }
        }
        this.parts = List.copyOf(made);
        this.soft = optional.toArray(Condition[]::new);
    }

    private static Part part(Expr expr, Condition condition) {
        if (expr instanceof Expr.Compare compare
                && compare.op() == Expr.Comparison.EQ
                && compare.left() instanceof Operand.Field field
                && field.attribute().builtIn() != null
                && field.attribute().required()
                && compare.right() instanceof Operand.Literal literal
                && literal.value() instanceof String key) {
            return new Part(expr, condition, field.attribute().builtIn(), key);
        }
        return new Part(expr, condition, null, null);
    }

    /** The rule as the author wrote it. */
    public Rule rule() {
        return rule;
    }

    /** Its place among all rules of the base: packs by name, then files, then lines; rows of policies come after them. */
    public int ordinal() {
        return ordinal;
    }

    List<Part> parts() {
        return parts;
    }

    /** What the rule's conditions say of a request, all of them together, without an engine. */
    public int test(Request request) {
        int all = Condition.TRUE;
        for (Part part : parts) {
            all = Math.min(all, part.condition().test(request));
            if (all == Condition.FALSE) {
                return Condition.FALSE;
            }
        }
        return all;
    }

    /** Runs when no condition is false: the ones that can be unknown are asked again. */
    void fire(Evaluation evaluation) {
        for (Condition condition : soft) {
            if (condition.test(evaluation.request()) == Condition.UNKNOWN) {
                evaluation.unknown(this);
                return;
            }
        }
        evaluation.matched(this);
    }

    /** The attribute whose value leaves the rule unknown for this request, or {@code null} if it is not unknown. */
    public @Nullable Attribute missing(Request request) {
        for (Part part : parts) {
            if (part.condition().test(request) == Condition.UNKNOWN) {
                return missing(unknownTest(part.expr(), request), request);
            }
        }
        return null;
    }

    /** The first test that makes an unknown condition unknown: parts that are settled do not count. */
    private static Expr unknownTest(Expr expr, Request request) {
        var conditions = new Conditions(request.values().layout());
        for (Expr part : expr.parts()) {
            if (conditions.of(part).test(request) == Condition.UNKNOWN) {
                return unknownTest(part, request);
            }
        }
        return expr;
    }

    private static @Nullable Attribute missing(Expr test, Request request) {
        var read = new ArrayList<Attribute>();
        test.attributes(read::add);
        return read.stream()
                .filter(attribute -> hole(request, attribute))
                .findFirst()
                .or(() ->
                        read.stream().filter(attribute -> !attribute.required()).findFirst())
                .orElse(read.isEmpty() ? null : read.get(0));
    }

    private static boolean hole(Request request, Attribute attribute) {
        Object value = request.value(attribute, request.values().layout().slot(attribute));
        return value == null || value == Unavailable.VALUE;
    }
}
