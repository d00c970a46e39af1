package dev.countersign.rules.boundary;

import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Values;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a verdict on a request depends on. Two judges whose difference is asked for may have different rules,
 * values, templates or ways to combine; a judge is only read.
 *
 * @param rules the rules that can match: those of a base, and others that are compiled for its layout
 * @param values the tenant's parameters and lists, for that layout
 * @param templates the approval templates, by {@code pack/name}
 * @param combine from what rules say to what it means; a matching deny must lead to a deny. Judges that combine in the
 *     same way must have equal functions, one object or a record, or every request counts as judged anew
 */
public record Judge(
        List<CompiledRule> rules,
        Values values,
        Map<String, ApprovalTemplate> templates,
        Function<Evaluation, Verdict> combine) {
    private static final Function<Evaluation, Verdict> DENY_OVERRIDES = DenyOverrides::combine;

    /** The judge of a base's rules and nothing else, which combines with {@link DenyOverrides}. */
    public static Judge of(RuleBase base, Values values) {
        var templates = new HashMap<String, ApprovalTemplate>();
        base.packs()
                .forEach(pack -> pack.templates()
                        .forEach((name, template) -> templates.put(pack.name() + "/" + name, template)));
        return new Judge(base.rules(), values, Map.copyOf(templates), DENY_OVERRIDES);
    }

    /** This judge with these rules instead. */
    public Judge withRules(List<CompiledRule> others) {
        return new Judge(List.copyOf(others), values, templates, combine);
    }

    /** This judge with these rules as well, compiled for the same layout. */
    public Judge plus(List<CompiledRule> more) {
        var all = new ArrayList<>(rules);
        all.addAll(more);
        return withRules(all);
    }

    /** This judge, combining in another way. */
    Judge combining(Function<Evaluation, Verdict> other) {
        return new Judge(rules, values, templates, other);
    }

    /** The verdict on a request of this judge's layout, as far as these of its rules have a say. */
    Verdict judge(Request request, List<CompiledRule> some) {
        return combine.apply(Evaluation.of(request, some));
    }

    /** The value in force of a parameter or list. */
    Object value(Declaration declaration) {
        Object changed = values.changed().get(declaration.pack() + "/" + declaration.name());
        return changed == null ? declaration.byDefault() : changed;
    }

    /** The template that a rule of a pack asks for, or {@code null} if it is not known. */
    @Nullable
    ApprovalTemplate template(String pack, String name) {
        return templates.get(pack + "/" + name);
    }
}
