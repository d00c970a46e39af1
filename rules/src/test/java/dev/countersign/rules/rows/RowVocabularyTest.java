package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowVocabularyTest {
    private static Pack pack(String name, String path, int value, String entry, int quorum) {
        String manifest = """
                name: %s
                version: 1.0.0
                attributes:
                  same: {type: text, from: context.same}
                  part: {type: text, from: context.%s}
                params:
                  equal: {type: number, default: 1}
                  floor: {type: number, default: %d}
                lists:
                  words: {default: [%s]}
                approvals:
                  ask:
                    stages: [{quorum: %d, roles: [boss]}]
                    decide_within: 1h
                    use_within: 15m
                """.formatted(name, path, value, entry, quorum);
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                manifest,
                                "r.drl",
                                "package " + name
                                        + "\nrule \"r\" when Request( same == \"x\", action == \"a\" ) then decision.allow(\"A\"); end"));
        assertThat(diagnostics.all().stream().filter(each -> !each.code().warning()))
                .isEmpty();
        return pack;
    }

    private static final List<Pack> PACKS = List.of(pack("one", "part", 1, "a", 1), pack("two", "other", 2, "b", 2));

    private static List<JsonMistake> mistakes(RowVocabulary vocabulary, String row) {
        return new RowReader(vocabulary).read(Rows.row(row)).mistakes();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{rule_expr: {when: {field: part, op: ==, value: x}}} | the name `part` is ambiguous",
                "{rule_expr: {when: {field: amount, op: <, value: {param: floor}}}} | the parameter `floor` is ambiguous",
                "{rule_expr: {when: {field: same, op: memberOf, value: {list: words}}}} | the list `words` is ambiguous",
                "{effect: require_approval, rule_expr: {then: {template: ask}}} | the approval template `ask` is ambiguous",
            })
    void aNameThatTwoPacksDeclareDifferentlyIsRefusedAndBothAreNamed(String row, String message) {
        List<JsonMistake> mistakes = mistakes(RowVocabulary.of(PACKS, Map.of()), row);
        assertThat(mistakes).hasSize(1);
        assertThat(mistakes.get(0).message()).isEqualTo(message);
        assertThat(mistakes.get(0).hint()).contains("`one`", "`two`");
        assertThat(mistakes(RowVocabulary.of(PACKS.subList(1, 2), Map.of()), row))
                .isEmpty();
    }

    @Test
    void whatTwoPacksDeclareAlikeIsOneName() {
        var vocabulary = RowVocabulary.of(PACKS, Map.of());
        assertThat(mistakes(vocabulary, "{rule_expr: {when: {field: same, op: ==, value: x}}}"))
                .isEmpty();
        assertThat(mistakes(vocabulary, "{rule_expr: {when: {field: amount, op: <, value: {param: equal}}}}"))
                .isEmpty();
    }

    @Test
    void aTemplateOfTheServerGoesBeforeThoseOfPacks() {
        var own = new ApprovalTemplate(
                "ask",
                List.of(new ApprovalTemplate.Stage("stage 1", 3, List.of("boss"))),
                Duration.ofHours(1),
                Duration.ofMinutes(5));
        var vocabulary = RowVocabulary.of(PACKS, Map.of("ask", own));
        assertThat(mistakes(vocabulary, "{effect: require_approval, rule_expr: {then: {template: ask}}}"))
                .isEmpty();
        assertThat(vocabulary.templates()).containsEntry("ask", own);
    }
}
