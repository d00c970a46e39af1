package dev.countersign.rules.rows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Rows for tests, written in YAML. */
final class Rows {
    static final ObjectMapper YAML = new YAMLMapper();

    /** A base of one rule that never matches what tests ask, with the names of {@link Packs#MANIFEST}. */
    static final RuleBase BASE = Packs.base(Packs.rule("action == \"never\"", "decision.allow(\"X\");"));

    static final RowVocabulary VOCABULARY = RowVocabulary.of(BASE.packs(), Map.of());

    private Rows() {}

    static JsonNode yaml(String text) {
        try {
            return YAML.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    /** A row of tenant demo that denies {@code run}, but for what is given; its id comes from its text. */
    static PolicyRow row(String text) {
        JsonNode given = yaml(text);
        boolean operator = given.path("scope").asText().equals("global")
                || given.path("operator").asBoolean();
        return new PolicyRow(
                given.path("id")
                        .asText(UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8))
                                .toString()),
                operator ? null : "demo",
                given.path("owner").asText(null),
                given.path("name").asText("a policy"),
                given.path("description").asText(null),
                Worded.of(PolicyRow.Scope.class, given.path("scope").asText("tenant")),
                given.path("scope_ref").asText(null),
                Worded.of(PolicyRow.Kind.class, given.path("effect").asText("deny")),
                given.path("action_pattern").asText("run"),
                given.path("resource_pattern").asText(null),
                given.get("rule_expr"),
                given.has("risk")
                        ? Worded.of(PolicyRow.Risk.class, given.path("risk").asText())
                        : null,
                given.path("reason").asText(null),
                given.path("enabled").asBoolean(true),
                1);
    }

    static RowTable table(String... rows) {
        return RowTable.of(
                BASE, VOCABULARY, "demo", Arrays.stream(rows).map(Rows::row).toList(), Set.of());
    }

    static Request request(String yaml) {
        return Packs.request(BASE, yaml);
    }

    static Evaluation judge(RowTable table, Request request) {
        var evaluation = Rows.BASE.interpret(request);
        table.judge(evaluation);
        return evaluation;
    }

    static Verdict verdict(RowTable table, String request) {
        return DenyOverrides.combine(judge(table, request(request)));
    }

    /** What the first row says of a request: 0 false, 1 unknown, 2 true. */
    static int truth(String row, String request) {
        Evaluation said = judge(table(row), request(request));
        return said.matched().isEmpty() ? said.unknown().size() : 2;
    }

    static List<String> names(List<dev.countersign.rules.engine.CompiledRule> rules) {
        return rules.stream().map(rule -> rule.rule().name()).sorted().toList();
    }
}
