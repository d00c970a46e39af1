package dev.countersign.rules.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiagnosticsTest {
    private static final String FILE = """
            package test

            rule "one"
            when
              Request( acton == "run" )
            then
              decision.denny("X");
            end

            rule "two"
            when
              Request( region == "eu )
            then
              decision.deny("X");
            end

            rule "three"
            when
              Request( score > "5", region == 5
            then
              decision.deny("X");
            end

            rule "four" salience 5
            when
              Request( vip )
            then
              decision.deny("X");
            end

            rule "five"
            when
              Request( score > "5", region == 5 )
            then
              decision.deny("X") decision.allow("Y");
            end

            rule "six" when Request() then decision.allow("X"); end
            rule "six" when Request() then decision.allow("X"); end
            """;

    private static List<Diagnostic> errors(String text) {
        var diagnostics = new Diagnostics();
        new Gate(Packs.pack(Packs.rule("vip", "decision.deny(\"X\");")).vocabulary(), diagnostics).read("a.drl", text);
        return diagnostics.all().stream()
                .filter(found -> !found.code().warning())
                .toList();
    }

    private static List<String> places(String text) {
        return errors(text).stream()
                .map(found -> found.line() + ":" + found.column() + " " + found.code())
                .toList();
    }

    @Test
    void allMistakesOfAFileComeAtOnceAndNoRuleHidesThoseOfAnother() {
        assertThat(places(FILE))
                .containsExactly(
                        "5:12 N001",
                        "7:12 G042",
                        "12:22 S003",
                        "20:1 P001",
                        "24:22 G025",
                        "33:12 T001",
                        "33:25 T001",
                        "35:22 E001",
                        "39:1 G022");
    }

    @Test
    void aFileWithWindowsLineEndsHasTheSamePlaces() {
        assertThat(places(FILE.replace("\n", "\r\n"))).isEqualTo(places(FILE));
    }

    @Test
    void aByteOrderMarkDoesNotHideTheOtherMistakesAndSaysHowToGetRidOfIt() {
        List<Diagnostic> errors = errors("\uFEFF" + FILE);
        assertThat(errors).hasSize(places(FILE).size() + 1);
        assertThat(errors.get(0).hint()).isEqualTo("save the file as UTF-8 without a byte order mark");
    }

    @Test
    void aRuleWithoutMistakesIsReadBesideOthersThatHaveSome() {
        var diagnostics = new Diagnostics();
        List<Rule> rules = new Gate(
                        Packs.pack(Packs.rule("vip", "decision.deny(\"X\");")).vocabulary(), diagnostics)
                .read("a.drl", FILE);
        assertThat(rules).extracting(Rule::name).containsExactly("six");
        assertThat(rules.get(0).line()).isEqualTo(38);
        assertThat(diagnostics.hasErrors()).isTrue();
    }

    @Test
    void aMistakeIsPrintedAsCompilersDo() {
        assertThat(errors(FILE).get(0))
                .hasToString("a.drl:5:12: error N001: there is no name `acton` (did you mean `action`?)");
    }

    @Test
    void columnsCountInUtf16Units() {
        assertThat(places("package test\n"
                        + Packs.rule("region == \"\uD83D\uDE00\", acton == 1", "decision.deny(\"X\");")))
                .containsExactly("2:40 N001");
    }

    /** The mistakes of authors that Drools' own messages were found wanting for. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "acton == \"x\" ~ decision.deny(\"X\"); ~ 2:24 ~ N001 ~ there is no name ‹acton› ~ did you mean ‹action›? ~ action",
                "score > \"abc\" ~ decision.deny(\"X\"); ~ 2:24 ~ T001 ~ cannot compare number with text ~ remove the quotes ~",
                "action == 5 ~ decision.deny(\"X\"); ~ 2:24 ~ T001 ~ cannot compare text with number ~ put the value in quotes ~",
                "vip == \"yes\" ~ decision.deny(\"X\"); ~ 2:24 ~ T001 ~ cannot compare bool with text ~ remove the quotes ~",
                "region matches \"[a-\" ~ decision.deny(\"X\"); ~ 2:39 ~ R001 ~ bad pattern: missing closing ] ~ patterns are RE2 syntax ~",
                "vip ~ decision.denny(\"X\"); ~ 2:44 ~ G042 ~ there is no verb ‹denny› ~ did you mean ‹deny›? ~ deny",
                "vip ~ decision.deny(\"X\") ~ 2:54 ~ E001 ~ ‹;› is expected after the action, not the end ~ ~",
                "region == \"eu ~ decision.deny('X'); ~ 2:34 ~ S003 ~ the text runs over the end of the line ~ close it with ‹\"› ~",
                "region = \"eu\" ~ decision.deny(\"X\"); ~ 2:31 ~ P001 ~ ‹=› is not expected here ~ write ‹==› to compare ~",
                "vip and vip ~ decision.deny(\"X\"); ~ 2:28 ~ P001 ~ ‹and› is not expected here ~ write ‹&&› and ‹||› ~",
                "region contains \"eu\" ~ decision.deny(\"X\"); ~ 2:24 ~ T001 ~ ‹contains› needs a list attribute here ~ for a part of a text write ‹glob(name, \"*part*\")› ~",
                "region.length() > 3 ~ decision.deny(\"X\"); ~ 2:24 ~ N001 ~ there is no name ‹region.length› ~ declare it under ‹attributes:› in pack.yaml ~",
                "score > param(\"floor\") ~ decision.deny(\"X\"); ~ 2:38 ~ N002 ~ there is no parameter ‹floor› ~ declare it under ‹params:› in pack.yaml ~",
                "vip ~ decision.requireApproval(\"X\", \"defalt\"); ~ 2:65 ~ G044 ~ there is no approval template ‹defalt› ~ did you mean ‹default›? ~ default",
                "!vip ~ decision.deny(\"X\"); ~ 2:24 ~ E001 ~ ‹!› negates a condition in brackets ~ write ‹!( ... )› ~",
                "opened > \"yesterday\" ~ decision.deny(\"X\"); ~ 2:33 ~ T002 ~ ‹yesterday› is not a time ~ write it like \"2026-01-31T00:00:00Z\" ~",
                "region == 'eu' ~ decision.deny(\"X\"); ~ 2:34 ~ S007 ~ ‹'› has no meaning here ~ texts stand in double quotes ~",
                "$r : region ~ decision.deny(\"X\"); ~ 2:24 ~ G032 ~ bindings are not part of the dialect ~ name the attribute ~",
            })
    void aTypicalMistakeHasAPlaceAMessageAndAWayOut(
            String condition,
            String consequence,
            String place,
            Code code,
            String message,
            @org.jspecify.annotations.Nullable String hint,
            @org.jspecify.annotations.Nullable String fix) {
        Diagnostic found =
                errors("package test\n" + Packs.rule(condition, consequence)).get(0);
        assertThat(found.line() + ":" + found.column()).as(found.toString()).isEqualTo(place);
        assertThat(found.code()).isEqualTo(code);
        assertThat(found.message()).isEqualTo(message.replaceAll("[‹›]", "`"));
        assertThat(found.hint()).isEqualTo(hint == null ? null : hint.replaceAll("[‹›]", "`"));
        assertThat(found.fix()).isEqualTo(fix);
    }
}
