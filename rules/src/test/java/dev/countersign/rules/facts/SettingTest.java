package dev.countersign.rules.facts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingTest {
    private static final long SEED = 20260302;
    private static final List<String> ODD_NUMBERS = List.of(
            "0",
            "-0",
            "-0.0",
            "0e5",
            "5e-324",
            "-1e-400",
            "1.7976931348623157e308",
            "1e309",
            "9007199254740991",
            "9007199254740992",
            "9007199254740993",
            "-9007199254740993",
            "9223372036854775808",
            "0.1",
            "1e23",
            "100000000000000000000000000000000000000000");
    /** Whole characters only: half a surrogate pair is refused with the body that it comes in. */
    private static final List<String> ODD_TEXTS = List.of(
            "\u0000", "\u007f", "\"", "\\", "\n", ",", " ", "\u2028", "\ufeff", "é", "e\u0301", "😀", "/", "</");

    private static final String DECLARED = """
            params:
              limit: {type: number, default: 5, env: LIMIT, description: How much.}
              home: {type: text, default: eu}
              open: {type: bool, default: true}
              until: {type: time, default: "2026-01-01T00:00:00Z"}
            lists:
              blocked: {default: [rm], env: BLOCKED}
            """;

    private static Pack pack(String name, String declared) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read("", Map.of("pack.yaml", "name: " + name + "\n" + declared, "r.drl", "package " + name + """

                        rule "r" when Request( action == "read" ) then decision.allow("OK"); end
                        """));
        assertThat(diagnostics.hasErrors()).as(diagnostics.all().toString()).isFalse();
        return pack;
    }

    private static JsonNode json(String text) {
        try {
            return new YAMLMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static Setting setting(String name) {
        return RuleBase.of(List.of(pack("one", DECLARED))).settings().get(name);
    }

    @Test
    void aValueIsReadAsItsTypeSaysAndWrittenAsItWasRead() {
        assertThat(setting("limit").read(json("7"))).isEqualTo(7.0);
        assertThat(setting("home").read(json("us"))).isEqualTo("us");
        assertThat(setting("open").read(json("false"))).isEqualTo(false);
        assertThat(setting("until").read(json("'2026-01-31T02:00:00+02:00'")))
                .isEqualTo(Instant.parse("2026-01-31T00:00:00Z"));
        assertThat(setting("blocked").read(json("['a,b', ' c']"))).isEqualTo(List.of("a,b", " c"));
        for (String written : List.of("7", "0.25", "-3", "1e300")) {
            Object value = setting("limit").read(json(written));
            assertThat(setting("limit").read(Setting.json(value))).isEqualTo(value);
        }
        assertThat(Setting.json(7.0).toString()).isEqualTo("7");
    }

    @Test
    void whateverIsAcceptedIsReadAgainFromWhatIsWrittenOfIt() {
        var random = new Random(SEED);
        var accepted = new EnumMap<Type, Integer>(Type.class);
        for (Setting setting :
                RuleBase.of(List.of(pack("one", DECLARED))).settings().values()) {
            for (int i = 0; i < 3_000; i++) {
                String given = given(setting.type(), random);
                Object value;
                try {
                    value = setting.read(parsed(given));
                } catch (IllegalArgumentException e) {
                    continue;
                }
                accepted.merge(setting.type(), 1, Integer::sum);
                String written = Setting.json(value).toString();
                assertThat(setting.read(parsed(written)))
                        .as("seed " + SEED + ": " + given + " is written " + written)
                        .isEqualTo(value);
            }
        }
        assertThat(accepted).hasSize(Type.values().length);
        assertThat(accepted.values()).allMatch(count -> count > 1_000, "most of what was given is accepted");
    }

    private static JsonNode parsed(String json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError("this is no JSON: " + json, e);
        }
    }

    /** JSON that is meant for a type, and odd where that is possible. */
    private static String given(Type type, Random random) {
        return switch (type) {
            case TEXT -> text(random);
            case NUMBER -> number(random);
            case BOOL -> random.nextBoolean() ? "true" : "false";
            case TIME -> time(random);
            case LIST ->
                IntStream.range(0, random.nextInt(4))
                        .mapToObj(i -> text(random))
                        .toList()
                        .toString();
        };
    }

    private static String text(Random random) {
        var text = new StringBuilder("x");
        for (int i = random.nextInt(8); i > 0; i--) {
            text.append(ODD_TEXTS.get(random.nextInt(ODD_TEXTS.size())));
        }
        return JsonNodeFactory.instance.textNode(text.toString()).toString();
    }

    private static String number(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> ODD_NUMBERS.get(random.nextInt(ODD_NUMBERS.size()));
            case 1 -> Long.toString(random.nextLong() >> random.nextInt(64));
            case 2 -> new BigDecimal(new BigInteger(100, random), random.nextInt(-300, 300)).toString();
            default -> {
                double number = Double.longBitsToDouble(random.nextLong());
                yield Double.isFinite(number) ? Double.toString(number) : "0.1";
            }
        };
    }

    private static String time(Random random) {
        int year = random.nextBoolean() ? random.nextInt(10_000) : random.nextBoolean() ? 0 : 9_999;
        boolean edge = random.nextBoolean();
        return String.format(
                Locale.ROOT,
                "\"%04d-%s%s%s\"",
                year,
                edge ? year == 0 ? "01-01T00:30:00" : "12-31T23:30:59" : "02-28T12:00:00",
                random.nextBoolean() ? "" : "." + (1 + random.nextInt(999_999_999)),
                List.of("Z", "+00:00", "-05:00", "+01:00", "+18:00", "-18:00").get(random.nextInt(6)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "limit | high | `limit` needs a number, not `high`",
                "limit | '\"5\"' | `limit` needs a number, not `5`",
                "limit | 1e999 | `limit` needs a number",
                "limit | [5] | `limit` needs a number, not a list",
                "home | 5 | `home` needs a text, not 5",
                "open | 1 | `open` needs a bool, not 1",
                "until | 2026-01-31 | `until` needs a time such as 2026-03-02T09:00:00Z",
                "until | 2026-01-31 | between the years 0000 and 9999 in UTC, not `2026-01-31`",
                "until | 9999-12-31T23:59:59-05:00 | between the years 0000 and 9999 in UTC, not `9999",
                "until | 0000-01-01T00:00:00+01:00 | between the years 0000 and 9999 in UTC, not `0000",
                "blocked | a,b | `blocked` needs a list of texts, not `a,b`",
                "blocked | [a, 5] | none of them blank; entry 2 is 5",
                "blocked | [a, ' '] | none of them blank; entry 2 is ` `"
            })
    void aValueOfAnotherTypeIsRefusedWithWhatIsExpected(String name, String value, String message) {
        assertThatThrownBy(() -> setting(name).read(json(value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aValueHasBounds() {
        String longest = "x".repeat(Setting.MAX_ENTRY);
        var most = Collections.nCopies(Setting.MAX_ENTRIES, "x");
        assertThat(setting("blocked").read(Setting.json(most))).isEqualTo(most);
        assertThat(setting("blocked").read(Setting.json(List.of(longest)))).isEqualTo(List.of(longest));
        assertThat(setting("home").read(Setting.json("x".repeat(Setting.MAX_TEXT))))
                .isEqualTo("x".repeat(Setting.MAX_TEXT));
        assertThatThrownBy(() ->
                        setting("blocked").read(Setting.json(Collections.nCopies(Setting.MAX_ENTRIES + 1, "x"))))
                .hasMessage("`blocked` has at most 10000 entries, not 10001");
        assertThatThrownBy(() -> setting("blocked").read(Setting.json(List.of(longest + "x"))))
                .hasMessage("an entry of `blocked` has at most 1000 characters");
        assertThatThrownBy(() -> setting("home").read(Setting.json("x".repeat(Setting.MAX_TEXT + 1))))
                .hasMessage("`home` has at most 10000 characters");
    }

    @Test
    void theTenantBeatsTheEnvironmentAndTheEnvironmentThePack() {
        RuleBase base = RuleBase.of(List.of(pack("one", DECLARED)));
        var env = Map.of("LIMIT", "6", "BLOCKED", "a,b");
        assertThat(base.values(Map.of(), Map.of()).changed()).isEmpty();
        assertThat(base.values(env, Map.of()).changed())
                .isEqualTo(Map.of("one/limit", 6.0, "one/blocked", List.of("a", "b")));
        assertThat(base.values(env, Map.of("limit", 7.0, "blocked", List.of("a,b")))
                        .changed())
                .isEqualTo(Map.of("one/limit", 7.0, "one/blocked", List.of("a,b")));
        assertThatThrownBy(() -> base.values(env, Map.of("limit", "7")))
                .hasMessageContaining("`limit` holds no number");
    }

    @Test
    void packsThatDeclareOneNameShareTheSettingAndKeepTheirDefaults() {
        RuleBase base = RuleBase.of(List.of(
                pack("one", DECLARED), pack("two", "params:\n  limit: {type: number, default: 9, env: OTHER}\n")));
        assertThat(base.settings().get("limit").declarations())
                .extracting(Declaration::pack)
                .containsExactly("one", "two");
        assertThat(base.values(Map.of("OTHER", "8"), Map.of()).changed()).isEqualTo(Map.of("two/limit", 8.0));
        assertThat(base.values(Map.of(), Map.of("limit", 7.0)).changed())
                .isEqualTo(Map.of("one/limit", 7.0, "two/limit", 7.0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "params: {limit: {type: text, default: a}} | as number and as text",
                "lists: {limit: {default: []}} | as number and as list"
            })
    void packsThatDeclareOneNameWithTwoTypesAreRefused(String declared, String types) {
        assertThatThrownBy(() -> RuleBase.of(List.of(pack("one", DECLARED), pack("two", declared))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the packs `one` and `two` both declare `limit`, " + types);
    }

    @Test
    void aPackThatDeclaresANameTwiceIsRefused() {
        var diagnostics = new Diagnostics();
        new PackReader(diagnostics).read("", Map.of("pack.yaml", """
                        name: one
                        params: {x: {type: number, default: 1}}
                        lists: {x: {default: []}}
                        """, "r.drl", "package one\n"));
        assertThat(diagnostics.all().toString()).contains("`x` is declared as a parameter and as a list");
    }
}
