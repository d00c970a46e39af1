package dev.countersign.rules.facts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.PackReader;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttributeTest {
    private static int test(String condition, String region) {
        RuleBase base = Packs.base(Packs.rule(condition, "decision.deny(\"X\");"));
        return base.rules().get(0).test(Packs.request(base, "{context: {region: '" + region + "'}}"));
    }

    @Test
    void aTextThatIsTooLongToJudgeIsUnknownAndNotUnmatched() {
        assertThat(test("region matches \"a*\"", "a".repeat(Attribute.MAX_TEXT)))
                .isEqualTo(Condition.TRUE);
        assertThat(test("region matches \"a*\"", "a".repeat(Attribute.MAX_TEXT + 1)))
                .isEqualTo(Condition.UNKNOWN);
        assertThat(test("region == null", "a".repeat(Attribute.MAX_TEXT + 1))).isEqualTo(Condition.UNKNOWN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "now",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "+12026-01-01T00:00:00Z",
                "-0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59-05:00",
                "0000-01-01T00:00:00+01:00"
            })
    void whatIsNoTimeOfRfc3339OrCannotBeWrittenAsOneIsNoTime(String text) {
        assertThat(Attribute.parseTime(text)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"})
    void theFirstAndTheLastInstantAreTimes(String text) {
        assertThat(Attribute.parseTime(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"in", "true", "rule.name", "count", "decision"})
    void aPackCannotDeclareAWordOfTheLanguage(String name) {
        var diagnostics = new Diagnostics();
        new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                "name: test\nattributes:\n  '" + name + "': {type: text, from: context.x}\n",
                                "r.drl",
                                "package test\nrule \"r\" when Request() then decision.allow(\"X\"); end"));
        assertThat(diagnostics.all()).hasSize(1).first().asString().contains("rule language");
    }
}
