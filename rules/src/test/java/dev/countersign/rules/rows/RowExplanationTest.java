package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowExplanationTest {
    @Test
    void rowsAreExplainedBesideTheRules() {
        RowTable table = Rows.table(
                "{id: 00000000-0000-0000-0000-000000000001, name: Large sums, reason: 'Large sums wait.',"
                        + " effect: require_approval, rule_expr: {when: {field: amount, op: '>', value: 100}}}",
                "{id: 00000000-0000-0000-0000-000000000002, name: For x only, effect: allow, scope: app, scope_ref: x}",
                "{id: 00000000-0000-0000-0000-000000000003, name: Other, action_pattern: other}");
        var request = Rows.request("{resource: {type: tool, id: t, properties: {amount: 500}}, context: {app: y}}");
        assertThat(new Explainer(Rows.BASE)
                        .explain(request, List.of(table), Fallback.DENY)
                        .toText())
                .isEqualTo("""
                        require_approval (policy_require_approval), settled by policies/00000000-0000-0000-0000-000000000001
                          Large sums wait.
                        matched      policies/00000000-0000-0000-0000-000000000001 (Large sums)
                                       decision.requireApproval("policy_require_approval", "default");
                        not matched  test/r (rules.drl:2), 1 condition away
                                       action == "never" is false: action is "run"
                        not matched  policies/00000000-0000-0000-0000-000000000002 (For x only), 1 condition away
                                       app == "x" is false: app is "y"
                        """);
    }

    @Test
    void aRowThatNoLongerFitsSaysSo() {
        RowTable table = Rows.table("{name: gone, rule_expr: {when: {field: nope}}}");
        var explanation =
                new Explainer(Rows.BASE).explain(Rows.request(""), List.of(table), Fallback.of(Outcome.ALLOW));
        assertThat(explanation.toText())
                .startsWith("deny (missing_attribute)")
                .contains("(gone), 1 condition away\n               rule_expr is unknown: rule_expr is absent");
    }
}
