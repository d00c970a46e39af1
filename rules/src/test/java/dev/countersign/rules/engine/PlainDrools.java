package dev.countersign.rules.engine;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.pack.Pack;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.drools.model.codegen.ExecutableModelProject;
import org.kie.api.KieBase;
import org.kie.api.io.ResourceType;
import org.kie.internal.utils.KieHelper;

/**
 * Checked rules, printed as plain DRL and compiled by the ordinary Drools compiler. Each rule becomes two: one that
 * matches where the rule certainly applies, and one that matches where it may ("not false"). Ordinary Drools knows two
 * truth values, so every atomic test is written with the question whether its values are known.
 */
final class PlainDrools {
    private final List<Pack> packs;
    private final KieBase kieBase;

    private PlainDrools(List<Pack> packs, KieBase kieBase) {
        this.packs = packs;
        this.kieBase = kieBase;
    }

    /** What the ordinary compiler makes of the rules of these packs. */
    static PlainDrools compile(List<Pack> packs) {
        var helper = new KieHelper();
        helper.addContent(text(packs), ResourceType.DRL);
        return new PlainDrools(packs, helper.build(ExecutableModelProject.class));
    }

    static String text(List<Pack> packs) {
        var out = new StringBuilder("package plain\nimport " + PlainFact.class.getName() + ";\n");
        for (Pack pack : packs) {
            for (Rule rule : pack.rules()) {
                out.append(rule(rule, "T", false)).append(rule(rule, "N", true));
            }
        }
        return out.toString();
    }

    /** What the rules say: {@code id matched} and {@code id unknown}. */
    Set<String> said(Request request) {
        var fact = new PlainFact(request, packs);
        var session = kieBase.newKieSession();
        try {
            session.insert(fact);
            session.fireAllRules();
        } finally {
            session.dispose();
        }
        var out = new TreeSet<String>();
        for (String hit : fact.hits()) {
            String id = hit.substring(2);
            boolean certain = fact.hits().contains("T:" + id);
            if (certain && !fact.hits().contains("N:" + id)) {
                throw new IllegalStateException(id + " is certain, yet false");
            }
            out.add(id + (certain ? " matched" : " unknown"));
        }
        return out;
    }

    private static String rule(Rule rule, String form, boolean lax) {
        String id = quote(form + ":" + rule.id());
        String conditions = rule.conditions().stream()
                .map(expr -> print(rule.pack(), expr, lax, false))
                .collect(Collectors.joining(",\n    "));
        return "rule " + id + "\nwhen\n  $f : PlainFact( " + conditions + " )\nthen\n  $f.hit(" + id + ");\nend\n";
    }

    private static String print(String pack, Expr expr, boolean lax, boolean negated) {
        if (expr instanceof Expr.Not not) {
            return print(pack, not.part(), lax, !negated);
        }
        if (expr instanceof Expr.Or or) {
            return join(pack, or.parts(), lax, negated, negated ? " && " : " || ");
        }
        if (expr instanceof Expr.And and) {
            return join(pack, and.parts(), lax, negated, negated ? " || " : " && ");
        }
        var test = new Printed(pack, (Expr.Test) expr, negated);
        return lax
                ? "( !( " + test.known() + " ) || " + test.holds() + " )"
                : "( " + test.known() + " && " + test.holds() + " )";
    }

    private static String join(String pack, List<Expr> parts, boolean lax, boolean negated, String operator) {
        return parts.stream()
                .map(part -> print(pack, part, lax, negated))
                .collect(Collectors.joining(operator, "( ", " )"));
    }

    private static String quote(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /** One atomic test: whether its values are known, and whether it holds if they are. */
    private record Printed(String pack, Expr.Test test, boolean negated) {
        private String key(String name) {
            return quote(pack + "/" + name);
        }

        private String known(Operand operand) {
            if (operand instanceof Operand.Field field) {
                return "known(" + key(field.attribute().name()) + ")";
            }
            if (operand instanceof Operand.HoursSince since) {
                return "known(" + key(since.time().name()) + ")";
            }
            if (operand instanceof Operand.Count count) {
                String list = key(count.list().name());
                return "known(" + list + ")" + (count.pattern() == null ? "" : " && !hole(" + list + ")");
            }
            return "true";
        }

        private String value(Operand operand) {
            String kind = operand.type().word();
            if (operand instanceof Operand.Field field) {
                return kind + "(" + key(field.attribute().name()) + ")";
            }
            if (operand instanceof Operand.Parameter parameter) {
                String type = Character.toUpperCase(kind.charAt(0)) + kind.substring(1);
                return "param" + type + "(" + key(parameter.param().name()) + ")";
            }
            if (operand instanceof Operand.HoursSince since) {
                return "hoursSince(" + key(since.time().name()) + ")";
            }
            if (operand instanceof Operand.Count count) {
                return "count(" + key(count.list().name())
                        + (count.pattern() == null ? "" : ", " + quote(count.pattern())) + ")";
            }
            var literal = (Operand.Literal) operand;
            if (literal.type() == Type.NUMBER) {
                return literal.text().contains(".") ? literal.text() : literal.text() + ".0";
            }
            return literal.type() == Type.TIME
                    ? ((Instant) literal.value()).toEpochMilli() + "L"
                    : Canonical.operand(literal);
        }

        private static String member(String list, String text) {
            return "has(" + list + ", " + text + ")";
        }

        String known() {
            if (test instanceof Expr.IsNull isNull) {
                return "!unavailable(" + key(isNull.attribute().name()) + ")";
            }
            if (test instanceof Expr.Truth truth) {
                return known(new Operand.Field(truth.attribute()));
            }
            if (test instanceof Expr.Compare compare) {
                return known(compare.left()) + " && " + known(compare.right());
            }
            if (test instanceof Expr.In in) {
                return known(in.left());
            }
            if (test instanceof Expr.Matches matches) {
                return known(matches.left());
            }
            if (test instanceof Expr.Affix affix) {
                return known(affix.left());
            }
            if (test instanceof Expr.MemberOfList member) {
                return known(member.left());
            }
            if (test instanceof Expr.Contains contains) {
                return elements(contains.list().name(), contains.text());
            }
            if (test instanceof Expr.MemberOfAttribute member) {
                return elements(member.list().name(), member.left());
            }
            if (test instanceof Expr.InCidr cidr) {
                return "address(" + key(cidr.address().name()) + ")";
            }
            return "known(" + key(((Expr.MatchesGlob) test).attribute().name()) + ")";
        }

        private String elements(String list, Operand text) {
            return "known(" + key(list) + ") && " + known(text) + " && ( " + member(key(list), value(text))
                    + " || !hole(" + key(list) + ") )";
        }

        String holds() {
            if (test instanceof Expr.IsNull isNull) {
                return bool("absent(" + key(isNull.attribute().name()) + ")", isNull.negated());
            }
            if (test instanceof Expr.Truth truth) {
                return bool("bool(" + key(truth.attribute().name()) + ")", false);
            }
            if (test instanceof Expr.Compare compare) {
                return value(compare.left()) + " " + operator(compare.op()) + " " + value(compare.right());
            }
            if (test instanceof Expr.In in) {
                return value(in.left()) + word(in.negated(), "in") + " ( "
                        + in.values().stream().map(this::value).collect(Collectors.joining(", ")) + " )";
            }
            if (test instanceof Expr.Matches matches) {
                return value(matches.left()) + word(matches.negated(), "matches") + " "
                        + quote(matches.regex().pattern().pattern());
            }
            if (test instanceof Expr.Affix affix) {
                return value(affix.left()) + word(false, affix.starts() ? "str[startsWith]" : "str[endsWith]") + " "
                        + quote(affix.text());
            }
            if (test instanceof Expr.MemberOfList member) {
                return bool(
                        "listed(" + key(member.list().name()) + ", " + value(member.left()) + ")", member.negated());
            }
            if (test instanceof Expr.Contains contains) {
                return "list(" + key(contains.list().name()) + ")" + word(contains.negated(), "contains") + " "
                        + value(contains.text());
            }
            if (test instanceof Expr.MemberOfAttribute member) {
                return value(member.left()) + word(member.negated(), "memberOf") + " list("
                        + key(member.list().name()) + ")";
            }
            if (test instanceof Expr.InCidr cidr) {
                return bool("inside(" + key(cidr.address().name()) + ", " + quote(cidr.text()) + ")", false);
            }
            var glob = (Expr.MatchesGlob) test;
            return bool("glob(" + key(glob.attribute().name()) + ", " + quote(glob.pattern()) + ")", false);
        }

        private String bool(String call, boolean written) {
            return call + (written != negated ? " == false" : " == true");
        }

        private String word(boolean written, String operator) {
            return (written != negated ? " not " : " ") + operator;
        }

        private String operator(Expr.Comparison op) {
            if (!negated) {
                return op.symbol();
            }
            return switch (op) {
                case EQ -> "!=";
                case NE -> "==";
                case LT -> ">=";
                case LE -> ">";
                case GT -> "<=";
                case GE -> "<";
            };
        }
    }
}
