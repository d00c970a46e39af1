package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.DenyOverrides;
import java.util.ArrayList;
import java.util.List;

/**
 * What cases exercise of the rules of a pack.
 *
 * @param rules every rule, in order
 * @param bar the shares that must be reached
 */
public record Coverage(List<OfRule> rules, Pack.Bar bar) {
    /**
     * What cases exercise of a rule.
     *
     * @param rule the rule
     * @param matched whether it matched in some case
     * @param tests every test of its conditions, left to right
     * @param need whether some case needs it
     */
    public record OfRule(Rule rule, boolean matched, List<OfTest> tests, Need need) {}

    /** Which results of a test some case has seen, whether or not the rest of its rule held. */
    public record OfTest(String text, boolean seenTrue, boolean seenFalse) {}

    /** Whether a rule is needed. */
    public enum Need {
        /** Some case passes that would fail without it. */
        NEEDED,
        /** No case would notice if it were gone. */
        NOT_NEEDED,
        /** It neither denies nor asks for approval, so nobody asks. */
        NOT_ASKED
    }

    /**
     * A part of a whole, and the bar for it.
     *
     * @param reached how many
     * @param of out of how many
     * @param bar the least percentage
     */
    public record Share(int reached, int of, int bar) {
        /** The percentage, rounded down; 100 of nothing. */
        public int percent() {
            return of == 0 ? 100 : reached * 100 / of;
        }

        /** Whether the bar is reached. */
        public boolean met() {
            return percent() >= bar;
        }
    }

    /** What these results exercise of a pack's rules. */
    static Coverage of(RuleBase base, Pack pack, List<CaseResult> results) {
        var conditions = new Conditions(base.layout());
        return new Coverage(
                base.rules().stream()
                        .map(rule -> new OfRule(
                                rule.rule(),
                                results.stream()
                                        .anyMatch(result ->
                                                result.reference().matched().contains(rule)),
                                tests(rule, conditions, results),
                                need(rule, results)))
                        .toList(),
                pack.bar());
    }

    private static List<OfTest> tests(CompiledRule rule, Conditions conditions, List<CaseResult> results) {
        var out = new ArrayList<OfTest>();
        for (Expr expr : rule.rule().conditions()) {
            expr.tests(test -> {
                Condition condition = conditions.of(test);
                boolean[] seen = new boolean[Condition.TRUE + 1];
                results.forEach(result -> seen[condition.test(result.reference().request())] = true);
                out.add(new OfTest(Canonical.expr(test), seen[Condition.TRUE], seen[Condition.FALSE]));
            });
        }
        return List.copyOf(out);
    }

    private static Need need(CompiledRule rule, List<CaseResult> results) {
        boolean asked = rule.rule().effects().stream()
                .anyMatch(effect -> effect instanceof Effect.Deny || effect instanceof Effect.RequireApproval);
        if (!asked) {
            return Need.NOT_ASKED;
        }
        return results.stream().anyMatch(result -> result.passed() && fails(result, rule))
                ? Need.NEEDED
                : Need.NOT_NEEDED;
    }

    private static boolean fails(CaseResult result, CompiledRule without) {
        var said = result.reference();
        return (said.matched().contains(without) || said.unknown().contains(without))
                && !result.scenario()
                        .expect()
                        .check(DenyOverrides.combine(said.without(without)))
                        .isEmpty();
    }

    /** The rules that matched in some case. */
    public Share rulesMatched() {
        return new Share((int) rules.stream().filter(OfRule::matched).count(), rules.size(), bar.rules());
    }

    /** The tests that were seen both true and false. */
    public Share conditionsSeen() {
        List<OfTest> tests =
                rules.stream().flatMap(rule -> rule.tests().stream()).toList();
        long both = tests.stream()
                .filter(test -> test.seenTrue() && test.seenFalse())
                .count();
        return new Share((int) both, tests.size(), bar.conditions());
    }

    /** The rules that deny or ask for approval without which some case would fail. */
    public Share rulesNeeded() {
        int needed =
                (int) rules.stream().filter(rule -> rule.need() == Need.NEEDED).count();
        int not = (int)
                rules.stream().filter(rule -> rule.need() == Need.NOT_NEEDED).count();
        return new Share(needed, needed + not, bar.needed());
    }

    /** Whether every bar is reached. */
    public boolean met() {
        return rulesMatched().met() && conditionsSeen().met() && rulesNeeded().met();
    }
}
