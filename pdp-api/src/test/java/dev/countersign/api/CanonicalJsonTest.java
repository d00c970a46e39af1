package dev.countersign.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.FloatNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.POJONode;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CanonicalJsonTest {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    @TestFactory
    Stream<DynamicTest> everyValueHasTheCanonicalTextOfItsVectorOrIsRefused() {
        return Vectors.of("canonical.json").stream()
                .map(vector -> dynamicTest(vector.get("name").textValue(), () -> {
                    String json = vector.get("json").textValue();
                    if (vector.path("refused").booleanValue()) {
                        // Jackson already refuses half a surrogate pair in a name.
                        assertThatThrownBy(() -> CanonicalJson.of(Vectors.json(json)))
                                .isInstanceOfAny(NotCanonicalException.class, UncheckedIOException.class);
                        return;
                    }
                    JsonNode value = Vectors.json(json);
                    String canonical = vector.get("canonical").textValue();
                    String sha256 = vector.get("sha256").textValue();
                    assertThat(new String(CanonicalJson.of(value), UTF_8)).isEqualTo(canonical);
                    assertThat(CanonicalJson.sha256(value)).isEqualTo(sha256);
                    assertThat(CanonicalJson.sha256(Vectors.doubles(json))).isEqualTo(sha256);
                    assertThat(CanonicalJson.sha256(Vectors.json(canonical))).isEqualTo(sha256);
                }));
    }

    @TestFactory
    Stream<DynamicTest> twoValuesAreTheSameAsTheirVectorSays() {
        return Vectors.of("comparison.json").stream()
                .map(vector -> dynamicTest(vector.get("name").textValue(), () -> {
                    JsonNode a = Vectors.json(vector.get("a").textValue());
                    JsonNode b = Vectors.json(vector.get("b").textValue());
                    boolean same = vector.get("same").booleanValue();
                    assertThat(CanonicalJson.same(a, b)).isEqualTo(same);
                    assertThat(CanonicalJson.same(b, a)).isEqualTo(same);
                }));
    }

    @Test
    void aRefusalNamesThePlaceAndNeverTheValue() {
        assertThatThrownBy(() -> CanonicalJson.of(Vectors.json("{\"a/b\": [1, {\"m~n\": 9007199254740993}]}")))
                .isInstanceOf(NotCanonicalException.class)
                .hasMessageContaining("\"/a~1b/1/m~0n\"")
                .hasMessageNotContaining("9007199254740993");
        assertThatThrownBy(() -> CanonicalJson.of(
                        NODES.objectNode().set("a", NODES.objectNode().put("secret\ud800", 1))))
                .hasMessageContaining("\"/a\"")
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> CanonicalJson.of(Vectors.json("\"secret\\ud800\"")))
                .hasMessageContaining("\"\"")
                .hasMessageNotContaining("secret");
    }

    @Test
    void whatNoJsonTextHoldsIsRefused() {
        for (JsonNode value : new JsonNode[] {
            DoubleNode.valueOf(Double.NaN),
            DoubleNode.valueOf(Double.NEGATIVE_INFINITY),
            FloatNode.valueOf(Float.NaN),
            MissingNode.getInstance(),
            new POJONode("x"),
            NODES.binaryNode(new byte[1])
        }) {
            assertThatThrownBy(() -> CanonicalJson.of(value)).isInstanceOf(NotCanonicalException.class);
            assertThat(CanonicalJson.same(value, value)).isFalse();
        }
    }

    @Test
    void aSingleFloatHasTheTextThatItWouldBeWrittenWith() throws NotCanonicalException {
        assertThat(new String(CanonicalJson.of(FloatNode.valueOf(0.1f)), UTF_8)).isEqualTo("0.1");
    }

    @Test
    void nestingIsWrittenToItsBoundAndRefusedBehindIt() throws NotCanonicalException {
        int most = CanonicalJson.MAX_DEPTH;
        assertThat(CanonicalJson.of(nested(most))).hasSize(2 * most);
        assertThatThrownBy(() -> CanonicalJson.of(nested(most + 1))).isInstanceOf(NotCanonicalException.class);
        assertThat(CanonicalJson.same(nested(100_000), nested(100_000))).isFalse();
    }

    @Test
    void everyDoubleIsWrittenSoThatItIsReadBackAndNeverLongerThanJavaWritesIt() throws NotCanonicalException {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        for (int i = 0; i < 100_000; i++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(value)) {
                String text = new String(CanonicalJson.of(DoubleNode.valueOf(value)), UTF_8);
                assertThat(Double.parseDouble(text)).as("seed %d", seed).isEqualTo(value);
                assertThat(digits(text)).as("seed %d: %s", seed, text).isLessThanOrEqualTo(digits("" + value));
            }
        }
    }

    private static long digits(String number) {
        String mantissa = number.toLowerCase(Locale.ROOT).split("e")[0].replaceAll("[-.]", "");
        return mantissa.replaceAll("^0+|0+$", "").length();
    }

    private static JsonNode nested(int depth) {
        JsonNode value = NODES.arrayNode();
        for (int i = 1; i < depth; i++) {
            value = NODES.arrayNode().add(value);
        }
        return value;
    }
}
