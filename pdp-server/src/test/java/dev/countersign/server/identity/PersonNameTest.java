package dev.countersign.server.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names that people would read as one are one. */
class PersonNameTest {
    @ParameterizedTest
    @CsvSource({
        "Ada Lovelace, ADA  lovelace",
        "Jos\u00e9, Jose\u0301",
        "Ada Lovelace, Ada\u00a0Lovelace",
        "\u039f\u0394\u039f\u03a3, \u03bf\u03b4\u03bf\u03c2",
        "\u00c9lodie, \u00e9lodie",
        "Stra\u00dfe, STRASSE",
        "\uff21\uff44\uff41, Ada"
    })
    void spellingsOfOneNameAreOnePerson(String one, String other) {
        assertThat(PersonName.of(one).folded()).isEqualTo(PersonName.of(other).folded());
    }

    @ParameterizedTest
    @CsvSource({"Ada, Adam", "Jose, Jos\u00e9", "Ada L, AdaL"})
    void otherNamesAreOtherPersons(String one, String other) {
        assertThat(PersonName.of(one).folded())
                .isNotEqualTo(PersonName.of(other).folded());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ada\u200b", "\u202eadA", "A\u0007", "\u0000", "A\uE000", " "})
    void whatNobodySeesIsNoName(String text) {
        assertThatThrownBy(() -> PersonName.of(text)).hasMessageContaining("visible characters");
    }
}
