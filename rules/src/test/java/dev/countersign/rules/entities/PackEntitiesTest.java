package dev.countersign.rules.entities;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.scenarios.PackTest;
import dev.countersign.rules.scenarios.PackTestResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackEntitiesTest {
    private static final String MANIFEST = """
            name: air
            entities:
              booking: {type: reservation, id: arguments.reservation_id}
              customer: {type: user, id: booking.user_id}
            attributes:
              department: {type: text, from: subject.properties.department, precedence: store}
              booking.cabin: {type: text, from: entities.booking.cabin}
              customer.certificates: {type: list, from: "entities.customer.payment_methods[*].id"}
              customer.kinds: {type: list, from: "entities.customer.payment_methods[*].kind"}
            tests: {rules: 0, conditions: 0, needed: 0}
            """;
    private static final String RULES = """
            package air
            rule "roles" when Request( roles contains "boss" ) then decision.allow("BOSS"); end
            rule "department" when Request( department == "it" ) then decision.allow("IT"); end
            rule "cabin" when Request( booking.cabin == "economy" ) then decision.allow("ECONOMY"); end
            rule "certificates" when Request( count(customer.certificates, "c*") > 1, customer.kinds contains "gift" ) then decision.allow("RICH"); end
            """;
    private static final String LINES = """
            {"type":"user","id":"mia","attributes":{"payment_methods":[{"id":"c1","kind":"gift"},{"id":"c2","kind":"card"}]},"roles":["boss"]}

            {"type":"reservation","id":"B7","attributes":{"cabin":"economy","user_id":"mia"},"owner":"mia"}
            """;

    private static Pack pack(Diagnostics diagnostics, String lines) {
        return new PackReader(diagnostics)
                .read("p", Map.of("pack.yaml", MANIFEST, "rules.drl", RULES, "entities/all.jsonl", lines));
    }

    private static List<String> said(String lines) {
        var diagnostics = new Diagnostics();
        pack(diagnostics, lines);
        return diagnostics.all().stream().map(Diagnostic::toString).toList();
    }

    @Test
    void aPackCarriesEntitiesWithTheirRelationsBesideTheirAttributes() {
        var diagnostics = new Diagnostics();
        PackEntities entities = pack(diagnostics, LINES).entities();
        assertThat(diagnostics.all()).isEmpty();
        assertThat(entities.size()).isEqualTo(2);
        Found found = entities.find(new EntityKey("reservation", "B7"));
        assertThat(found).isInstanceOf(Found.Entity.class);
        var entity = (Found.Entity) found;
        assertThat(entity.properties())
                .hasToString(
                        "{\"cabin\":\"economy\",\"user_id\":\"mia\",\"roles\":[],\"groups\":[],\"owner\":\"mia\",\"delegates\":[]}");
        assertThat(entity.pack()).isEqualTo("air");
        assertThat(entities.find(new EntityKey("user", "B7"))).isEqualTo(Found.Nothing.UNKNOWN);
    }

    @Test
    void theDigestOfAPackCoversItsEntities() {
        String one = pack(new Diagnostics(), LINES).digest();
        assertThat(pack(new Diagnostics(), LINES).digest()).isEqualTo(one);
        assertThat(pack(new Diagnostics(), LINES.replace("mia", "bo")).digest()).isNotEqualTo(one);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"type\":\"user\"} | `id` is a text of 1 to 200 characters",
                "{\"id\":\"x\"} | `type` is a text",
                "{\"type\":\"user\",\"id\":\"\"} | `id` is a text",
                "{\"type\":\"user\",\"id\":\"a\\u0000b\"} | without NUL",
                "[1] | `type` is a text",
                "{\"type\":\"user\",\"id\":\"x\",\"role\":[]} | no member `role`",
                "{\"type\":\"user\",\"id\":\"x\",\"roles\":\"boss\"} | `roles` is a list of texts",
                "{\"type\":\"user\",\"id\":\"x\",\"groups\":[1]} | an entry of `groups` is a text",
                "{\"type\":\"user\",\"id\":\"x\",\"owner\":\"\"} | `owner` is a text",
                "{\"type\":\"user\",\"id\":\"x\",\"attributes\":[]} | `attributes` is an object",
                "{\"type\":\"user\",\"id\":\"x\",\"attributes\":{\"roles\":[\"boss\"]}} | would hide a relation",
                "{\"type\":\"user\",\"id\":\"x\",\"attributes\":{\"a\":1,\"a\":2}} | at column",
                "{\"type\":\"user\",\"id\":\"mia\"} | there is another entity `user/mia` in this pack",
                "nonsense | not valid JSON",
            })
    void everyLineThatIsNoneIsSaidWithItsNumber(String line, String message) {
        assertThat(said(LINES + line + "\n"))
                .singleElement()
                .satisfies(said -> assertThat(said)
                        .startsWith("p/entities/all.jsonl:4:1: error Y003: ")
                        .contains(message));
    }

    @Test
    void entitiesHaveBounds() {
        String big = "x".repeat(EntityData.MAX_ATTRIBUTES);
        assertThat(said("{\"type\":\"user\",\"id\":\"x\",\"attributes\":{\"a\":\"" + big + "\"}}"))
                .singleElement()
                .asString()
                .contains("at most 65536 bytes");
        String many = "\"r\",".repeat(1_000) + "\"r\"";
        assertThat(said("{\"type\":\"user\",\"id\":\"x\",\"roles\":[" + many + "]}"))
                .singleElement()
                .asString()
                .contains("at most 1000 entries, not 1001");
        assertThat(said("x\n".repeat(500))).hasSize(100);
    }

    @Test
    void namesAreOrderedByCodePoints() {
        var diagnostics = new Diagnostics();
        var lines = new StringBuilder();
        for (String id : List.of("\ud83d\ude00", "\uffee", "b", "ab", "a")) {
            lines.append("{\"type\":\"user\",\"id\":\"").append(id).append("\"}\n");
        }
        assertThat(pack(diagnostics, lines.toString()).entities().page("user", "a", 3))
                .extracting(carried -> carried.key().id())
                .containsExactly("ab", "b", "\uffee");
    }

    @Test
    void twoPacksCannotCarryOneEntity(@TempDir Path folder) throws IOException {
        for (String name : List.of("one", "two")) {
            Path pack = Files.createDirectories(folder.resolve(name).resolve("entities"))
                    .getParent();
            Files.writeString(pack.resolve("pack.yaml"), "name: " + name + "\n");
            Files.writeString(
                    pack.resolve("r.drl"),
                    "package " + name + "\nrule \"r\" when Request() then decision.allow(\"X\"); end\n");
            Files.writeString(pack.resolve("entities/users.jsonl"), "{\"type\":\"user\",\"id\":\"mia\"}\n");
        }
        var diagnostics = new Diagnostics();
        List<Pack> packs = new PackReader(diagnostics).read(List.of(folder));
        assertThat(diagnostics.all())
                .singleElement()
                .asString()
                .contains("`one` and `two` both carry the entity `user/mia`");
        assertThatThrownBy(() ->
                        PackEntities.union(packs.stream().map(Pack::entities).toList()))
                .isInstanceOf(IllegalArgumentException.class);
        Files.writeString(folder.resolve("two/entities/users.json"), "[]");
        Files.delete(folder.resolve("two/entities/users.jsonl"));
        var again = new Diagnostics();
        new PackReader(again).read(List.of(folder));
        assertThat(again.all())
                .singleElement()
                .asString()
                .contains("users.json")
                .contains("*.jsonl");
    }

    private static PackTestResult test(Path folder, String cases) throws IOException {
        Files.createDirectories(folder.resolve("entities"));
        Files.createDirectories(folder.resolve("scenarios"));
        Files.writeString(folder.resolve("pack.yaml"), MANIFEST);
        Files.writeString(folder.resolve("rules.drl"), RULES);
        Files.writeString(folder.resolve("entities/all.jsonl"), LINES);
        Files.writeString(folder.resolve("scenarios/a.yaml"), """
                        suite: a
                        clock: 2026-03-02T09:00:00Z
                        defaults: {subject: {type: agent, id: a-1}, action: {name: run}, resource: {type: tool, id: t-1}}
                        cases:
                        """ + cases);
        return PackTest.run(List.of(folder));
    }

    @Test
    void casesAreJudgedWithThePacksEntitiesAndWhatTheyGiveOverThem(@TempDir Path folder) throws IOException {
        PackTestResult result = test(folder, """
                  - name: what the subject is given is what the store says
                    given: {subject: {type: agent, id: a-1, properties: {roles: [boss], department: it}}}
                    expect: {decision: allow, reasons: [BOSS, IT]}
                  - name: the pack knows the subject
                    given: {subject: {type: user, id: mia}}
                    expect: {decision: allow, reasons: [BOSS]}
                  - name: the pack knows what the call names, and whose it is
                    given: {resource: {type: tool, id: t-1, properties: {reservation_id: B7}}}
                    expect: {decision: allow, reasons: [ECONOMY, RICH]}
                  - name: attributes of what the call names
                    given: {resource: {type: tool, id: t-1, properties: {reservation_id: B8}}}
                    table:
                      columns: [booking.cabin, customer.certificates, customer.kinds, decision, reasons]
                      rows:
                        - [economy, [], [], allow, [ECONOMY]]
                        - [business, [c1, c2], [gift], deny, [no_rule_allows]]
                        - [business, [c1, c2], [gift, gift], allow, [RICH]]
                        - [null, [x], [], deny, [no_rule_allows]]
                  - name: by name in given
                    given: {resource: {type: tool, id: t-1, properties: {reservation_id: B7}}, booking.cabin: business}
                    expect: {decision: allow, reasons: [RICH]}
                """);
        assertThat(result.diagnostics()).isEmpty();
        assertThat(result.reports().get(0).results())
                .allSatisfy(one ->
                        assertThat(one.failures()).as(one.scenario().name()).isEmpty());
    }

    @Test
    void aCaseCannotGiveWhatItsCallDoesNotName(@TempDir Path folder) throws IOException {
        PackTestResult result = test(folder, """
                  - name: nothing named
                    given: {booking.cabin: economy}
                    expect: {decision: allow}
                  - name: misspelt
                    given: {booking.cabn: economy}
                    expect: {decision: allow}
                """);
        assertThat(result.diagnostics())
                .extracting(Diagnostic::message)
                .anySatisfy(said -> assertThat(said).contains("it names no `booking` (arguments.reservation_id)"))
                .anySatisfy(said -> assertThat(said).contains("no key `booking.cabn`"));
    }
}
