package dev.countersign.server.decision;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.rows.RowTable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which members of the context an approval binds: those that a pack declares an attribute of, or that a rule or row reads.
 * What nobody reads cannot change what is decided.
 */
final class BoundContext {
    /** Members by which the caller and the server talk about a request, which are not of the call. */
    private static final Set<String> MACHINERY = Set.of("approval", "execution_id", "supported_obligations");

    private final Set<String> members = new TreeSet<>();

    private BoundContext() {}

    static List<String> of(RuleBase base, List<RowTable> tables) {
        var bound = new BoundContext();
        base.packs()
                .forEach(pack -> pack.vocabulary().attributes().values().stream()
                        .filter(attribute -> attribute.builtIn() == null)
                        .forEach(bound::read));
        base.rules().forEach(bound::read);
        tables.forEach(table -> table.rules().forEach(bound::read));
        bound.members.removeAll(MACHINERY);
        return List.copyOf(bound.members);
    }

    private void read(CompiledRule compiled) {
        Rule rule = compiled.rule();
        rule.conditions().forEach(condition -> condition.attributes(this::read));
        for (Effect effect : rule.effects()) {
            if (effect instanceof Effect.Limit limit && limit.per().equals("run")) {
                read(BuiltIn.RUN_ID.attribute());
            } else if (effect instanceof Effect.Limit limit && limit.per().equals("session")) {
                read(BuiltIn.SESSION_ID.attribute());
            }
        }
    }

    private void read(@Nullable Attribute attribute) {
        SourcePath path = attribute == null ? null : attribute.source();
        if (path == null) {
            return;
        }
        Reference reference = path.reference();
        if (reference != null) {
            read(reference.id());
        } else if (path.root() == SourcePath.Root.CONTEXT) {
            members.add(path.steps().get(0));
        }
    }
}
