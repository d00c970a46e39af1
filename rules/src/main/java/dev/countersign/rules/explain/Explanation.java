package dev.countersign.rules.explain;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.verdict.Verdict;
import java.util.List;

/**
 * A verdict with its reasons, rule by rule. It holds values of the request: only for readers who may see those.
 *
 * @param verdict the verdict that is explained
 * @param rules every rule: those that matched, then the unknown ones, then the others, the nearest first
 */
public record Explanation(Verdict verdict, List<RuleExplanation> rules) {
    /** How many rules that did not match {@link #toText()} shows. */
    public static final int NEAREST = 10;

    /** The verdict, why, and why not, for people; of the rules that did not match only the nearest. */
    public String toText() {
        var out = new StringBuilder(verdict.outcome().word())
                .append(" (")
                .append(String.join(", ", verdict.reasons()))
                .append(")");
        Rule settledBy = verdict.settledBy();
        if (settledBy != null) {
            out.append(", settled by ").append(settledBy.id());
            if (verdict.missing() != null) {
                out.append(", which needs `").append(verdict.missing()).append('`');
            }
            if (settledBy.reason() != null) {
                out.append("\n  ").append(settledBy.reason());
            }
        }
        out.append('\n');
        int left = 0;
        int shown = 0;
        for (RuleExplanation rule : rules) {
            if (rule.result() == Truth.FALSE && shown++ >= NEAREST) {
                left++;
            } else {
                out.append(rule.toText());
            }
        }
        if (left > 0) {
            out.append("and ")
                    .append(left)
                    .append(left == 1 ? " rule" : " rules")
                    .append(" further away\n");
        }
        return out.toString();
    }

    /** The same as JSON, with every rule. */
    public ObjectNode toJson() {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("decision", verdict.outcome().word());
        var reasons = out.putArray("reasons");
        verdict.reasons().forEach(reasons::add);
        Rule settledBy = verdict.settledBy();
        if (settledBy != null) {
            out.put("settled_by", settledBy.id());
        }
        if (verdict.missing() != null) {
            out.put("missing", verdict.missing());
        }
        var all = out.putArray("rules");
        rules.forEach(rule -> all.add(rule.toJson()));
        return out;
    }
}
