package dev.countersign.rules.boundary;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.RuleBase;
import java.util.Map;

/** Judges of small packs, as their authors write them. */
final class Judges {
    static final Frame FRAME = new Frame("demo", Packs.NOW);

    /** A rule that allows everything. */
    static final String ALLOW = "rule \"allow\" when Request() then decision.allow(\"OK\"); end\n";

    private Judges() {}

    static Judge of(String rules) {
        return of(rules, Map.of());
    }

    static Judge of(String rules, Map<String, Object> settings) {
        RuleBase base = Packs.base(rules);
        return Judge.of(base, base.values(Map.of(), settings));
    }

    static String rule(String name, String condition, String consequence) {
        return "rule \"" + name + "\" when Request( " + condition + " ) then " + consequence + " end\n";
    }

    static DiffResult diff(String before, String after) {
        return new BoundaryDiff(FRAME).compare(of(before), of(after));
    }
}
