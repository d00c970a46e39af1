package dev.countersign.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class BoundCallTest {
    private static final Map<String, JsonNode> VECTORS = Vectors.of("binding.json").stream()
            .collect(Collectors.toMap(vector -> vector.get("name").textValue(), vector -> vector));

    @TestFactory
    Stream<DynamicTest> everyCallHasTheHashAndTheDigestOfItsVectorOrIsRefused() {
        return VECTORS.values().stream()
                .map(vector -> dynamicTest(vector.get("name").textValue(), () -> {
                    JsonNode before = vector.deepCopy();
                    assertThat(bindingHash(vector))
                            .isEqualTo(vector.path("binding_hash").textValue());
                    assertThat(digest(vector)).isEqualTo(vector.path("digest").textValue());
                    assertThat(vector)
                            .as("what was handed in is left as it was")
                            .isEqualTo(before);
                }));
    }

    @TestFactory
    Stream<DynamicTest> aCallIsBoundLikeAnotherOrNotAsItsVectorSays() {
        return VECTORS.values().stream()
                .filter(vector -> vector.has("compared_with"))
                .map(vector -> dynamicTest(vector.get("name").textValue(), () -> {
                    JsonNode other = VECTORS.get(vector.get("compared_with").textValue());
                    boolean sameBinding = vector.get("same_binding").booleanValue();
                    assertThat(call(vector).sameAs(call(other))).isEqualTo(sameBinding);
                    assertThat(call(other).sameAs(call(vector))).isEqualTo(sameBinding);
                    assertThat(same(bindingHash(vector), bindingHash(other))).isEqualTo(sameBinding);
                    assertThat(same(digest(vector), digest(other)))
                            .isEqualTo(vector.get("same_digest").booleanValue());
                }));
    }

    @Test
    void aRefusalBeginsWithTheNameOfThePart() {
        JsonNode refused = VECTORS.get("refused: an integer that a double cannot carry");
        String pointer = "\"/resource/properties/amount\"";
        assertThatThrownBy(() -> call(refused).bindingHash()).hasMessageContaining(pointer);
        assertThatThrownBy(() -> call(refused).digest("acme", List.of(), List.of()))
                .isInstanceOf(NotCanonicalException.class)
                .hasMessageContaining(pointer);
    }

    @Test
    void noContextAtAllIsAnEmptyOne() throws NotCanonicalException {
        JsonNode call = VECTORS.get("a call").get("call");
        var none = BoundCall.of(call.get("subject"), call.get("action"), call.get("resource"), null, List.of("mode"));
        assertThat(none.bindingHash())
                .isEqualTo(VECTORS.get("no context").get("binding_hash").textValue());
    }

    private static boolean same(@Nullable String a, @Nullable String b) {
        return a != null && a.equals(b);
    }

    private static @Nullable String bindingHash(JsonNode vector) {
        try {
            return call(vector).bindingHash();
        } catch (NotCanonicalException e) {
            return null;
        }
    }

    private static @Nullable String digest(JsonNode vector) {
        JsonNode call = vector.get("call");
        var actors = new ArrayList<JsonNode>();
        call.get("actors").forEach(actors::add);
        try {
            return call(vector).digest(call.get("tenant").textValue(), actors, texts(call.get("advisory")));
        } catch (NotCanonicalException e) {
            return null;
        }
    }

    private static BoundCall call(JsonNode vector) {
        JsonNode call = vector.get("call");
        return BoundCall.of(
                call.get("subject"),
                call.get("action"),
                call.get("resource"),
                call.get("context"),
                texts(call.get("context_members")));
    }

    private static List<String> texts(JsonNode array) {
        var texts = new ArrayList<String>();
        array.forEach(text -> texts.add(text.textValue()));
        return texts;
    }
}
