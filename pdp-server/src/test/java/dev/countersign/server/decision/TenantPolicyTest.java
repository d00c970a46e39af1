package dev.countersign.server.decision;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What every record of a tenant's decisions says of its values stays small, whatever the tenant sets. */
class TenantPolicyTest {
    private static final int LISTS = 40;
    private static final RuleBase BASE = base();

    private static RuleBase base() {
        var manifest = new StringBuilder("name: p\nparams:\n  limit: {type: number, default: 1}\nlists:\n");
        for (int i = 0; i < LISTS; i++) {
            manifest.append("  ")
                    .append(name(i))
                    .append(": {default: [], env: LIST_")
                    .append(i)
                    .append("}\n");
        }
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics).read("", Map.of("pack.yaml", manifest.toString(), "r.drl", """
                        package p
                        rule "r" when Request( action == "read" ) then decision.allow("OK"); end
                        """));
        assertThat(diagnostics.all()).isEmpty();
        return RuleBase.of(List.of(Objects.requireNonNull(pack)));
    }

    private static String name(int number) {
        return "list" + (number < 10 ? "0" : "") + number;
    }

    private static JsonNode record(TenantPolicy policy) {
        try {
            return new ObjectMapper().readTree("{" + policy.members().getValue().substring(1) + "}");
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode values(Map<String, Object> settings) {
        return record(TenantPolicy.of(BASE, Map.of(), settings, List.of())).path("values");
    }

    /** A list whose JSON has so many bytes; {@code character} has one byte or two. */
    private static List<String> list(String character, int bytes) {
        return List.of(
                character.repeat((bytes - "[\"\"]".length()) / character.getBytes(StandardCharsets.UTF_8).length));
    }

    private static String digest(Object value) {
        return "{\"sha256\":\"" + Sha256.hex(Setting.json(value).toString()) + "\"}";
    }

    @Test
    void valuesThatFitTogetherStandInTheRecordAsTheyAre() {
        List<String> most = list("é", 4_096 - "\"2.0\"".length() - 1);
        JsonNode values = values(Map.of("limit", 2.0, "list00", most));
        assertThat(values.path("p/limit").asText()).isEqualTo("2.0");
        assertThat(values.path("p/list00")).isEqualTo(Setting.json(most));
    }

    @Test
    void theLongestValuesStandAsDigestsUntilTheOthersFit() {
        List<String> longest = list("x", 3_000);
        List<String> first = list("x", 2_500);
        List<String> second = list("y", 2_500);
        JsonNode values = values(Map.of("limit", 2.0, "list00", second, "list01", longest, "list02", first));
        assertThat(values.path("p/list01").toString()).isEqualTo(digest(longest));
        assertThat(values.path("p/list00").toString())
                .as("the first by name of two")
                .isEqualTo(digest(second));
        assertThat(values.path("p/list02")).isEqualTo(Setting.json(first));
        assertThat(values.path("p/limit").asText()).isEqualTo("2.0");
    }

    @Test
    void bytesCountAndNotCharacters() {
        List<String> list = list("é", 4_200);
        assertThat(values(Map.of("list00", list)).path("p/list00").toString()).isEqualTo(digest(list));
    }

    @Test
    void manyLongListsMakeNoLongRecord() {
        var settings = new HashMap<String, Object>();
        for (int i = 0; i < LISTS; i++) {
            settings.put(name(i), Collections.nCopies(60, "entry " + i));
        }
        assertThat(TenantPolicy.of(BASE, Map.of(), settings, List.of())
                        .members()
                        .getValue())
                .hasSizeLessThan(4_096 + LISTS * "\"p/list00\":,".length() + 200);
    }

    @Test
    void aRecordIsKnownAgainByWhatMadeItAndByNothingElse() {
        Map<String, Object> settings = Map.of("list00", list("x", 3_000), "list01", list("y", 3_000), "limit", 2.0);
        TenantPolicy policy = TenantPolicy.of(BASE, Map.of(), settings, List.of());
        JsonNode record = record(policy);
        assertThat(policy.made(record)).isTrue();
        assertThat(TenantPolicy.of(BASE, Map.of(), settings, List.of()).made(record))
                .isTrue();
        for (String name : settings.keySet()) {
            var other = new HashMap<>(settings);
            other.put(name, name.equals("limit") ? 3.0 : list("z", 3_000));
            assertThat(TenantPolicy.of(BASE, Map.of(), other, List.of()).made(record))
                    .as(name)
                    .isFalse();
        }
    }

    @Test
    void aLongListOfTheEnvironmentStandsAsADigestToo() {
        String entry = "x".repeat(5_000);
        TenantPolicy policy = TenantPolicy.of(BASE, Map.of("LIST_0", entry));
        assertThat(record(policy).at("/values/p~1list00").toString()).isEqualTo(digest(List.of(entry)));
    }
}
