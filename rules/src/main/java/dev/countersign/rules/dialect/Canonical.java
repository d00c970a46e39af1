package dev.countersign.rules.dialect;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The canonical text of what the gate understood: one way to write each rule, literals quoted anew, comments gone. The
 * gate accepts it and understands the same.
 */
public final class Canonical {
    private Canonical() {}

    /** The canonical text of a file with these rules. */
    public static String file(String packageName, List<Rule> rules) {
        var out = new StringBuilder("package ").append(packageName).append("\n");
        rules.forEach(rule -> out.append("\n").append(rule(rule)));
        return out.toString();
    }

    /** The canonical text of one rule. */
    public static String rule(Rule rule) {
        var out = new StringBuilder("rule ").append(quote(rule.name())).append("\n");
        rule.meta()
                .forEach((name, value) -> out.append("  @")
                        .append(name)
                        .append("(")
                        .append(quote(value))
                        .append(")\n"));
        out.append("when\n  Request(");
        for (int i = 0; i < rule.conditions().size(); i++) {
            out.append(i == 0 ? " " : ",\n    ").append(expr(rule.conditions().get(i)));
        }
        out.append(rule.conditions().isEmpty() ? ")" : " )").append("\nthen\n");
        rule.effects().forEach(effect -> out.append("  ").append(effect(effect)).append("\n"));
        return out.append("end\n").toString();
    }

    /** The canonical text of a condition. */
    public static String expr(Expr expr) {
        if (expr instanceof Expr.Or or) {
            return or.parts().stream()
                    .map(part -> part instanceof Expr.Or ? "( " + expr(part) + " )" : expr(part))
                    .collect(Collectors.joining(" || "));
        }
        if (expr instanceof Expr.And and) {
            return and.parts().stream().map(Canonical::part).collect(Collectors.joining(" && "));
        }
        if (expr instanceof Expr.Not not) {
            return "!( " + expr(not.part()) + " )";
        }
        return test((Expr.Test) expr);
    }

    private static String part(Expr expr) {
        return expr instanceof Expr.Or || expr instanceof Expr.And ? "( " + expr(expr) + " )" : expr(expr);
    }

    private static String test(Expr.Test test) {
        if (test instanceof Expr.Truth truth) {
            return truth.attribute().name();
        }
        if (test instanceof Expr.IsNull isNull) {
            return isNull.attribute().name() + (isNull.negated() ? " != null" : " == null");
        }
        if (test instanceof Expr.Compare compare) {
            return operand(compare.left()) + " " + compare.op().symbol() + " " + operand(compare.right());
        }
        if (test instanceof Expr.In in) {
            String values = in.values().stream().map(Canonical::operand).collect(Collectors.joining(", "));
            return operand(in.left()) + not(in.negated()) + " in ( " + values + " )";
        }
        if (test instanceof Expr.Matches matches) {
            return operand(matches.left()) + not(matches.negated()) + " matches "
                    + quote(matches.regex().pattern().pattern());
        }
        if (test instanceof Expr.Contains contains) {
            return contains.list().name() + not(contains.negated()) + " contains " + operand(contains.text());
        }
        if (test instanceof Expr.MemberOfList member) {
            return operand(member.left()) + not(member.negated()) + " memberOf list("
                    + quote(member.list().name()) + ")";
        }
        if (test instanceof Expr.MemberOfAttribute member) {
            return operand(member.left()) + not(member.negated()) + " memberOf "
                    + member.list().name();
        }
        if (test instanceof Expr.Affix affix) {
            return operand(affix.left()) + " str[" + (affix.starts() ? "startsWith" : "endsWith") + "] "
                    + quote(affix.text());
        }
        if (test instanceof Expr.InCidr cidr) {
            return "cidr(" + cidr.address().name() + ", " + quote(cidr.text()) + ")";
        }
        var glob = (Expr.MatchesGlob) test;
        return "glob(" + glob.attribute().name() + ", " + quote(glob.pattern()) + ")";
    }

    private static String not(boolean negated) {
        return negated ? " not" : "";
    }

    /** The canonical text of one side of a comparison. */
    public static String operand(Operand operand) {
        if (operand instanceof Operand.Field field) {
            return field.attribute().name();
        }
        if (operand instanceof Operand.Literal literal) {
            return literal.value() instanceof Double || literal.value() instanceof Boolean
                    ? literal.text()
                    : quote(literal.text());
        }
        if (operand instanceof Operand.Parameter parameter) {
            return "param(" + quote(parameter.param().name()) + ")";
        }
        if (operand instanceof Operand.HoursSince since) {
            return "hoursSince(" + since.time().name() + ")";
        }
        var count = (Operand.Count) operand;
        return "count(" + count.list().name() + (count.pattern() == null ? "" : ", " + quote(count.pattern())) + ")";
    }

    /** The canonical text of one action of a consequence. */
    public static String effect(Effect effect) {
        var arguments = new ArrayList<String>();
        String verb;
        if (effect instanceof Effect.Allow allow) {
            verb = "allow";
            arguments.add(quote(allow.code()));
        } else if (effect instanceof Effect.Deny deny) {
            verb = "deny";
            arguments.add(quote(deny.code()));
        } else if (effect instanceof Effect.RequireApproval approval) {
            verb = "requireApproval";
            arguments.add(quote(approval.code()));
            arguments.add(quote(approval.template()));
        } else if (effect instanceof Effect.Oblige oblige) {
            verb = "oblige";
            arguments.add(quote(oblige.type()));
            for (Map.Entry<String, Object> property : oblige.properties().entrySet()) {
                arguments.add(quote(property.getKey()));
                arguments.add(literal(property.getValue()));
            }
        } else if (effect instanceof Effect.Limit limit) {
            verb = "limit";
            arguments.add(quote(limit.name()));
            arguments.add(literal(limit.max()));
            arguments.add(quote(limit.per()));
        } else {
            var transform = (Effect.Transform) effect;
            verb = "transform";
            arguments.add(quote(transform.name()));
            arguments.add(quote(transform.value()));
        }
        return "decision." + verb + "(" + String.join(", ", arguments) + ");";
    }

    private static String literal(Object value) {
        return value instanceof String text
                ? quote(text)
                : value instanceof Double number ? number(number) : value.toString();
    }

    /** A number without exponent, and without a point where it is whole. */
    public static String number(double value) {
        return new java.math.BigDecimal(Double.toString(value))
                .stripTrailingZeros()
                .toPlainString();
    }

    private static String quote(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /** The operands of a test, its attributes included as fields, left to right. */
    public static List<Operand> operands(Expr.Test test) {
        if (test instanceof Expr.Truth truth) {
            return List.of(new Operand.Field(truth.attribute()));
        }
        if (test instanceof Expr.IsNull isNull) {
            return List.of(new Operand.Field(isNull.attribute()));
        }
        if (test instanceof Expr.Compare compare) {
            return List.of(compare.left(), compare.right());
        }
        if (test instanceof Expr.In in) {
            return List.of(in.left());
        }
        if (test instanceof Expr.Matches matches) {
            return List.of(matches.left());
        }
        if (test instanceof Expr.Contains contains) {
            return List.of(new Operand.Field(contains.list()), contains.text());
        }
        if (test instanceof Expr.MemberOfList member) {
            return List.of(member.left());
        }
        if (test instanceof Expr.MemberOfAttribute member) {
            return List.of(member.left(), new Operand.Field(member.list()));
        }
        if (test instanceof Expr.Affix affix) {
            return List.of(affix.left());
        }
        if (test instanceof Expr.InCidr cidr) {
            return List.of(new Operand.Field(cidr.address()));
        }
        return List.of(new Operand.Field(((Expr.MatchesGlob) test).attribute()));
    }
}
