package dev.countersign.rules.entities;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Unavailable;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EntityNeedsTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final EntityKey BOOKING = new EntityKey("reservation", "B7");
    private static final EntityKey CUSTOMER = new EntityKey("user", "mia");
    private static final String MANIFEST = """
            name: test
            entities:
              booking: {type: reservation, id: arguments.reservation_id}
              customer: {type: user, id: booking.user_id}
              manager: {type: user, id: entities.customer.manager}
            attributes:
              region: {type: text, from: context.region}
              department: {type: text, from: subject.properties.department, precedence: store}
              title: {type: text, from: subject.properties.title}
              status: {type: text, from: resource.properties.status, precedence: store}
              booking.cabin: {type: text, from: entities.booking.cabin}
              customer.certificates: {type: list, from: "entities.customer.payment_methods[*].id"}
              manager.name: {type: text, from: entities.manager.name}
            """;

    private static Pack pack(String condition) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                MANIFEST,
                                "r.drl",
                                "package test\nrule \"r\" when Request( " + condition
                                        + " ) then decision.allow(\"X\"); end\n"));
        assertThat(diagnostics.hasErrors()).as(diagnostics.all().toString()).isFalse();
        return pack;
    }

    private static EntityNeeds needs(String condition) {
        return EntityNeeds.ofRules(pack(condition).rules());
    }

    private static Call call(String subject, String resource) throws Exception {
        return Call.of(YAML.readTree(subject), YAML.readTree("{name: run}"), YAML.readTree(resource), null);
    }

    private static Call booking(String id) throws Exception {
        return call("{type: agent, id: a-1}", "{type: tool, id: t-1, properties: {reservation_id: " + id + "}}");
    }

    private static Found entity(EntityKey key, String yaml) throws Exception {
        JsonNode properties = YAML.readTree(yaml);
        return new Found.Entity(key, properties, 1, null);
    }

    private static Object value(String attribute, Call call) {
        Attribute found = pack("action == \"x\"").vocabulary().attributes().get(attribute);
        return found.read(call);
    }

    @ParameterizedTest
    @ValueSource(strings = {"action == \"x\"", "region == \"eu\"", "mode == \"auto\"", "amount > 5", "actor == null"})
    void rulesThatReadNothingStoredNeedNothing(String condition) throws Exception {
        EntityNeeds needs = needs(condition);
        assertThat(needs.none()).isTrue();
        Call call = booking("B7");
        assertThat(needs.resolve(call, keys -> {
                    throw new AssertionError("nobody is to be asked");
                }))
                .isSameAs(call);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "roles contains \"x\" | user/u-1",
                "count(groups) > 1 | user/u-1",
                "owner == \"x\" | user/u-1",
                "user == \"x\" | ''",
                "agent == \"x\" | ''",
                "department == \"x\" | user/u-1",
                "title == \"x\" | ''",
                "status == \"x\" | document/d-1",
                "status == \"x\", department == \"x\" | user/u-1, document/d-1",
                "booking.cabin == \"x\" | ''",
            })
    void aCallNeedsTheEntitiesThatItsRulesReadAndItsCallerLeavesOpen(String condition, String keys) throws Exception {
        Call call = call(
                "{type: user, id: u-1, properties: {title: boss, department: it}}",
                "{type: document, id: d-1, properties: {status: open}}");
        EntityLookup lookup = needs(condition).lookup(call);
        assertThat(lookup.missing().stream().map(EntityKey::toString)).hasToString("[" + keys + "]".replace("''", ""));
    }

    @Test
    void anAttributeThatTheCallerLeavesOutIsAskedFor() throws Exception {
        Call call = call("{type: user, id: u-1}", "{type: document, id: d-1}");
        assertThat(needs("title == \"x\"").lookup(call).missing()).containsExactly(new EntityKey("user", "u-1"));
    }

    @Test
    void whoseAgentItIsTheStoreSays() throws Exception {
        Call call = call("{type: agent, id: a-1, properties: {owner: claimed}}", "{type: tool, id: t-1}");
        EntityLookup lookup = needs("user == \"x\"").lookup(call);
        var agent = new EntityKey("agent", "a-1");
        assertThat(lookup.missing()).containsExactly(agent);
        lookup.answer(Map.of(agent, entity(agent, "{owner: mia}")));
        assertThat(value("user", lookup.call())).isEqualTo("mia");
    }

    @Test
    void aToolIsNotAskedFor() throws Exception {
        Call call = call("{type: user, id: u-1}", "{type: tool, id: d-1}");
        EntityLookup lookup = needs("status == \"x\"").lookup(call);
        assertThat(lookup.done()).isTrue();
        assertThat(value("status", lookup.call())).isNull();
    }

    @Test
    void referencesAreAskedForRoundByRound() throws Exception {
        EntityLookup lookup =
                needs("manager.name == \"x\", count(customer.certificates) > 1").lookup(booking("B7"));
        assertThat(lookup.missing()).containsExactly(BOOKING);
        lookup.answer(Map.of(BOOKING, entity(BOOKING, "{user_id: mia, cabin: economy}")));
        assertThat(lookup.missing()).containsExactly(CUSTOMER);
        lookup.answer(Map.of(CUSTOMER, entity(CUSTOMER, "{manager: bo, payment_methods: [{id: c1}, {id: c2}]}")));
        var bo = new EntityKey("user", "bo");
        assertThat(lookup.missing()).containsExactly(bo);
        lookup.answer(Map.of(bo, entity(bo, "{name: Bo}")));
        assertThat(lookup.done()).isTrue();
        assertThat(value("booking.cabin", lookup.call())).isEqualTo("economy");
        assertThat(value("customer.certificates", lookup.call())).isEqualTo(List.of("c1", "c2"));
        assertThat(value("manager.name", lookup.call())).isEqualTo("Bo");
    }

    @ParameterizedTest
    @CsvSource({"5, unavailable", "[B7], unavailable", "null, absent", "'', absent", "\"a\\0b\", absent"})
    void anIdThatCanBeNoneIsNotAskedFor(String id, String value) throws Exception {
        EntityLookup lookup = needs("customer.certificates contains \"x\"").lookup(booking(id.isEmpty() ? "''" : id));
        assertThat(lookup.done()).isTrue();
        Object read = value("customer.certificates", lookup.call());
        assertThat(read == null ? "absent" : read == Unavailable.VALUE ? "unavailable" : "there")
                .isEqualTo(value);
    }

    @Test
    void whatComesAfterAnUnknownEntityIsAbsentAndAfterASilentStoreUnavailable() throws Exception {
        EntityNeeds needs = needs("manager.name == \"x\"");
        Map<EntityKey, Found> unknown = new HashMap<>();
        unknown.put(BOOKING, Found.Nothing.UNKNOWN);
        assertThat(value("manager.name", needs.resolve(booking("B7"), keys -> unknown)))
                .isNull();
        assertThat(value("manager.name", needs.resolve(booking("B7"), keys -> Map.of())))
                .isEqualTo(Unavailable.VALUE);
    }

    @Test
    void needsOfTwoAreThoseOfBoth() throws Exception {
        EntityNeeds both = needs("booking.cabin == \"x\"").and(needs("roles contains \"x\""));
        Set<EntityKey> missing = both.lookup(booking("B7")).missing();
        assertThat(missing).containsExactlyInAnyOrder(BOOKING, new EntityKey("agent", "a-1"));
        assertThat(EntityNeeds.NONE.and(EntityNeeds.NONE).none()).isTrue();
        assertThat(EntityNeeds.NONE.and(both).none()).isFalse();
        assertThat(both.and(EntityNeeds.NONE)).isSameAs(both);
    }
}
