package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Gate;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Outcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the invariants of a suite. */
final class InvariantReader {
    private static final String RULE = "invariant";
    private static final List<Effect> SAYS = List.of(new Effect.Deny("INVARIANT"));

    private final Mistakes mistakes;
    private final ExpectReader expects;
    private final SettingsReader settings;
    private final Pack pack;

    InvariantReader(Mistakes mistakes, ExpectReader expects, SettingsReader settings, Pack pack) {
        this.mistakes = mistakes;
        this.expects = expects;
        this.settings = settings;
        this.pack = pack;
    }

    List<Invariant> read(@Nullable Yaml list, String suite, String tenant, Instant clock, Map<String, Object> under) {
        var out = new ArrayList<Invariant>();
        if (list == null) {
            return out;
        }
        if (list.elements().isEmpty()) {
            mistakes.error(list.line(), "`invariants` must be a list of at least one invariant");
        }
        var names = new HashSet<String>();
        for (Yaml element : list.elements()) {
            Map<String, Yaml> members =
                    mistakes.object(element, "an invariant", List.of("name", "settings", "never", "always"));
            Yaml never = members.get("never");
            Yaml always = members.get("always");
            Yaml said = never != null ? never : always;
            if (said == null || never != null && always != null) {
                mistakes.error(element.line(), "an invariant has either `never:` or `always:`");
                continue;
            }
            Map<String, Yaml> what = mistakes.object(said, "an invariant", List.of("when", "decision"));
            String when = mistakes.required(what, "when", said.line());
            String word = mistakes.required(what, "decision", said.line());
            Outcome decision = word == null ? null : expects.decision(word, what);
            List<Expr> conditions = when == null ? null : conditions(when, said.line());
            if (decision == null || conditions == null) {
                continue;
            }
            Yaml named = members.get("name");
            String text = named == null ? null : mistakes.text(named, "`name`");
            String name =
                    text != null ? text : (never != null ? "never " : "always ") + decision.word() + " when " + when;
            if (!names.add(name)) {
                mistakes.error(element.line(), "there is another invariant `" + name + "` in this suite");
            }
            out.add(new Invariant(
                    suite,
                    name,
                    mistakes.file(),
                    element.line(),
                    tenant,
                    clock,
                    settings.read(members.get("settings"), under),
                    never != null,
                    conditions,
                    decision));
        }
        return out;
    }

    /** The conditions that a text writes, read by the gate as those of a rule; {@code null} after an error. */
    private @Nullable List<Expr> conditions(String when, int line) {
        var diagnostics = new Diagnostics();
        List<Rule> rules = new Gate(pack.vocabulary(), diagnostics)
                .read(
                        "",
                        "package " + Gate.packageOf(pack.name()) + "\nrule \"" + RULE + "\" when Request(\n" + when
                                + "\n) then decision.deny(\"INVARIANT\"); end\n");
        for (Diagnostic diagnostic : diagnostics.all()) {
            if (!diagnostic.code().warning()) {
                mistakes.error(line, "`when`: " + diagnostic.message(), diagnostic.hint());
                return null;
            }
        }
        if (rules.size() != 1
                || !rules.get(0).effects().equals(SAYS)
                || rules.get(0).conditions().isEmpty()) {
            mistakes.error(line, "`when` must be the conditions of one rule, as they stand in Request( ... )");
            return null;
        }
        return rules.get(0).conditions();
    }
}
