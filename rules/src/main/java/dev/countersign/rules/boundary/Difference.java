package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Setting;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * In which rules two judges differ. Rules are the same if their meaning is: conditions, consequences, where attributes
 * are read, the values of the parameters and lists that they name, and the templates that they ask for.
 *
 * @param common the rules that both have
 * @param groups the others, a rule before and the one of the same name after together
 */
record Difference(List<Clause> common, List<List<Clause>> groups) {
    static Difference of(Judge before, Judge after) {
        var left = new HashMap<String, Deque<CompiledRule>>();
        var meanings = new IdentityHashMap<CompiledRule, String>();
        for (CompiledRule rule : after.rules()) {
            String meaning = meaning(rule.rule(), after);
            meanings.put(rule, meaning);
            left.computeIfAbsent(meaning, key -> new ArrayDeque<>()).add(rule);
        }
        var common = new ArrayList<Clause>();
        var groups = new LinkedHashMap<String, List<Clause>>();
        for (CompiledRule rule : before.rules()) {
            Deque<CompiledRule> same = left.get(meaning(rule.rule(), before));
            if (same != null && !same.isEmpty()) {
                common.add(Clause.common(rule, same.remove()));
            } else {
                groups.computeIfAbsent(rule.rule().id(), key -> new ArrayList<>())
                        .add(Clause.before(rule));
            }
        }
        for (CompiledRule rule : after.rules()) {
            Deque<CompiledRule> unmatched = left.get(meanings.get(rule));
            if (unmatched != null && unmatched.contains(rule)) {
                groups.computeIfAbsent(rule.rule().id(), key -> new ArrayList<>())
                        .add(Clause.after(rule));
            }
        }
        return new Difference(List.copyOf(common), List.copyOf(groups.values()));
    }

    /** A text that rules share only if they mean the same to their judges. */
    private static String meaning(Rule rule, Judge judge) {
        var out = new StringBuilder(rule.id());
        for (Expr condition : rule.conditions()) {
            out.append('\n').append(Canonical.expr(condition));
            condition.attributes(attribute -> out.append(" | ")
                    .append(attribute.type())
                    .append(attribute.precedence())
                    .append(attribute.source() == null ? "" : attribute.source().text()));
            condition.tests(test -> {
                if (test instanceof Expr.MemberOfList member) {
                    out.append(" | ").append(Setting.json(judge.value(member.list())));
                }
                for (Operand operand : Canonical.operands(test)) {
                    if (operand instanceof Operand.Parameter parameter) {
                        out.append(" | ").append(Setting.json(judge.value(parameter.param())));
                    }
                }
            });
        }
        for (Effect effect : rule.effects()) {
            out.append('\n').append(Canonical.effect(effect));
            if (effect instanceof Effect.RequireApproval approval) {
                out.append(judge.template(rule.pack(), approval.template()));
            }
        }
        return out.toString();
    }

    /** Whether the rules that differ can, by their kind, let more happen: only new bonds and lost allows cannot. */
    boolean couldWiden() {
        return groups.stream().anyMatch(Difference::couldWiden);
    }

    /** The same of one group. A request that is judged looser is one in which a rule of such a group has a say. */
    static boolean couldWiden(List<Clause> group) {
        return group.stream().anyMatch(clause -> {
            CompiledRule lost = clause.before();
            CompiledRule won = clause.after();
            return lost != null && !lost.rule().effects().stream().allMatch(Effect.Allow.class::isInstance)
                    || won != null && !onlyBinds(won.rule());
        });
    }

    /** The rules that differ and have a say in this tenant, those first that can let more happen. */
    List<List<Clause>> of(String tenant) {
        return groups.stream()
                .map(group -> group.stream()
                        .filter(clause -> Anchored.of(clause).in(tenant))
                        .toList())
                .filter(group -> !group.isEmpty())
                .sorted(Comparator.comparing(group -> !couldWiden(group)))
                .toList();
    }

    /** A rule that denies denies whatever else it says. Asking for approval is no bond: it lifts what nothing allows. */
    private static boolean onlyBinds(Rule rule) {
        return rule.effects().stream().anyMatch(Effect.Deny.class::isInstance)
                || rule.effects().stream()
                        .noneMatch(effect -> effect instanceof Effect.Allow
                                || effect instanceof Effect.RequireApproval
                                || Strictness.loose(effect));
    }

    /** A clause, and the texts that it needs in fields that every request has. */
    record Anchored(Clause clause, Map<BuiltIn, Set<String>> anchors) {
        static Anchored of(Clause clause) {
            return new Anchored(clause, Difference.anchors(clause));
        }

        /** Whether it can hold in a request of this tenant. */
        boolean in(String tenant) {
            return anchors.getOrDefault(BuiltIn.TENANT, Set.of(tenant)).contains(tenant);
        }
    }

    /** The other clauses that can hold together with one of the group, as far as equalities on such fields tell. */
    static List<Clause> beside(List<Clause> group, List<Anchored> others) {
        var wanted = new EnumMap<BuiltIn, Set<String>>(BuiltIn.class);
        for (int i = 0; i < group.size(); i++) {
            Map<BuiltIn, Set<String>> own = anchors(group.get(i));
            if (i == 0) {
                wanted.putAll(own);
            } else {
                wanted.keySet().retainAll(own.keySet());
                wanted.forEach((field, texts) -> texts.addAll(own.getOrDefault(field, Set.of())));
            }
        }
        return others.stream()
                .filter(other -> other.anchors().entrySet().stream().noneMatch(anchor -> {
                    Set<String> texts = wanted.get(anchor.getKey());
                    return texts != null && java.util.Collections.disjoint(texts, anchor.getValue());
                }))
                .map(Anchored::clause)
                .filter(other ->
                        group.stream().noneMatch(own -> own.before() == other.before() && own.after() == other.after()))
                .toList();
    }

    private static Map<BuiltIn, Set<String>> anchors(Clause clause) {
        var out = new EnumMap<BuiltIn, Set<String>>(BuiltIn.class);
        for (Expr expr : clause.conditions()) {
            List<Operand.Literal> literals = List.of();
            Operand left = null;
            if (expr instanceof Expr.In in && !in.negated()) {
                left = in.left();
                literals = in.values();
            } else if (expr instanceof Expr.Compare compare
                    && compare.op() == Expr.Comparison.EQ
                    && compare.right() instanceof Operand.Literal literal) {
                left = compare.left();
                literals = List.of(literal);
            }
            if (left instanceof Operand.Field field && field.attribute().required()) {
                Attribute attribute = field.attribute();
                BuiltIn builtIn = attribute.builtIn();
                if (builtIn != null && builtIn != BuiltIn.NOW) {
                    var texts = new HashSet<String>();
                    literals.forEach(literal -> texts.add(literal.value().toString()));
                    out.putIfAbsent(builtIn, texts);
                }
            }
        }
        return out;
    }
}
