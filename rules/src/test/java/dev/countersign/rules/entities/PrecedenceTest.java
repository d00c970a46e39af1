package dev.countersign.rules.entities;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Precedence;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.facts.Unavailable;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose word counts, for every precedence and everything that caller and store may say. */
class PrecedenceTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final String RULES = "package test\nrule \"r\" when Request() then decision.allow(\"X\"); end\n";
    private static final String ENTITIES = """
            entities:
              booking: {type: reservation, id: arguments.reservation_id}
              customer: {type: user, id: booking.user_id}
            """;

    private static Attribute attribute(String declaration) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                "name: test\n" + ENTITIES + "attributes:\n  x: " + declaration + "\n",
                                "r.drl",
                                RULES));
        assertThat(diagnostics.all()).isEmpty();
        return pack.vocabulary().attributes().get("x");
    }

    private static JsonNode json(String yaml) throws Exception {
        return YAML.readTree(yaml);
    }

    /** A call whose subject and resource have {@code x} as the caller says, in YAML; {@code -} for not at all. */
    private static Call call(String caller, String resourceType) throws Exception {
        JsonNode properties = json(caller.equals("-") ? "{}" : "{x: " + caller + "}");
        var subject = YAML.createObjectNode().put("type", "user").put("id", "u-1");
        subject.set("properties", properties);
        var resource = YAML.createObjectNode().put("type", resourceType).put("id", "r-1");
        resource.set("properties", properties);
        return Call.of(subject, json("{name: read}"), resource, null);
    }

    private static Found found(String store) throws Exception {
        return switch (store) {
            case "unknown" -> Found.Nothing.UNKNOWN;
            case "down" -> Found.Nothing.UNAVAILABLE;
            case "-" -> new Found.Entity(new EntityKey("t", "i"), json("{}"), 1, null);
            default -> new Found.Entity(new EntityKey("t", "i"), json("{x: " + store + "}"), 1, null);
        };
    }

    private static String read(Attribute attribute, Call call) {
        Object value = attribute.read(call);
        return value == null ? "absent" : value == Unavailable.VALUE ? "unavailable" : value.toString();
    }

    @ParameterizedTest
    @CsvSource({
        // precedence, caller, store, value, said by
        "caller, c, s, c, caller",
        "caller, c, -, c, caller",
        "caller, c, unknown, c, caller",
        "caller, c, down, c, caller",
        "caller, c, 5, c, caller",
        "caller, -, s, s, store",
        "caller, -, -, absent, nobody",
        "caller, -, unknown, absent, nobody",
        "caller, -, down, unavailable, store",
        "caller, -, 5, unavailable, store",
        "caller, null, s, s, store",
        "caller, 5, s, unavailable, caller",
        "caller, 5, down, unavailable, caller",
        "store, c, s, s, store",
        "store, c, -, absent, nobody",
        "store, c, unknown, absent, nobody",
        "store, c, down, unavailable, store",
        "store, c, 5, unavailable, store",
        "store, -, s, s, store",
        "store, -, -, absent, nobody",
        "store, -, unknown, absent, nobody",
        "store, -, down, unavailable, store",
        "store, -, 5, unavailable, store",
        "store, 5, s, s, store",
        "store, c, null, absent, nobody",
    })
    void theValueIsWhatThePrecedenceSays(String precedence, String caller, String store, String value, String by)
            throws Exception {
        for (String part : List.of("subject", "resource")) {
            Attribute attribute =
                    attribute("{type: text, from: " + part + ".properties.x, precedence: " + precedence + "}");
            Found other = new Found.Entity(new EntityKey("t", "o"), json("{x: of another}"), 1, null);
            Call call = call(caller, "document")
                    .with(
                            part.equals("subject")
                                    ? new Stored(found(store), other, Map.of())
                                    : new Stored(other, found(store), Map.of()));
            assertThat(read(attribute, call)).as(part).isEqualTo(value);
            Precedence said = attribute.saidBy(call);
            assertThat(said == null ? "nobody" : said.word()).as(part).isEqualTo(by);
        }
    }

    @ParameterizedTest
    @CsvSource({"caller, c, c", "caller, -, absent", "store, c, unavailable", "store, -, unavailable"})
    void aStoreThatWasNotAskedSaysNothingInItsCallersPlace(String precedence, String caller, String value)
            throws Exception {
        Attribute attribute = attribute("{type: text, from: subject.properties.x, precedence: " + precedence + "}");
        assertThat(read(attribute, call(caller, "document"))).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"caller, c, c", "caller, -, absent", "store, c, absent", "store, -, absent"})
    void aToolIsNoStoredEntity(String precedence, String caller, String value) throws Exception {
        Attribute attribute = attribute("{type: text, from: resource.properties.x, precedence: " + precedence + "}");
        Call call = call(caller, "tool").with(new Stored(found("s"), found("s"), Map.of()));
        assertThat(read(attribute, call)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"s, s", "-, absent", "unknown, absent", "down, unavailable", "5, unavailable"})
    void whatIsReadOfAReferenceIsTheStoresAlone(String store, String value) throws Exception {
        Attribute attribute = attribute("{type: text, from: entities.booking.x}");
        assertThat(attribute.precedence()).isEqualTo(Precedence.STORE);
        Call call = call("c", "tool");
        assertThat(read(attribute, call)).as("not asked").isEqualTo("unavailable");
        var reference = attribute.source().reference();
        assertThat(read(attribute, call.with(new Stored(found("c"), found("c"), Map.of(reference, found(store))))))
                .isEqualTo(value);
    }

    @ParameterizedTest
    @EnumSource(
            value = BuiltIn.class,
            names = {"ROLES", "GROUPS", "OWNER", "USER"})
    void theRelationsOfTheSubjectAreTheStores(BuiltIn field) {
        assertThat(field.attribute().precedence()).isEqualTo(Precedence.STORE);
    }

    @Test
    void allOtherBuiltInFieldsAreTheCallers() {
        assertThat(BuiltIn.all().stream()
                        .filter(field -> field.precedence() == Precedence.STORE)
                        .map(Attribute::name))
                .containsExactly("roles", "groups", "owner", "user");
    }

    @ParameterizedTest
    @ValueSource(strings = {"roles", "groups", "delegates"})
    void aRelationUnderAnotherNameIsTheStoresToo(String relation) {
        assertThat(attribute("{type: list, from: subject.properties." + relation + "}")
                        .precedence())
                .isEqualTo(Precedence.STORE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{type: text, from: context.x, precedence: store} | only where it reads a member of",
                "{type: text, from: arguments.x, precedence: store} | only where it reads a member of",
                "{type: text, from: subject.id, precedence: store} | only where it reads a member of",
                "{type: text, from: subject.x, precedence: store} | only where it reads a member of",
                "{type: text, from: subject.properties, precedence: store} | only where it reads a member of",
                "{type: text, from: subject.properties.x, precedence: stored} | is caller or store",
                "{type: list, from: subject.properties.roles, precedence: caller} | callers are not believed",
                "{type: text, from: entities.booking.x, precedence: caller} | callers are not believed",
                "{type: text, from: entities.nothing.x} | declared under `entities:`",
                "{type: text, from: entities.booking} | declared under `entities:`",
                "{type: text, from: 'entities.customer.cards[*].id'} | list",
            })
    void aPrecedenceThatCannotBeIsADiagnostic(String declaration, String said) {
        var diagnostics = new Diagnostics();
        new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                "name: test\n" + ENTITIES + "attributes:\n  x: " + declaration + "\n",
                                "r.drl",
                                RULES));
        assertThat(diagnostics.all())
                .singleElement()
                .asString()
                .startsWith("pack.yaml:6:1: error Y001")
                .contains(said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a: {id: arguments.x} | needs a `type:`",
                "a: {type: user} | needs `id:`",
                "a.b: {type: user, id: arguments.x} | is not a name for an entity",
                "subject: {type: user, id: arguments.x} | is not a name for an entity",
                "a: {type: user, id: 'arguments.x[*]'} | not the path of one value",
                "a: {type: user, id: a.x} | not the path of one value",
                "a: {type: user, id: later.x} | not the path of one value",
                "a: {type: user, id: booking} | not the path of one value",
                "a: {type: user, id: customer.x}, b: {type: user, id: a.x} | more than 3 references away",
            })
    void aReferenceThatCannotBeIsADiagnostic(String declaration, String said) {
        var diagnostics = new Diagnostics();
        String manifest = "name: test\nentities: {booking: {type: reservation, id: arguments.reservation_id},"
                + " customer: {type: user, id: booking.user_id}, " + declaration + ", later: {type: user, id:"
                + " arguments.y}}\n";
        new PackReader(diagnostics).read("", Map.of("pack.yaml", manifest, "r.drl", RULES));
        assertThat(diagnostics.all()).singleElement().asString().contains(said);
    }

    @Test
    void attributesOfOnePathAndAnotherPrecedenceAreKeptApart() throws Exception {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics).read("", Map.of("pack.yaml", """
                name: test
                attributes:
                  said: {type: text, from: subject.properties.x}
                  stored: {type: text, from: subject.properties.x, precedence: store}
                """, "r.drl", RULES));
        var base = RuleBase.of(List.of(pack));
        Call call = call("c", "document").with(new Stored(found("s"), found("-"), Map.of()));
        var request = new Request("demo", call, Packs.NOW, base.values(Map.of(), Map.of()));
        for (String name : List.of("said", "stored")) {
            Attribute attribute = pack.vocabulary().attributes().get(name);
            assertThat(request.value(attribute, base.layout().slot(attribute)))
                    .isEqualTo(name.equals("said") ? "c" : "s");
        }
    }
}
