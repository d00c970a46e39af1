package dev.countersign.rules.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.Vocabulary;
import dev.countersign.rules.pack.Pack;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CanonicalTest {
    private static final int COUNT = Integer.getInteger("countersign.fuzz", 1_000);
    private static final long SEED = Long.getLong("countersign.seed", 20261121);
    private static final Vocabulary VOCABULARY =
            Packs.pack(Packs.rule("vip", "decision.deny(\"X\");")).vocabulary();
    private static final Pattern LITERAL = Pattern.compile("\"(?:[^\"\\\\\n]|\\\\[\\\\\"])*+\"");
    private static final Pattern SHAPE = Pattern.compile("[A-Za-z0-9_.,;:()\\[\\]@=!<>&|\\s-]*");
    private static final Pattern WORDS = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

    static final List<String> GOOD = List.of(
            """
            rule "one (a/b): c-1"
              @reason("a \\"quoted\\" \\\\ text") @risk(high)
            when
              Request( action == "run", region == "eu" || region matches "a\\\\.b[c-d]+", !( vip && score > -2.50 ) )
            then
              decision.deny("NO");
              decision.oblige("log", "level", 5, "hot", true, "to", "a b");
            end
            """,
            """
            rule "two" when Request( ( tags contains "x" || count(tags, "a*") >= 2 ) && ( vip || !( region != null ) ),
              hoursSince(opened) > param("ceiling"), region not memberOf list("blocked") ) then
              decision.allow("OK"); decision.limit("calls", 100.5, "hour"); decision.transform("mode", "draft"); end
            """,
            """
            rule "three" // comment
            when Request( opened >= "2026-01-01T00:00:00Z", opened not in ( "2026-01-01T00:00:00Z" ), score in ( 1, -2, 0.001 ),
              cidr(region, "10.0.0.0/8") || glob(region, "a*b"), subjectId memberOf tags, payment.type str[endsWith] "d" ) then
              decision.requireApproval("ASK", "default"); end
            """,
            "rule \"four\" when Request( ( ( ( ( vip || vip && vip ) ) ) ) ) then decision.allow(\"A\"); end\n",
            "rule \"five\" when Request() then decision.allow(\"A\"); end\n");

    private record Read(List<Rule> rules, boolean accepted) {}

    private static Read read(String text) {
        var diagnostics = new Diagnostics();
        List<Rule> rules = new Gate(VOCABULARY, diagnostics).read("f.drl", text);
        return new Read(rules, !diagnostics.hasErrors());
    }

    private static Set<String> allowedWords() {
        var out = new HashSet<>(Arrays.asList(("package rule when then end Request decision allow deny requireApproval "
                        + "oblige limit transform in not matches contains memberOf list str startsWith endsWith param "
                        + "count hoursSince cidr glob null true false id owner reason severity risk description cites "
                        + "test")
                .split(" ")));
        Set.of("allow", "deny", "requireApproval", "oblige", "limit", "transform")
                .forEach(verb -> out.add("decision." + verb));
        out.addAll(VOCABULARY.attributes().keySet());
        return out;
    }

    /** What must hold of every text that the gate accepts. */
    private static void holds(String text, Read read, String seed) {
        String canonical = Canonical.file("test", read.rules());
        Read again = read(canonical);
        assertThat(again.accepted())
                .as(seed + "\n" + text + "\n->\n" + canonical)
                .isTrue();
        assertThat(Canonical.file("test", again.rules())).as(seed).isEqualTo(canonical);
        for (int i = 0; i < read.rules().size(); i++) {
            assertThat(again.rules().get(i).effects())
                    .as(seed)
                    .isEqualTo(read.rules().get(i).effects());
            assertThat(again.rules().get(i).meta())
                    .as(seed)
                    .isEqualTo(read.rules().get(i).meta());
        }
        String skeleton = LITERAL.matcher(canonical).replaceAll(" ");
        assertThat(SHAPE.matcher(skeleton).matches()).as(seed + "\n" + skeleton).isTrue();
        var words = WORDS.matcher(skeleton);
        while (words.find()) {
            assertThat(allowedWords()).as(seed + "\n" + skeleton).contains(words.group());
        }
        var template = Packs.pack(GOOD.get(4));
        RuleBase.of(List.of(new Pack(
                        "test", "0", "", "", VOCABULARY, Map.of(), read.rules(), template.bar(), PackEntities.NONE)))
                .evaluator()
                .close();
    }

    @Test
    void whatTheGateAcceptsIsCanonicalWhateverWasMixedIntoIt() {
        var pieces = new ArrayList<String>(List.of(
                "\"",
                "\\",
                "\\u0022",
                "\\\\",
                "'",
                "\n",
                "\r\n",
                "\r",
                "\u0000",
                "\u200B",
                "\u202E",
                "//",
                "/*",
                "*/",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                "!",
                "!(",
                "&&",
                "||",
                ",",
                ";",
                "-",
                "0",
                "99999999999999999999",
                "0.1",
                " end ",
                " rule \"x\" ",
                " then ",
                " when ",
                " not ",
                " null ",
                " in ",
                "vip",
                "score",
                "region",
                "decision.deny(\"Y\");",
                "\uD800",
                "\uFEFF",
                " == ",
                ".",
                "@id(\"1\")",
                "true",
                "\"\"",
                "\" \""));
        Attacks.all().stream()
                .map(Attacks.Attack::text)
                .filter(text -> !text.isEmpty())
                .forEach(pieces::add);
        int accepted = 0;
        for (int i = 0; i < COUNT; i++) {
            long seed = SEED + i;
            var random = new Random(seed);
            String text = "package test\n" + mutant(random, pieces);
            Read read = read(text);
            if (read.accepted()) {
                accepted++;
                holds(text, read, "countersign.seed=" + seed);
            }
        }
        assertThat(accepted).as("mutants that were accepted, seed " + SEED).isGreaterThan(COUNT / 100);
        assertThat(System.getProperty("countersign.pwned")).isNull();
    }

    private static String mutant(Random random, List<String> pieces) {
        var text = new StringBuilder(GOOD.get(random.nextInt(GOOD.size())));
        if (random.nextInt(3) == 0) {
            text.append(GOOD.get(random.nextInt(GOOD.size())));
        }
        int changes = 1 + random.nextInt(random.nextBoolean() ? 2 : 5);
        for (int change = 0; change < changes && text.length() > 0; change++) {
            int at = random.nextInt(text.length());
            int to = Math.min(text.length(), at + 1 + random.nextInt(20));
            String part = text.substring(at, to);
            switch (random.nextInt(6)) {
                case 0 -> text.delete(at, Math.min(to, at + 1 + random.nextInt(4)));
                case 1 -> text.insert(at, part);
                case 2 -> text.replace(at, to, "").insert(random.nextInt(text.length() + 1), part);
                case 3 -> {
                    String other = GOOD.get(random.nextInt(GOOD.size()));
                    int from = random.nextInt(other.length());
                    text.insert(at, other, from, Math.min(other.length(), from + 1 + random.nextInt(30)));
                }
                case 4 -> {
                    String piece = pieces.get(random.nextInt(pieces.size()));
                    int from = random.nextInt(piece.length());
                    text.insert(at, random.nextBoolean() ? piece : piece.substring(from));
                }
                default -> text.setCharAt(at, (char) (32 + random.nextInt(95)));
            }
        }
        return text.toString();
    }

    @Test
    void everyGoodRuleIsAcceptedAndCanonical() {
        for (String good : GOOD) {
            Read read = read("package test\n" + good);
            assertThat(read.accepted()).as(good).isTrue();
            holds(good, read, good);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "(vip&&vip)||!((vip)) ~ vip && vip || !( vip )",
                "(vip||vip)&&vip ~ ( vip || vip ) && vip",
                "score==-0 ~ score == 0",
                "score == 1.50 ~ score == 1.5",
                "score == 0.000000000012345678 ~ score == 0.000000000012345678",
                "score in(1,2.0) ~ score in ( 1, 2 )",
                "payment.  type == \"a\\\\b\\\"\" ~ payment.type == \"a\\\\b\\\"\"",
                "'count( tags , \"a*\" )>1' ~ 'count(tags, \"a*\") > 1'",
            })
    void thereIsOneWayToWriteACondition(String written, String canonical) {
        Read read = read("package test\n" + Packs.rule(written, "decision.deny(\"X\");"));
        assertThat(read.accepted()).isTrue();
        assertThat(Canonical.expr(read.rules().get(0).conditions().get(0))).isEqualTo(canonical);
    }

    @Test
    void everyNumberIsWrittenSoThatItIsReadAsTheSame() {
        var random = new Random(SEED);
        for (int i = 0; i < 2_000; i++) {
            String digits =
                    new java.math.BigDecimal(new java.math.BigInteger(50, random), random.nextInt(17)).toPlainString();
            if (digits.length() <= Scanner.MAX_NUMBER && Double.parseDouble(digits) < 9.0e15) {
                double value = Double.parseDouble(digits);
                String written = Canonical.number(value);
                assertThat(Double.parseDouble(written)).as(digits).isEqualTo(value);
                assertThat(written.length()).as(digits).isLessThanOrEqualTo(Scanner.MAX_NUMBER);
            }
        }
    }
}
