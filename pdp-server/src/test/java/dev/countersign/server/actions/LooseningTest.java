package dev.countersign.server.actions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which changes of an entry take a second person. */
class LooseningTest {
    private static final JsonNode ANY = JsonNodeFactory.instance.objectNode();
    private static final JsonNode OBJECT = JsonNodeFactory.instance.objectNode().put("type", "object");

    private static Action action(ActionClass actionClass, boolean reversible, @Nullable JsonNode schema) {
        return new Action("a", actionClass, reversible, "low", null, null, schema, List.of(), List.of(), 1);
    }

    private static Action digest(List<String> advisory, List<String> context) {
        return new Action("a", ActionClass.ACTION, false, "low", null, null, null, advisory, context, 1);
    }

    private static final Action PLAIN = action(ActionClass.ACTION, false, null);

    @Test
    void whatIsTakenAwayLoosens() {
        assertThat(Loosening.of(PLAIN, null)).hasSize(1);
        assertThat(Loosening.of(null, null)).isEmpty();
    }

    @Test
    void aFirstEntryLoosensIfItIsReversibleOrBindsLess() {
        assertThat(Loosening.of(null, PLAIN)).isEmpty();
        assertThat(Loosening.of(null, action(ActionClass.EGRESS, false, OBJECT)))
                .isEmpty();
        assertThat(Loosening.of(null, action(ActionClass.ACTION, true, null))).hasSize(1);
        assertThat(Loosening.of(null, digest(List.of("/a"), List.of("b")))).hasSize(2);
    }

    @Test
    void anotherClassLoosens() {
        assertThat(Loosening.of(PLAIN, action(ActionClass.EGRESS, false, null))).hasSize(1);
    }

    @Test
    void toBeReversibleLoosensAndNotToBeDoesNot() {
        Action reversible = action(ActionClass.ACTION, true, null);
        assertThat(Loosening.of(PLAIN, reversible)).hasSize(1);
        assertThat(Loosening.of(reversible, PLAIN)).isEmpty();
        assertThat(Loosening.of(reversible, reversible)).isEmpty();
    }

    @Test
    void aSchemaMayBeGivenAndNeitherChangedNorTakenAway() {
        Action any = action(ActionClass.ACTION, false, ANY);
        Action object = action(ActionClass.ACTION, false, OBJECT);
        assertThat(Loosening.of(PLAIN, object)).isEmpty();
        assertThat(Loosening.of(object, object)).isEmpty();
        assertThat(Loosening.of(object, any)).hasSize(1);
        assertThat(Loosening.of(any, object)).hasSize(1);
        assertThat(Loosening.of(object, PLAIN)).hasSize(1);
    }

    @Test
    void toBindLessLoosensAndToBindMoreDoesNot() {
        Action some = digest(List.of("/a"), List.of("b"));
        assertThat(Loosening.of(some, digest(List.of("/a", "/c"), List.of("b"))))
                .hasSize(1);
        assertThat(Loosening.of(some, digest(List.of("/a"), List.of("c")))).hasSize(1);
        assertThat(Loosening.of(some, PLAIN)).isEmpty();
        assertThat(Loosening.of(some, some)).isEmpty();
    }

    @Test
    void riskAndWordsLoosenNothing() {
        var other = new Action("a", ActionClass.ACTION, false, "critical", "o", "d", null, List.of(), List.of(), 2);
        assertThat(Loosening.of(PLAIN, other)).isEmpty();
        assertThat(Loosening.of(other, PLAIN)).isEmpty();
    }
}
