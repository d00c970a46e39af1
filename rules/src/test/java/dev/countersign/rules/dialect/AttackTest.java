package dev.countersign.rules.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.RuleBase;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AttackTest {
    private static final String DENY = "decision.deny(\"X\");";

    @AfterEach
    void nothingRan() {
        assertThat(System.getProperty("countersign.pwned")).isNull();
    }

    private static List<Diagnostic> errors(String text) {
        var diagnostics = new Diagnostics();
        new Gate(Packs.pack("rule \"r\" when Request() then " + DENY + " end").vocabulary(), diagnostics)
                .read("a.drl", text);
        return diagnostics.all().stream()
                .filter(diagnostic -> !diagnostic.code().warning())
                .toList();
    }

    private static void refused(String text, String code) {
        List<Diagnostic> errors = errors(text);
        assertThat(errors).isNotEmpty();
        assertThat(errors.get(0).code().name()).as(errors.toString()).isEqualTo(code);
        String[] lines = text.split("\n", -1);
        for (Diagnostic error : errors) {
            assertThat(error.line()).isBetween(1, lines.length);
            assertThat(error.column()).isBetween(1, lines[error.line() - 1].length() + 1);
            assertThat(error.message()).isNotBlank().hasSizeLessThan(300);
        }
    }

    static Stream<Attacks.Attack> corpus() {
        return Attacks.all().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("corpus")
    void everyAttackIsRefusedForItsReasonAndAtItsPlace(Attacks.Attack attack) {
        refused(attack.text(), attack.code());
    }

    @Test
    void everyAttackHasItsOwnName() {
        var names = new HashSet<String>();
        assertThat(Attacks.all())
                .hasSizeGreaterThan(300)
                .allSatisfy(attack ->
                        assertThat(names.add(attack.text())).as(attack.name()).isTrue());
    }

    private static String condition(String text) {
        return "package test\n" + Packs.rule(text, DENY);
    }

    private static String times(int count, String separator, String text) {
        return IntStream.range(0, count)
                .mapToObj(i -> text.replace("#", "" + i))
                .collect(Collectors.joining(separator));
    }

    static Stream<Arguments> large() {
        String rule = Packs.rule("vip", DENY);
        return Stream.of(
                Arguments.of("a text of 1,001", "S006", condition("region == \"" + "x".repeat(1_001) + "\"")),
                Arguments.of("a text of 70 KB", "S006", condition("region == \"" + "x".repeat(70_000) + "\"")),
                Arguments.of("a file of 257 KB", "S001", condition("vip") + " ".repeat(257 * 1024)),
                Arguments.of("a file of 90,000 wide letters", "S001", "// " + "\u20AC".repeat(90_000)),
                Arguments.of("a file of invisible letters", "S002", "\u200B".repeat(80_000)),
                Arguments.of("a file of signs", "S007", "#".repeat(250_000)),
                Arguments.of("a name of 200,000", "N001", condition("a".repeat(200_000) + " == 1")),
                Arguments.of("a name of 60,000 parts", "S005", condition("a.".repeat(60_000) + "b == 1")),
                Arguments.of("60,000 bangs", "E001", condition("! ".repeat(60_000) + "vip")),
                Arguments.of("60,000 minus signs", "E001", condition("score == " + "- ".repeat(60_000) + "1")),
                Arguments.of("60,000 times not", "P001", condition("not ".repeat(60_000) + "vip")),
                Arguments.of("60,000 type arguments", "N001", condition("a< ".repeat(60_000) + "1")),
                Arguments.of("50,000 times rule", "P001", "package test\n" + "rule ".repeat(50_000)),
                Arguments.of("50,000 times end", "G040", "package test\n" + rule + "end ".repeat(50_000)),
                Arguments.of("100,000 semicolons", "G040", condition("vip").replace(DENY, ";".repeat(100_000))),
                Arguments.of("25,000 tests in one condition", "G033", condition(times(25_000, " || ", "vip"))),
                Arguments.of("51 tests in one condition", "G033", condition(times(51, " && ", "vip"))),
                Arguments.of("21 conditions", "G033", condition(times(21, ", ", "vip"))),
                Arguments.of("201 values", "E003", condition("score in ( " + times(201, ", ", "#") + " )")),
                Arguments.of("11 actions", "G045", condition("vip").replace(DENY, times(11, " ", DENY))),
                Arguments.of("a name of 121", "G021", condition("vip").replace("\"r\"", "\"" + "r".repeat(121) + "\"")),
                Arguments.of("a code of 65", "G043", condition("vip").replace("\"X\"", "\"" + "X".repeat(65) + "\"")),
                Arguments.of("15,000 imports", "G012", "package test\n" + "import a.b.C; ".repeat(15_000) + rule));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("large")
    void whatIsTooLargeIsRefusedAndNotWorkedOn(String name, String code, String text) {
        List<Diagnostic> errors = errors(text);
        assertThat(errors).isNotEmpty().hasSizeLessThanOrEqualTo(Source.MAX_SHOWN);
        assertThat(errors.get(0).code().name()).as(errors.get(0).toString()).isEqualTo(code);
        assertThat(errors).allSatisfy(error -> assertThat(error.message()).hasSizeLessThan(300));
    }

    @Test
    void aPackHasAtMostFiveThousandRulesHoweverManyFilesItHas() {
        var diagnostics = new Diagnostics();
        var gate = new Gate(Packs.pack(Packs.rule("vip", DENY)).vocabulary(), diagnostics);
        for (int file = 0; file < 6; file++) {
            gate.read(
                    file + ".drl",
                    "package test\n"
                            + times(1_000, "", "rule \"" + file + "-#\" when Request() then " + DENY + " end\n"));
        }
        assertThat(diagnostics.all()).extracting(Diagnostic::code).containsExactly(Code.G020);
    }

    @Test
    void aPatternThatBacktracksElsewhereIsReadByRe2AndAnswersOnALongText() {
        RuleBase base = Packs.base(Packs.rule("region matches \"(.*x){12}y|(a*)*b|(a|aa)+c\"", DENY));
        var matches = (Expr.Matches) base.rules().get(0).rule().conditions().get(0);
        assertThat(matches.regex().pattern()).isExactlyInstanceOf(com.google.re2j.Pattern.class);
        var request = Packs.request(base, "{context: {region: " + "ax".repeat(10_000) + "}}");
        assertThat(base.rules().get(0).test(request)).isEqualTo(Condition.FALSE);
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.ValueSource(
            strings = {
                "",
                "vip",
                "!( vip )",
                "region == \"rule end then System.exit(0) // \\\" \\\\\"",
                "region == \"\u00E9\u4E2D\uD83D\uDE00\"",
                "region in ( \"eu\", \"us\" ), score not in ( 1, -2.5 )",
                "region matches \"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\"",
                "( ( ( ( vip || vip ) ) ) )",
                "( vip || ( vip && ( vip || ( vip && vip || vip ) ) ) )",
                "payment.type == \"card\"",
                "\"eu\" == region",
                "score > -5 && score < 9007199254740991",
                "opened > \"2026-01-01T00:00:00+08:00\" || hoursSince(opened) > param(\"ceiling\")",
                "count(tags, \"a*\") > count(roles)",
                "region memberOf list(\"blocked\"), region not memberOf tags",
                "tags contains \"a\", tags not contains region",
                "region str[startsWith] \"e\" // why\n",
                "/* why */ cidr(region, \"10.0.0.0/8\"), glob(other, \"a*\"), tool == null",
            })
    void goodRulesAreAccepted(String condition) {
        assertThat(errors(condition(condition))).isEmpty();
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.ValueSource(
            strings = {
                "package test;\nimport dev.countersign.rules.facts.Request;\nglobal Decision decision;\nrule \"r\" when Request() then decision.allow(\"X\"); end",
                "package test\r\n\r\nrule \"r\"\r\n  @id(\"1\") @risk(high)\r\nwhen\r\n  Request()\r\nthen\r\n  decision.allow(\"X\");\r\nend\r\n",
                "// first\npackage test /* second */ rule \"r\" when Request() then decision.oblige(\"log\", \"a\", 1, \"b\", true, \"c\", \"x y\"); end // last",
                "package test rule \"r (a/b): c-d_1.2\" when Request() then decision.requireApproval(\"X\", \"default\"); decision.limit(\"calls\", 5, \"day\"); decision.transform(\"mode\", \"draft\"); end",
            })
    void goodFilesAreAccepted(String text) {
        assertThat(errors(text)).isEmpty();
    }
}
