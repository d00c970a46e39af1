package dev.countersign.rules.rows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.JsonConditions;
import dev.countersign.rules.dialect.JsonMistake;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RuleExprSchemaTest {
    private static final int COUNT = Integer.getInteger("countersign.fuzz", 1_000);
    private static final long SEED = Long.getLong("countersign.seed", 20261121);
    private static final JsonSchema SCHEMA =
            JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(RowReader.schema());

    private static ObjectNode expr(JsonNode when) {
        return JsonNodeFactory.instance.objectNode().set("when", when);
    }

    private static boolean schemaAccepts(JsonNode expr) {
        return SCHEMA.validate(expr).isEmpty();
    }

    private static boolean readerAccepts(String effect, JsonNode expr) {
        return new RowReader(Rows.VOCABULARY)
                .read(Rows.row("{effect: " + effect + ", rule_expr: " + expr + "}"))
                .fits();
    }

    @Test
    void theSchemaItselfIsValid() {
        var meta = JsonSchemaFactory.getInstance(VersionFlag.V202012)
                .getSchema(com.networknt.schema.SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        assertThat(meta.validate(Rows.yaml(RowReader.schema()))).isEmpty();
    }

    @Test
    void whatIsWrittenRightIsAcceptedByBothAndMeansWhatItsRuleFileMeans() {
        var random = new Random(SEED);
        var conditions = new RandomConditions(random);
        for (int i = 0; i < COUNT; i++) {
            ObjectNode when = conditions.next(random.nextInt(5));
            String seed = "seed " + SEED + ", condition " + i + ": " + when;
            var mistakes = new ArrayList<JsonMistake>();
            Expr read = new JsonConditions(Rows.VOCABULARY.vocabulary(), mistakes::add).read(when, "");
            if (mistakes.stream().anyMatch(mistake -> mistake.code().name().equals("G033"))) {
                continue;
            }
            assertThat(mistakes).as(seed).isEmpty();
            assertThat(SCHEMA.validate(expr(when))).as(seed).isEmpty();
            Packs.Read gate = Packs.read(Packs.rule(Canonical.expr(read), "decision.allow(\"X\");"));
            assertThat(gate.diagnostics().hasErrors())
                    .as(seed + gate.diagnostics().all())
                    .isFalse();
            Expr again = gate.pack().rules().get(0).conditions().get(0);
            assertThat(Canonical.expr(again)).as(seed).isEqualTo(Canonical.expr(read));
            assertThat(shape(again)).as(seed).isEqualTo(shape(read));
        }
    }

    /** The tree without what its tests hold. */
    private static String shape(Expr expr) {
        return expr.getClass().getSimpleName()
                + expr.parts().stream().map(RuleExprSchemaTest::shape).toList();
    }

    @Test
    void whatTheSchemaRefusesTheReaderRefuses() {
        var random = new Random(SEED);
        var conditions = new RandomConditions(random);
        int refused = 0;
        for (int i = 0; i < COUNT; i++) {
            JsonNode when = conditions.spoiled(conditions.next(random.nextInt(4)));
            if (!schemaAccepts(expr(when))) {
                refused++;
                assertThat(readerAccepts("deny", expr(when)))
                        .as("seed " + SEED + ", condition " + i + ": " + when)
                        .isFalse();
            }
        }
        assertThat(refused).isGreaterThan(COUNT / 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{then: {}}",
                "{then: {template: default}}",
                "{then: {mode: draft}}",
                "{then: {mode: auto, limits: [{name: calls, max: 0, per: run}]}}",
                "{then: {limits: [{name: a, max: 1, per: minute}, {name: a.b-c, max: 2.5, per: session}]}}",
            })
    void everyKindOfThenIsAcceptedByTheSchemaAndForSomeEffectByTheReader(String text) {
        JsonNode expr = Rows.yaml(text);
        assertThat(schemaAccepts(expr)).isTrue();
        assertThat(List.of("allow", "require_approval", "modify")).anyMatch(effect -> readerAccepts(effect, expr));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "5",
                "{wen: {}}",
                "{when: null}",
                "{then: null}",
                "{then: {mode: draft, template: default}}",
                "{then: {mode: dry}}",
                "{then: {limits: []}}",
                "{then: {limits: [{name: a, max: 1}]}}",
                "{then: {limits: [{name: a, max: -1, per: day}]}}",
                "{then: {limits: [{name: a, max: 1, per: week}]}}",
                "{then: {limits: [{name: 5a, max: 1, per: day}]}}",
                "{then: {limits: [{name: a, max: x, per: day}]}}",
                "{when: {not: {not: {not: {not: {not: {field: vip}}}}}}}",
            })
    void whatNoEffectCanHaveIsRefusedByBoth(String text) {
        JsonNode expr = Rows.yaml(text);
        assertThat(schemaAccepts(expr)).isFalse();
        assertThat(List.of("allow", "deny", "require_approval", "modify"))
                .noneMatch(effect -> readerAccepts(effect, expr));
    }
}
