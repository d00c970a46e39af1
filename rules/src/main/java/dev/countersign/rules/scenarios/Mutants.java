package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.boundary.BoundaryDiff;
import dev.countersign.rules.boundary.Change;
import dev.countersign.rules.boundary.Frame;
import dev.countersign.rules.boundary.Judge;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What cases notice of small mistakes in conditions.
 *
 * @param all how many mistakes were tried
 * @param killed how many some passing case noticed
 * @param equivalent how many no boundary request of the cases' settings notices either: they change no verdict
 * @param survivors the others, by rule
 */
public record Mutants(int all, int killed, int equivalent, List<Survivor> survivors) {
    /** Under how many of the cases' settings a case is looked for. */
    private static final int MOST_FRAMES = 12;

    private static final int MOST_REQUESTS = 5_000;

    /**
     * A mistake that no case noticed.
     *
     * @param rule the rule without it
     * @param how what was changed
     * @param scenario a case, in YAML, that would have noticed; it goes under {@code cases:}
     */
    public record Survivor(Rule rule, String how, String scenario) {}

    private record Setup(String tenant, Instant clock, Map<String, Object> settings) {}

    /** What these results notice. */
    static Mutants of(RuleBase base, List<CaseResult> results) {
        List<CaseResult> passed = results.stream().filter(CaseResult::passed).toList();
        var setups = new LinkedHashMap<Setup, Judge>();
        for (CaseResult result : passed) {
            Scenario scenario = result.scenario();
            if (setups.size() < MOST_FRAMES) {
                setups.computeIfAbsent(
                        new Setup(scenario.tenant(), scenario.clock(), scenario.settings()),
                        setup -> Judge.of(base, base.values(Map.of(), setup.settings())));
            }
        }
        int all = 0;
        int killed = 0;
        int equivalent = 0;
        var survivors = new ArrayList<Survivor>();
        var conditions = new Conditions(base.layout());
        for (CompiledRule rule : base.rules()) {
            for (Mutation mutation : Mutation.of(rule.rule())) {
                var changed = new CompiledRule(mutation.rule(), rule.ordinal(), conditions::of);
                var rules = new ArrayList<>(base.rules());
                rules.set(rule.ordinal(), changed);
                all++;
                if (passed.stream().anyMatch(result -> notices(result, rule, changed, rules))) {
                    killed++;
                    continue;
                }
                String scenario = scenario(setups, rule, mutation, rules);
                if (scenario == null) {
                    equivalent++;
                } else {
                    survivors.add(new Survivor(rule.rule(), mutation.how(), scenario));
                }
            }
        }
        return new Mutants(all, killed, equivalent, List.copyOf(survivors));
    }

    /** The mistakes that can be noticed, and those that were. */
    public Coverage.Share noticed(int bar) {
        return new Coverage.Share(killed, all - equivalent, bar);
    }

    private static boolean notices(
            CaseResult result, CompiledRule rule, CompiledRule changed, List<CompiledRule> rules) {
        Evaluation said = result.reference();
        int before = said.matched().contains(rule)
                ? Condition.TRUE
                : said.unknown().contains(rule) ? Condition.UNKNOWN : Condition.FALSE;
        return changed.test(said.request()) != before
                && !result.scenario()
                        .expect()
                        .check(DenyOverrides.combine(Evaluation.of(said.request(), rules)))
                        .isEmpty();
    }

    /** A case that the rules pass and the changed rules do not, or {@code null} if none is found. */
    private static @Nullable String scenario(
            Map<Setup, Judge> setups, CompiledRule rule, Mutation mutation, List<CompiledRule> rules) {
        for (Map.Entry<Setup, Judge> entry : setups.entrySet()) {
            Setup setup = entry.getKey();
            Judge judge = entry.getValue();
            var diff = new BoundaryDiff(new Frame(setup.tenant(), setup.clock()), MOST_REQUESTS);
            for (Change change : diff.compare(judge, judge.withRules(rules)).changes()) {
                Expectation expect = expectation(change, rule.rule());
                if (change.now().equals(setup.clock())
                        && expect.check(change.before()).isEmpty()
                        && !expect.check(change.after()).isEmpty()) {
                    return yaml(setup, rule.rule(), mutation, change, expect);
                }
            }
        }
        return null;
    }

    private static Expectation expectation(Change change, Rule rule) {
        Verdict before = change.before();
        boolean matched = before.matched().contains(rule);
        boolean other =
                change.after().matched().stream().anyMatch(one -> one.id().equals(rule.id()));
        return new Expectation(
                before.outcome(),
                Set.copyOf(before.reasons()),
                matched && !other ? List.of(rule.name()) : List.of(),
                !matched && other ? List.of(rule.name()) : List.of(),
                change.kind() == Change.Kind.OBLIGATIONS ? before.obligations() : null,
                before.missing());
    }

    private static String yaml(Setup setup, Rule rule, Mutation mutation, Change change, Expectation expect) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        ObjectNode settings = json.objectNode();
        setup.settings().forEach((name, value) -> settings.set(name, Setting.json(value)));
        ObjectNode given = change.example().deepCopy();
        if (!given.has("context")) {
            given.putNull("context");
        }
        ObjectNode demands = json.objectNode();
        demands.put("decision", expect.decision().word());
        texts(demands.putArray("reasons"), expect.reasons());
        if (!expect.matched().isEmpty()) {
            texts(demands.putArray("matched"), expect.matched());
        }
        if (!expect.notMatched().isEmpty()) {
            texts(demands.putArray("not_matched"), expect.notMatched());
        }
        if (expect.missing() != null) {
            demands.put("missing", expect.missing());
        }
        if (expect.obligations() != null) {
            ArrayNode obligations = demands.putArray("obligations");
            expect.obligations().forEach(effect -> obligations.add(obligation(effect)));
        }
        return "- name: " + json.textNode(rule.name() + ", not with " + mutation.how()) + "\n"
                + (settings.isEmpty() ? "" : "  settings: " + settings + "\n")
                + "  given: " + given + "\n"
                + "  expect: " + demands + "\n";
    }

    private static void texts(ArrayNode array, @Nullable Iterable<String> texts) {
        if (texts != null) {
            texts.forEach(array::add);
        }
    }

    /** An obligation as {@code expect} writes it. */
    private static JsonNode obligation(Effect effect) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        if (effect instanceof Effect.Limit limit) {
            out.put("limit", limit.name());
            out.set("max", Setting.json(limit.max()));
            return out.put("per", limit.per());
        }
        if (effect instanceof Effect.Transform transform) {
            return out.put("transform", transform.name()).put("value", transform.value());
        }
        var oblige = (Effect.Oblige) effect;
        ObjectNode properties = out.put("type", oblige.type()).putObject("properties");
        oblige.properties().forEach((name, value) -> properties.set(name, Setting.json(value)));
        return out;
    }
}
