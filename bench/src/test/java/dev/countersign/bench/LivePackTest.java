package dev.countersign.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How the soak tells an answer by one version from one by half a change. */
class LivePackTest {
    private static final LivePack PAIR = LivePack.pair();

    private static JsonObject answer(boolean decision, List<String> reasons, String... by) {
        var obligations = new JsonArray();
        for (String each : by) {
            obligations.add(new JsonObject().put("properties", new JsonObject().put("by", each)));
        }
        return new JsonObject()
                .put("decision", decision)
                .put(
                        "context",
                        new JsonObject().put("reasons", new JsonArray(reasons)).put("obligations", obligations));
    }

    @Test
    void anAnswerThatIsWhollyOfOneVersionIsOfThatVersion() {
        assertThat(PAIR.version(answer(false, List.of("V1_0", "V1_1")))).isEqualTo(1);
        assertThat(PAIR.version(answer(true, List.of("V2_1", "V2_0"), "V2_0", "V2_1")))
                .isEqualTo(2);
        assertThat(PAIR.version(answer(true, List.of("CONFIDENT", "V3_0", "V3_1"), "V3_0", "V3_1")))
                .isEqualTo(3);
    }

    @Test
    void anAnswerThatMixesVersionsIsByHalfAChange() {
        assertThat(PAIR.version(answer(true, List.of("V2_0", "V3_1"), "V2_0", "V3_1")))
                .isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(true, List.of("V2_0", "V2_1"), "V2_0", "V3_1")))
                .isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(true, List.of("V2_0", "V2_1", "V3_0", "V3_1"), "V2_0", "V2_1")))
                .isEqualTo(LivePack.HALF);
    }

    @Test
    void anAnswerThatLacksOneOfTheTwoRulesIsByHalfAChange() {
        assertThat(PAIR.version(answer(false, List.of("V1_0")))).isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(true, List.of("V2_1"), "V2_1"))).isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(true, List.of("V2_0", "V2_1"), "V2_0"))).isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(true, List.of("CONFIDENT"), "V2_0"))).isEqualTo(LivePack.HALF);
    }

    @Test
    void aDecisionThatIsNotThatOfItsReasonsIsByHalfAChange() {
        assertThat(PAIR.version(answer(true, List.of("V1_0", "V1_1")))).isEqualTo(LivePack.HALF);
        assertThat(PAIR.version(answer(false, List.of("V2_0", "V2_1"), "V2_0", "V2_1")))
                .isEqualTo(LivePack.HALF);
    }

    @Test
    void anAnswerInWhichThePackHasNoSayIsOfNoVersion() {
        assertThat(PAIR.version(answer(true, List.of("CONFIDENT")))).isEqualTo(LivePack.NONE);
        assertThat(PAIR.version(new JsonObject().put("decision", false))).isEqualTo(LivePack.NONE);
    }
}
