package dev.countersign.rules.engine;

import static org.drools.model.PatternDSL.alphaIndexedBy;
import static org.drools.model.PatternDSL.declarationOf;
import static org.drools.model.PatternDSL.on;
import static org.drools.model.PatternDSL.pattern;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Layout;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.ServerOwn;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.pack.Pack;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.drools.model.Index;
import org.drools.model.PatternDSL;
import org.drools.model.Variable;
import org.drools.model.functions.Function1;
import org.drools.model.impl.ModelImpl;
import org.drools.modelcompiler.KieBaseBuilder;
import org.kie.api.KieBase;

/**
 * The rules of all active packs as one Drools knowledge base. It is built from the checked rules through the canonical
 * model, with closures for conditions; nothing is compiled. Immutable, and shared by all threads.
 */
public final class RuleBase {
    /**
     * How each required field is read. Only fields that every request has may be indexed: a hash never asks the
     * predicate, so an index on an optional field would turn "unknown" into "false" and let a deny rule slip by.
     */
    private static final Map<BuiltIn, HashKey> INDEXED = new EnumMap<>(Map.of(
            BuiltIn.TENANT, new HashKey(0, evaluation -> evaluation.request().tenant()),
            BuiltIn.SUBJECT_TYPE,
                    new HashKey(1, evaluation -> evaluation.request().subjectType()),
            BuiltIn.SUBJECT_ID,
                    new HashKey(2, evaluation -> evaluation.request().subjectId()),
            BuiltIn.ACTION, new HashKey(3, evaluation -> evaluation.request().action()),
            BuiltIn.RESOURCE_TYPE,
                    new HashKey(4, evaluation -> evaluation.request().resourceType()),
            BuiltIn.RESOURCE_ID,
                    new HashKey(5, evaluation -> evaluation.request().resourceId())));

    private static final Set<String> RESERVED = Set.of(ServerOwn.PACK, Rule.POLICIES);

    private record HashKey(int number, Function1<Evaluation, String> read) {}

    private final List<Pack> packs;
    private final List<CompiledRule> rules;
    private final Map<String, Setting> settings;
    private final Layout layout;
    private final KieBase kieBase;
    private final PackEntities entities;
    private final EntityNeeds needs;

    private RuleBase(
            List<Pack> packs, Map<String, Setting> settings, List<CompiledRule> rules, Layout layout, KieBase kieBase) {
        this.packs = packs;
        this.settings = settings;
        this.rules = rules;
        this.layout = layout;
        this.kieBase = kieBase;
        this.entities = PackEntities.union(packs.stream().map(Pack::entities).toList());
        this.needs = EntityNeeds.ofRules(rules.stream().map(CompiledRule::rule).toList());
    }

    /**
     * The base of these packs.
     *
     * @throws IllegalArgumentException if two packs have one name: their rules and conditions could not be told apart; or
     *     if they declare one parameter or list with different types: no tenant could set it; or if one takes a name that
     *     is the server's own
     */
    public static RuleBase of(List<Pack> packs) {
        var names = new HashSet<String>();
        for (Pack pack : packs) {
            if (!names.add(pack.name())) {
                throw new IllegalArgumentException("there are two packs with the name `" + pack.name() + "`");
            }
            if (RESERVED.contains(pack.name())) {
                throw new IllegalArgumentException(
                        "the pack name `" + pack.name() + "` is the server's own: rename the pack");
            }
        }
        Map<String, Setting> settings = settings(packs);
        var layout = new Layout();
        var conditions = new Conditions(layout);
        var rules = new ArrayList<CompiledRule>();
        var model = new ModelImpl();
        for (Pack pack : packs) {
            pack.rules().forEach(rule -> rules.add(new CompiledRule(rule, rules.size(), conditions::of)));
            pack.vocabulary().params().values().forEach(layout::slot);
            pack.vocabulary().lists().values().forEach(layout::slot);
        }
        layout.slot(ServerOwn.DELEGATED);
        BuiltIn.all().forEach(layout::slot);
        layout.slot(ServerOwn.UNREADABLE);
        packs.forEach(pack -> pack.vocabulary().attributes().values().forEach(layout::slot));
        rules.forEach(rule -> model.addRule(drools(rule)));
        return new RuleBase(
                List.copyOf(packs), settings, List.copyOf(rules), layout, KieBaseBuilder.createKieBaseFromModel(model));
    }

    private static Map<String, Setting> settings(List<Pack> packs) {
        var settings =
                new TreeMap<>(Setting.of(packs.stream().map(Pack::vocabulary).toList()));
        Setting own = Setting.of(ServerOwn.DELEGATED);
        Setting taken = settings.put(own.name(), own);
        if (taken != null) {
            throw new IllegalArgumentException(
                    "the pack `" + taken.declarations().get(0).pack() + "` declares `" + own.name()
                            + "`, which is the server's own setting: rename it");
        }
        return Collections.unmodifiableMap(settings);
    }

    private static org.drools.model.Rule drools(CompiledRule rule) {
        Variable<Evaluation> fact = declarationOf(Evaluation.class);
        PatternDSL.PatternDef<Evaluation> pattern = pattern(fact);
        for (CompiledRule.Part part : rule.parts()) {
            Condition condition = part.condition();
            HashKey key = part.indexed() == null ? null : INDEXED.get(part.indexed());
            String node = Canonical.expr(part.expr()); // equal texts of one pack mean the same
            if (key != null) {
                pattern = pattern.expr(
                        node,
                        evaluation -> condition.test(evaluation.request()) != Condition.FALSE,
                        alphaIndexedBy(String.class, Index.ConstraintType.EQUAL, key.number(), key.read(), part.key()));
            } else {
                pattern = pattern.expr(
                        rule.rule().pack() + ": " + node,
                        evaluation -> condition.test(evaluation.request()) != Condition.FALSE);
            }
        }
        return PatternDSL.rule(rule.rule().pack(), rule.rule().name()).build(pattern, on(fact).execute(rule::fire));
    }

    /** The packs, by name. */
    public List<Pack> packs() {
        return packs;
    }

    /** The entities that the packs carry. */
    public PackEntities entities() {
        return entities;
    }

    /** Which stored entities the rules may read. */
    public EntityNeeds needs() {
        return needs;
    }

    /** All rules, by ordinal. */
    public List<CompiledRule> rules() {
        return rules;
    }

    /** The numbering that requests and values for this base must have. */
    public Layout layout() {
        return layout;
    }

    /** Everything that a tenant may set, the server's own {@link ServerOwn#DELEGATED} included, by name in alphabetical order. */
    public Map<String, Setting> settings() {
        return settings;
    }

    /** The packs' defaults, replaced by what the environment and a tenant set; see {@link Values#of}. */
    public Values values(Map<String, String> env, Map<String, Object> own) {
        return Values.of(layout, env, own);
    }

    /** A new evaluator on this base, for one thread. */
    public Evaluator evaluator() {
        return new Evaluator(kieBase, rules.size(), layout);
    }

    /** What all rules say of a request, asked one by one in a plain loop: the reference for the engine. */
    public Evaluation interpret(Request request) {
        return Evaluation.of(request, rules);
    }
}
