package dev.countersign.server.actions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.JsonMistake;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas of arguments: which can be used, and what they find. */
class ArgumentsSchemaTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PAYMENT = """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A payment", "type": "object",
             "required": ["amount", "to"], "additionalProperties": false,
             "properties": {"amount": {"type": "number", "exclusiveMinimum": 0},
                            "to": {"$ref": "#/$defs/party"}, "cc": {"type": "array", "items": {"$ref": "#/$defs/party"}},
                            "iban": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2}"}, "a/b~c": {"const": 1}},
             "patternProperties": {"^x-": {"type": "string"}},
             "$defs": {"party": {"type": "object", "properties": {"id": {"type": "string", "maxLength": 5}},
                                 "required": ["id"]}}}""";

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }

    private static ArgumentsSchema schema(String text) {
        assertThat(ArgumentsSchema.mistakes(json(text), "")).isEmpty();
        ArgumentsSchema made = ArgumentsSchema.of(json(text));
        assertThat(made.usable()).isTrue();
        return made;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}}|",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"x-y\": \"z\", \"iban\": \"DE12 34\", \"a/b~c\": 1}|",
                "{}|/amount /to",
                "{\"amount\": 0, \"to\": {\"id\": \"bob\"}}|/amount",
                "{\"amount\": \"1\", \"to\": {}}|/amount /to/id",
                "{\"amount\": 1, \"to\": {\"id\": \"barbara\"}}|/to/id",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"cc\": [{\"id\": \"a\"}, {\"id\": 7}]}|/cc/1/id",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"extra\": 1}|/extra",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"a/b~c\": 2}|/a~1b~0c",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"x-y\": 1}|/x-y",
                "{\"amount\": 1, \"to\": {\"id\": \"bob\"}, \"iban\": \"12\"}|/iban",
            })
    void placesThatBreakTheSchemaAreNamed(String arguments, String places) {
        assertThat(String.join(" ", schema(PAYMENT).unfit(json(arguments)))).isEqualTo(places == null ? "" : places);
    }

    @Test
    void noArgumentsAreAnEmptyObject() {
        assertThat(schema(PAYMENT).unfit(null)).containsExactly("/amount", "/to");
        assertThat(schema("{\"type\": \"object\"}").unfit(null)).isEmpty();
    }

    @Test
    void whatNoPartOfTheSchemaLooksAtCanBeRefused() {
        var schema = schema("{\"allOf\": [{\"properties\": {\"a\": true}}], \"unevaluatedProperties\": false}");
        assertThat(schema.unfit(json("{\"a\": 1}"))).isEmpty();
        assertThat(schema.unfit(json("{\"a\": 1, \"b\": 1}"))).containsExactly("/b");
    }

    @Test
    void aFormatChecksNothing() {
        var schema = schema("{\"properties\": {\"a\": {\"format\": \"email\"}}}");
        assertThat(schema.unfit(json("{\"a\": \"no address\"}"))).isEmpty();
    }

    @Test
    void onlyAFewPlacesAreNamedAndLongNamesAreCut() {
        var arguments = JSON.createObjectNode();
        IntStream.range(0, 50).forEach(i -> arguments.put("n".repeat(500) + i, i));
        assertThat(schema("{\"additionalProperties\": false}").unfit(arguments))
                .isNotEmpty()
                .hasSizeLessThanOrEqualTo(5)
                .allSatisfy(place -> assertThat(place).startsWith("/n").hasSizeLessThanOrEqualTo(200));
    }

    @Test
    void ofManyArgumentsOnePlaceIsEnough() {
        var arguments = JSON.createObjectNode();
        IntStream.range(0, 5_000).forEach(i -> arguments.put("n" + i, i));
        assertThat(schema("{\"additionalProperties\": {\"type\": \"string\"}}").unfit(arguments))
                .hasSize(1);
        assertThat(schema("{\"additionalProperties\": {\"type\": \"number\"}}").unfit(arguments))
                .isEmpty();
    }

    @Test
    void argumentsThatTakeTooLongToCheckAreRefusedWhole() {
        String parts =
                IntStream.range(0, 900).mapToObj(i -> "{\"type\": \"array\"}").collect(Collectors.joining(", "));
        var schema = schema("{\"properties\": {\"a\": {\"allOf\": [" + parts + "]}}}");
        var arguments = JSON.createObjectNode();
        var array = arguments.putArray("a");
        assertThat(schema.unfit(arguments)).isEmpty();
        IntStream.range(0, 100_000).forEach(array::add);
        assertThat(schema.unfit(arguments)).containsExactly("");
    }

    @Test
    void aPatternTakesTimeInProportionToTheText() {
        var schema = schema("{\"properties\": {\"a\": {\"pattern\": \"^(a+)+$\"}}}");
        assertThat(schema.unfit(JSON.createObjectNode().put("a", "a".repeat(5_000) + "!")))
                .containsExactly("/a");
        assertThat(schema.unfit(JSON.createObjectNode().put("a", "a".repeat(5_000))))
                .isEmpty();
        var names = schema("{\"patternProperties\": {\"^(a+)+$\": false}}");
        assertThat(names.unfit(JSON.createObjectNode().put("a".repeat(900) + "!", 1)))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]|",
                "7|",
                "true|",
                "{\"type\": \"text\"}|/type",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"minLength\": -1}}}|/properties/a/minLength",
                "{\"properties\": {\"a\": 7}}|/properties/a",
                "{\"required\": \"a\"}|/required",
                "{\"propertys\": {}}|/propertys",
                "{\"properties\": {\"a\": {\"maxlength\": 3}}}|/properties/a/maxlength",
                "{\"$id\": \"https://example.com/a\"}|/$id",
                "{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}|/$schema",
                "{\"$anchor\": \"a\"}|/$anchor",
                "{\"$dynamicRef\": \"#a\"}|/$dynamicRef",
                "{\"properties\": {\"a\": {\"$ref\": \"https://example.com/a\"}}}|/properties/a/$ref",
                "{\"$ref\": \"file:///etc/passwd\"}|/$ref",
                "{\"$ref\": \"other.json#/a\"}|/$ref",
                "{\"$ref\": \"https://json-schema.org/draft/2020-12/schema\"}|/$ref",
                "{\"$ref\": \"#/$defs/%61\", \"$defs\": {\"a\": {}}}|/$ref",
                "{\"$ref\": \"#name\"}|/$ref",
                "{\"properties\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}|",
                "{\"properties\": {\"a\": {\"$ref\": \"#\"}}}|",
                "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"items\": {\"$ref\": \"#/$defs/a\"}}}}|/$defs/a",
                "{\"pattern\": \"(a\"}|/pattern",
                "{\"pattern\": \"(?=a)b\"}|/pattern",
                "{\"pattern\": \"((a{100}){100}){100}\"}|/pattern",
                "{\"patternProperties\": {\"(?<!a)b\": {}}}|/patternProperties/(?<!a)b",
            })
    void whatIsNoUsableSchemaIsRefusedWithItsPlace(String text, String place) {
        assertThat(ArgumentsSchema.mistakes(json(text), ""))
                .extracting(JsonMistake::pointer)
                .contains(place == null ? "" : place);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"$ref\": \"https://example.com/a\"}",
                "{\"$ref\": \"#\"}",
                "{\"$ref\": \"#/nowhere\"}",
                "{\"pattern\": \"(?=a)\"}",
                "[]"
            })
    void whatIsStoredAndNoUsableSchemaRefusesAllArguments(String text) {
        ArgumentsSchema schema = ArgumentsSchema.of(json(text));
        assertThat(schema.usable()).isFalse();
        assertThat(schema.unfit(JSON.createObjectNode())).containsExactly("");
    }

    @Test
    void aSchemaThatGrowsByItsReferencesIsRefused() {
        var schema = JSON.createObjectNode();
        var defs = schema.putObject("$defs");
        IntStream.range(0, 40).forEach(i -> {
            var all = defs.putObject("d" + i).putArray("allOf");
            all.addObject().put("$ref", "#/$defs/d" + (i + 1));
            all.addObject().put("$ref", "#/$defs/d" + (i + 1));
        });
        defs.putObject("d40").put("type", "object");
        schema.put("$ref", "#/$defs/d0");
        assertThat(ArgumentsSchema.mistakes(schema, "/s"))
                .extracting(JsonMistake::pointer)
                .containsExactly("/s");
    }

    @Test
    void aSchemaOfMoreThan64KibIsRefused() {
        var schema = JSON.createObjectNode().put("title", "t".repeat(ArgumentsSchema.MAX_BYTES));
        assertThat(ArgumentsSchema.mistakes(schema, "/s")).hasSize(1);
        assertThat(ArgumentsSchema.mistakes(schema.put("title", "t".repeat(60_000)), "/s"))
                .isEmpty();
    }
}
