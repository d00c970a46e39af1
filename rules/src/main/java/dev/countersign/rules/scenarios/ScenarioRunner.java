package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.explain.RuleExplanation;
import dev.countersign.rules.explain.Truth;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs cases on the engine that answers in production, and on the reference interpreter beside it; a case passes only if
 * both agree. Nothing is read but the case: no clock, no environment.
 */
public final class ScenarioRunner {
    private static final int MOST_WHY_NOT = 3;

    private final RuleBase base;
    private final Explainer explainer;
    private final Function<Request, Evaluation> engine;

    ScenarioRunner(RuleBase base, Function<Request, Evaluation> engine) {
        this.base = base;
        this.explainer = new Explainer(base);
        this.engine = engine;
    }

    /** What comes of these suites on a base of one pack, in their order. */
    public static List<CaseResult> run(RuleBase base, List<Suite> suites) {
        try (Evaluator evaluator = base.evaluator()) {
            return new ScenarioRunner(base, evaluator::evaluate).run(suites);
        }
    }

    List<CaseResult> run(List<Suite> suites) {
        return suites.stream()
                .flatMap(suite -> suite.cases().stream())
                .map(this::run)
                .toList();
    }

    private CaseResult run(Scenario scenario) {
        var request = new Request(
                scenario.tenant(), scenario.call(), scenario.clock(), base.values(Map.of(), scenario.settings()));
        Evaluation reference = base.interpret(request);
        var failures = new ArrayList<Failure>();
        Verdict verdict;
        try {
            Evaluation evaluation = engine.apply(request);
            verdict = DenyOverrides.combine(evaluation);
            if (!said(evaluation).equals(said(reference))) {
                failures.add(new Failure(Failure.Kind.ENGINE, "engine", said(reference), said(evaluation)));
            }
        } catch (RuntimeException e) {
            verdict = Verdict.fault(Verdict.ENGINE_ERROR);
            failures.add(new Failure(Failure.Kind.ENGINE, "engine", said(reference), e.toString()));
        }
        failures.addAll(scenario.expect().check(verdict));
        return new CaseResult(
                scenario,
                verdict,
                reference,
                List.copyOf(failures),
                failures.isEmpty() ? List.of() : whyNot(scenario.expect(), verdict, request));
    }

    private static String said(Evaluation evaluation) {
        return "matched " + names(evaluation.matched()) + ", unknown " + names(evaluation.unknown());
    }

    private static String names(List<CompiledRule> rules) {
        return rules.stream().map(rule -> rule.rule().name()).sorted().collect(Collectors.joining(", ", "[", "]"));
    }

    /** The rules that the case names, or whose reasons it names, or else that would have decided as it expects. */
    private List<RuleExplanation> whyNot(Expectation expect, Verdict verdict, Request request) {
        List<Glob> globs = expect.matched().stream().map(Glob::new).toList();
        Set<String> reasons = expect.reasons() == null ? Set.of() : expect.reasons();
        Predicate<Rule> named = rule -> globs.stream().anyMatch(glob -> glob.matches(rule.name()))
                || rule.effects().stream().anyMatch(effect -> {
                    String code = code(effect);
                    return code != null
                            && reasons.contains(code)
                            && !verdict.reasons().contains(code);
                });
        List<RuleExplanation> missed = missed(named, request);
        return missed.isEmpty() && verdict.outcome() != expect.decision()
                ? missed(
                        rule -> rule.effects().stream().anyMatch(effect -> outcome(effect) == expect.decision()),
                        request)
                : missed;
    }

    private List<RuleExplanation> missed(Predicate<Rule> wanted, Request request) {
        return explainer.rules(request).stream()
                .filter(rule -> rule.result() != Truth.TRUE && wanted.test(rule.rule()))
                .limit(MOST_WHY_NOT)
                .toList();
    }

    private static @Nullable String code(Effect effect) {
        return effect instanceof Effect.Allow allow
                ? allow.code()
                : effect instanceof Effect.Deny deny
                        ? deny.code()
                        : effect instanceof Effect.RequireApproval approval ? approval.code() : null;
    }

    private static @Nullable Outcome outcome(Effect effect) {
        return effect instanceof Effect.Allow
                ? Outcome.ALLOW
                : effect instanceof Effect.Deny
                        ? Outcome.DENY
                        : effect instanceof Effect.RequireApproval ? Outcome.REQUIRE_APPROVAL : null;
    }
}
