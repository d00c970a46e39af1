package dev.countersign.rules.explain;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Rule;
import java.util.List;

/**
 * What one rule makes of a request.
 *
 * @param rule the rule
 * @param result true if it applies, unknown if that cannot be known, false if it does not
 * @param away the least number of tests that would have to come out otherwise for the rule to apply; 0 if it applies
 * @param tests every test of its conditions, left to right
 */
public record RuleExplanation(Rule rule, Truth result, int away, List<TestExplanation> tests) {
    /** {@code matched}, {@code unknown} or {@code not_matched}, the word in JSON. */
    public String word() {
        return switch (result) {
            case TRUE -> "matched";
            case UNKNOWN -> "unknown";
            case FALSE -> "not_matched";
        };
    }

    /** Where the rule stands: {@code pack/name (file:line)}; a row's id and name. */
    public String place() {
        return rule.id() + " (" + rule.file() + (rule.line() == 0 ? "" : ":" + rule.line()) + ")";
    }

    /** The rule in one line, then the tests that keep it from applying, one line each. */
    public String toText() {
        var out = new StringBuilder();
        out.append(
                switch (result) {
                    case TRUE -> "matched      ";
                    case UNKNOWN -> "unknown      ";
                    case FALSE -> "not matched  ";
                });
        out.append(place());
        if (result == Truth.TRUE) {
            rule.effects().forEach(effect -> out.append("\n               ").append(Canonical.effect(effect)));
        } else {
            out.append(", ").append(away).append(away == 1 ? " condition away" : " conditions away");
        }
        out.append('\n');
        for (TestExplanation test : tests) {
            if (test.against()) {
                out.append("               ").append(test.line()).append('\n');
            }
        }
        return out.toString();
    }

    /** The same as JSON, with every test. */
    public ObjectNode toJson() {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("rule", rule.id())
                .put("file", rule.file())
                .put("line", rule.line())
                .put("result", word())
                .put("away", away);
        if (rule.reason() != null) {
            out.put("reason", rule.reason());
        }
        var effects = out.putArray("effects");
        rule.effects().forEach(effect -> effects.add(Canonical.effect(effect)));
        var all = out.putArray("tests");
        for (TestExplanation test : tests) {
            ObjectNode node = all.addObject();
            node.put("text", test.text())
                    .put("result", test.result().word())
                    .put("wanted", test.wanted())
                    .put("against", test.against());
            var seen = node.putArray("seen");
            test.seen()
                    .forEach(value -> seen.addObject().put("name", value.name()).put("value", value.value()));
        }
        return out;
    }
}
