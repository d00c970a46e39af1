package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowTableTest {
    private static final String USER = "{subject: {type: user, id: u}}";
    private static final String AGENT_OF_U = "{subject: {type: agent, id: a, properties: {owner: u}}}";
    private static final String AGENT_OF_V = "{subject: {type: agent, id: a, properties: {owner: v}}}";
    private static final String AGENT = "{subject: {type: agent, id: a}}";
    private static final String BAD_OWNER = "{subject: {type: agent, id: a, properties: {owner: 5}}}";
    private static final String SERVICE = "{subject: {type: service, id: s}}";
    private static final String SERVICE_FOR_A = "{subject: {type: service, id: s, properties: {act: {sub: a}}}}";
    private static final String BAD_ACTOR = "{subject: {type: service, id: s, properties: {act: {sub: [a]}}}}";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{scope: tenant} | '' | 2",
                "{scope: app, scope_ref: x} | {context: {app: x}} | 2",
                "{scope: app, scope_ref: x} | {context: {app: y}} | 0",
                "{scope: app, scope_ref: x} | {context: {}} | 0",
                "{scope: app, scope_ref: x} | {context: {app: 5}} | 1",
                "{scope: workflow, scope_ref: x} | {context: {workflow: x}} | 2",
                "{scope: workflow, scope_ref: x} | {context: {workflow: y}} | 0",
                "{scope: workflow, scope_ref: x} | '' | 0",
                "{scope: workflow, scope_ref: x} | {context: {workflow: [x]}} | 1",
                "{scope: tool, scope_ref: t} | {resource: {type: tool, id: t}} | 2",
                "{scope: tool, scope_ref: t} | {resource: {type: tool, id: s}} | 0",
                "{scope: tool, scope_ref: t} | {resource: {type: doc, id: t}} | 0",
                "{scope: agent, scope_ref: a} | " + AGENT + " | 2",
                "{scope: agent, scope_ref: b} | " + AGENT + " | 0",
                "{scope: agent, scope_ref: a} | " + SERVICE + " | 0",
                "{scope: agent, scope_ref: a} | " + SERVICE_FOR_A + " | 2",
                "{scope: agent, scope_ref: a} | " + BAD_ACTOR + " | 1",
                "{scope: agent, scope_ref: a, owner: u} | " + AGENT_OF_U + " | 2",
                "{scope: agent, scope_ref: a, owner: u} | " + AGENT_OF_V + " | 0",
                "{scope: agent, scope_ref: a, owner: u} | " + AGENT + " | 0",
                "{scope: agent, scope_ref: a, owner: u} | " + BAD_OWNER + " | 1",
                "{scope: user, scope_ref: u} | " + USER + " | 2",
                "{scope: user, scope_ref: v} | " + USER + " | 0",
                "{scope: user, scope_ref: u, owner: u} | " + AGENT_OF_U + " | 2",
                "{scope: user, scope_ref: u} | " + AGENT_OF_V + " | 0",
                "{scope: user, scope_ref: u} | " + AGENT + " | 0",
                "{scope: user, scope_ref: u} | " + SERVICE + " | 0",
                "{scope: user, scope_ref: u} | " + BAD_OWNER + " | 1",
            })
    void aRowCountsInItsScopeAndIsUnknownWhereTheScopeCannotBeRead(String row, String request, int truth) {
        assertThat(Rows.truth(row, request)).isEqualTo(truth);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{action_pattern: run} | {action: {name: run}} | 2",
                "{action_pattern: run} | {action: {name: runs}} | 0",
                "{action_pattern: '*'} | {action: {name: ''}} | 2",
                "{action_pattern: 'db.*'} | {action: {name: db.drop}} | 2",
                "{action_pattern: 'db.*'} | {action: {name: db}} | 0",
                "{action_pattern: 'db.*.x'} | {action: {name: db.a.x}} | 2",
                "{action_pattern: 'db.*.x'} | {action: {name: db.a.y}} | 0",
                "{action_pattern: '*.drop'} | {action: {name: db.drop}} | 2",
                "{action_pattern: '**'} | {action: {name: any}} | 2",
                "{resource_pattern: '*'} | {resource: {type: doc, id: a/b}} | 2",
                "{resource_pattern: 'doc/*'} | {resource: {type: doc, id: a/b}} | 2",
                "{resource_pattern: 'doc/a/b'} | {resource: {type: doc, id: a/b}} | 2",
                "{resource_pattern: 'doc/a/*'} | {resource: {type: doc, id: a/b}} | 2",
                "{resource_pattern: 'doc/a'} | {resource: {type: doc, id: a/b}} | 0",
                "{resource_pattern: 'd*/a*'} | {resource: {type: doc, id: a/b}} | 2",
                "{resource_pattern: '*/x'} | {resource: {type: doc, id: a/b}} | 0",
                "{resource_pattern: 'tool/a/b'} | {resource: {type: doc, id: a/b}} | 0",
                "{rule_expr: {when: {field: action, op: '==', value: other}}} | '' | 0",
                "{rule_expr: {when: {field: action, op: '==', value: run}}} | '' | 2",
                "{rule_expr: {when: {field: region, op: '==', value: eu}}} | '' | 1",
                "{rule_expr: {when: {field: region, op: '==', value: eu}}} | {context: {region: eu}} | 2",
                "{enabled: false} | '' | 0",
            })
    void aRowCountsWhereActionResourceAndConditionAgree(String row, String request, int truth) {
        assertThat(Rows.truth(row, request)).isEqualTo(truth);
    }

    @ParameterizedTest
    @CsvSource({"allow,ALLOW", "deny,DENY", "require_approval,REQUIRE_APPROVAL"})
    void theEffectIsTheOutcome(String effect, Outcome outcome) {
        assertThat(Rows.verdict(Rows.table("{effect: " + effect + "}"), "").outcome())
                .isEqualTo(outcome);
    }

    @Test
    void aModificationComesWithAnAllowAndAllowsNothingItself() {
        String modify = "{effect: modify, rule_expr: {then: {mode: draft}}}";
        assertThat(Rows.verdict(Rows.table(modify), "").outcome()).isEqualTo(Outcome.DENY);
        var verdict = Rows.verdict(Rows.table(modify, "{effect: allow}"), "");
        assertThat(verdict.outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(verdict.modifies()).isTrue();
    }

    private static Outcome delegated(String row, List<String> actions, String request) {
        Request made = Packs.request(Rows.BASE, request);
        var values = Rows.BASE.values(Map.of(), actions.isEmpty() ? Map.of() : Map.of("policies.delegated", actions));
        assertThat(values.changed().keySet())
                .isEqualTo(actions.isEmpty() ? Set.of() : Set.of("countersign/policies.delegated"));
        var evaluation = Rows.BASE.interpret(new Request("demo", made.call(), made.now(), values));
        Rows.table(row).judge(evaluation);
        return DenyOverrides.combine(evaluation).outcome();
    }

    @ParameterizedTest
    @CsvSource({
        "'{scope: user, scope_ref: u, effect: allow}'",
        "'{scope: user, scope_ref: \"*\", effect: allow}'",
        "'{scope: agent, scope_ref: a, owner: u, effect: allow}'"
    })
    void usersAndAgentsAllowOnlyWhatTheTenantDelegates(String row) {
        assertThat(delegated(row, List.of(), AGENT_OF_U)).isEqualTo(Outcome.DENY);
        assertThat(delegated(row, List.of("read"), AGENT_OF_U)).isEqualTo(Outcome.DENY);
        assertThat(delegated(row, List.of("r*"), AGENT_OF_U)).isEqualTo(Outcome.ALLOW);
    }

    @Test
    void whatUsersForbidThemselvesNeedsNoDelegation() {
        RowTable table = Rows.table("{effect: allow}", "{scope: user, scope_ref: u}");
        assertThat(Rows.verdict(table, USER).outcome()).isEqualTo(Outcome.DENY);
        assertThat(Rows.verdict(table, SERVICE).outcome()).isEqualTo(Outcome.ALLOW);
    }

    @Test
    void noPackMayDeclareWhatIsTheServersOwn() {
        assertThat(Rows.BASE.settings()).containsKey("policies.delegated");
        var pack = Packs.pack(Packs.rule("vip", "decision.deny(\"X\");"));
        for (String name : List.of("policies", "countersign")) {
            var taken = new dev.countersign.rules.pack.Pack(
                    name, "1", "", "", pack.vocabulary(), pack.templates(), List.of(), pack.bar(), pack.entities());
            assertThatThrownBy(() -> RuleBase.of(List.of(taken)))
                    .hasMessageContaining("`" + name + "` is the server's own");
        }
        var vocabulary = dev.countersign.rules.facts.Vocabulary.of(
                "greedy",
                List.of(),
                Map.of(),
                Map.of(
                        "policies.delegated",
                        new dev.countersign.rules.facts.NamedList(
                                "greedy", "policies.delegated", List.of("*"), null, "")),
                List.of());
        var greedy = new dev.countersign.rules.pack.Pack(
                "greedy", "1", "", "", vocabulary, Map.of(), List.of(), pack.bar(), pack.entities());
        assertThatThrownBy(() -> RuleBase.of(List.of(greedy)))
                .hasMessageContaining("`greedy` declares `policies.delegated`");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                USER + " | 2",
                AGENT_OF_U + " | 2",
                "{subject: {type: user, id: has-rows}} | 0",
                "{subject: {type: user, id: has-disabled-rows}} | 0",
                "{subject: {type: user, id: installed}} | 0",
                SERVICE + " | 0",
                BAD_OWNER + " | 1",
            })
    void theDefaultSetIsForUsersWithoutRowsOfTheirOwn(String request, int truth) {
        RowTable table = RowTable.of(
                Rows.BASE,
                Rows.VOCABULARY,
                "demo",
                List.of(
                        Rows.row("{scope: user, scope_ref: '*'}"),
                        Rows.row("{scope: user, scope_ref: has-rows, action_pattern: other}"),
                        Rows.row("{scope: user, scope_ref: has-disabled-rows, enabled: false}")),
                Set.of("installed"));
        Evaluation said = Rows.judge(table, Rows.request(request));
        assertThat(said.matched().isEmpty() ? said.unknown().size() : 2).isEqualTo(truth);
        assertThat(table.candidates(Rows.request(request))).hasSize(truth == 0 && !request.contains("service") ? 0 : 1);
    }

    private static final String UNFIT = "{name: gone, resource_pattern: 'tool/t-1', effect: %s, "
            + "rule_expr: {when: {field: no.longer, op: ==, value: x}}}";

    @ParameterizedTest
    @CsvSource({"deny", "require_approval", "modify"})
    void aRestrictingRowThatNoLongerFitsDeniesInItsPlaceAndNowhereElse(String effect) {
        RowTable table = Rows.table(String.format(UNFIT, effect), "{effect: allow, action_pattern: '*'}");
        var verdict = Rows.verdict(table, "");
        assertThat(verdict.outcome()).isEqualTo(Outcome.DENY);
        assertThat(verdict.reasons()).containsExactly("missing_attribute");
        assertThat(verdict.settledBy().meta()).containsEntry("name", "gone");
        assertThat(verdict.missing()).isEqualTo("rule_expr");
        assertThat(Rows.verdict(table, "{resource: {type: tool, id: t-2}}").outcome())
                .isEqualTo(Outcome.ALLOW);
        assertThat(Rows.verdict(table, "{action: {name: other}}").outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(table.unfit()).hasSize(1);
        assertThat(table.unfit().get(0).mistakes().get(0).pointer()).isEqualTo("/rule_expr/when/field");
    }

    @Test
    void anAllowThatNoLongerFitsNeverAllows() {
        RowTable table = Rows.table(String.format(UNFIT, "allow"));
        assertThat(Rows.verdict(table, "").outcome()).isEqualTo(Outcome.DENY);
        assertThat(Rows.verdict(table, "").reasons()).containsExactly("no_rule_allows");
        assertThat(table.unfit()).hasSize(1);
    }

    @Test
    void rowsComeAfterTheRulesAndThoseOfATenantAfterTheOperators() {
        RuleBase base = Packs.base(Packs.rule("action == \"run\"", "decision.deny(\"RULE\");"));
        var vocabulary = RowVocabulary.of(base.packs(), Map.of());
        var operator =
                RowTable.of(base, vocabulary, null, List.of(Rows.row("{scope: global, reason: OPERATOR}")), Set.of());
        var tenant = RowTable.of(base, vocabulary, "demo", List.of(Rows.row("{reason: TENANT}")), Set.of());
        Evaluation evaluation = base.interpret(Packs.request(base, ""));
        tenant.judge(evaluation);
        operator.judge(evaluation);
        assertThat(DenyOverrides.combine(evaluation).reasons()).containsExactly("RULE", "OPERATOR", "TENANT");
    }

    @Test
    void aTableJudgesNoOtherTenantAndNoOtherBase() {
        RowTable table = Rows.table("{}");
        Request request = Rows.request("");
        var other = new Request("other", request.call(), request.now(), request.values());
        assertThatThrownBy(() -> table.judge(Rows.BASE.interpret(other))).hasMessageContaining("another tenant");
        RuleBase base = Packs.base(Packs.rule("vip", "decision.deny(\"X\");"));
        assertThatThrownBy(() -> table.judge(base.interpret(Packs.request(base, ""))))
                .hasMessageContaining("another rule base");
        assertThatThrownBy(() -> RowTable.of(Rows.BASE, Rows.VOCABULARY, "other", List.of(Rows.row("{}")), Set.of()))
                .hasMessageContaining("another tenant's");
    }

    @Test
    void aTenantHasAsManyRowsAsTheLimitsSay() {
        PolicyRow exact = Rows.row("{}");
        PolicyRow pattern = Rows.row("{action_pattern: 'r*'}");
        assertThat(RowLimits.exceeded(exact, RowLimits.PER_ACTION - 1)).isNull();
        assertThat(RowLimits.exceeded(pattern, RowLimits.PATTERNS - 1)).isNull();
        assertThat(RowLimits.exceeded(exact, RowLimits.PER_ACTION))
                .extracting(JsonMistake::toString)
                .asString()
                .startsWith("/action_pattern: error J002: there are 2000 policies for this action");
        assertThat(RowLimits.exceeded(pattern, RowLimits.PATTERNS))
                .extracting(JsonMistake::toString)
                .asString()
                .contains("500 policies with `*`");
    }
}
