package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.dialect.Rule;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A small mistake that an author could have made in a condition: it is negated or left out, its bound is one step off,
 * or it says {@code in} for {@code not in}.
 *
 * @param rule the rule with the mistake in it
 * @param how what was changed, for people
 */
record Mutation(Rule rule, String how) {
    /** A changed part of a condition; {@code null} if it was left out. */
    private record Variant(@Nullable Expr expr, String how) {}

    /** Every such mistake in a rule, from left to right. */
    static List<Mutation> of(Rule rule) {
        var out = new ArrayList<Mutation>();
        for (int i = 0; i < rule.conditions().size(); i++) {
            for (Variant variant : variants(rule.conditions().get(i))) {
                var conditions = new ArrayList<>(rule.conditions());
                if (variant.expr() == null) {
                    conditions.remove(i);
                } else {
                    conditions.set(i, variant.expr());
                }
                var changed = new Rule(
                        rule.pack(),
                        rule.name(),
                        rule.file(),
                        rule.line(),
                        rule.meta(),
                        List.copyOf(conditions),
                        rule.effects());
                out.add(new Mutation(changed, variant.how()));
            }
        }
        return out;
    }

    private static List<Variant> variants(Expr expr) {
        if (expr instanceof Expr.Test test) {
            return variants(test);
        }
        var out = new ArrayList<Variant>();
        for (int i = 0; i < expr.parts().size(); i++) {
            for (Variant variant : variants(expr.parts().get(i))) {
                out.add(new Variant(with(expr, i, variant.expr()), variant.how()));
            }
        }
        return out;
    }

    private static @Nullable Expr with(Expr expr, int at, @Nullable Expr part) {
        if (expr instanceof Expr.Not) {
            return part == null ? null : new Expr.Not(part);
        }
        var parts = new ArrayList<>(expr.parts());
        if (part == null) {
            parts.remove(at);
        } else {
            parts.set(at, part);
        }
        if (parts.isEmpty()) {
            return null;
        }
        return parts.size() == 1
                ? parts.get(0)
                : expr instanceof Expr.And ? new Expr.And(List.copyOf(parts)) : new Expr.Or(List.copyOf(parts));
    }

    private static List<Variant> variants(Expr.Test test) {
        String text = Canonical.expr(test);
        var out = new ArrayList<Variant>();
        Expr other = swapped(test);
        out.add(
                other == null
                        ? new Variant(new Expr.Not(test), "`" + text + "` negated")
                        : new Variant(other, changed(text, other)));
        out.add(new Variant(null, "`" + text + "` left out"));
        if (test instanceof Expr.Compare compare && compare.right() instanceof Operand.Literal literal) {
            for (int sign : new int[] {-1, 1}) {
                Operand.Literal near = step(literal, sign);
                if (near != null) {
                    var moved = new Expr.Compare(compare.left(), compare.op(), near);
                    out.add(new Variant(moved, changed(text, moved)));
                }
            }
        }
        return out;
    }

    private static String changed(String text, Expr to) {
        return "`" + text + "` as `" + Canonical.expr(to) + "`";
    }

    private static @Nullable Expr swapped(Expr.Test test) {
        if (test instanceof Expr.In in) {
            return new Expr.In(in.left(), in.values(), !in.negated());
        }
        if (test instanceof Expr.MemberOfList member) {
            return new Expr.MemberOfList(member.left(), member.list(), !member.negated());
        }
        if (test instanceof Expr.MemberOfAttribute member) {
            return new Expr.MemberOfAttribute(member.left(), member.list(), !member.negated());
        }
        if (test instanceof Expr.Contains contains) {
            return new Expr.Contains(contains.list(), contains.text(), !contains.negated());
        }
        if (test instanceof Expr.Matches matches) {
            return new Expr.Matches(matches.left(), matches.regex(), !matches.negated());
        }
        return test instanceof Expr.IsNull isNull ? new Expr.IsNull(isNull.attribute(), !isNull.negated()) : null;
    }

    /** The next number with as many decimals, the next second; {@code null} for what has no next. */
    private static Operand.@Nullable Literal step(Operand.Literal literal, int sign) {
        if (literal.value() instanceof Double number) {
            BigDecimal exact = new BigDecimal(Canonical.number(number));
            BigDecimal near = exact.add(BigDecimal.valueOf(sign, Math.max(0, exact.scale())));
            return new Operand.Literal(literal.type(), near.doubleValue() + 0.0, near.toPlainString());
        }
        if (literal.value() instanceof Instant time) {
            Instant near = time.plusSeconds(sign);
            return new Operand.Literal(literal.type(), near, near.toString());
        }
        return null;
    }
}
