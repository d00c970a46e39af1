package dev.countersign.rules.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RegexTest {
    private static final int ROUNDS = Integer.getInteger("countersign.random", 500) * 10;

    /** Classes whose end is not the first bracket. */
    private static final List<String> CLASSES =
            List.of("[\\](]", "[[:alpha:](]", "[^\\](]", "[](]", "[^](]|", "[[:^alpha:])]", "[\\pL(]", "[\\[(]|");

    @Test
    void literalsAtTheBeginningAreKnownAsPrefixes() {
        assertThat(prefixes("docs/public/[a-z]+")).containsExactly("docs/public/");
        assertThat(prefixes("(prod|stage)/secrets/.+")).containsExactly("prod/secrets/", "stage/secrets/");
        assertThat(prefixes("(crm|hr)/[a-z]+/(ssn|iban)[0-9]*")).containsExactly("crm/", "hr/");
    }

    @Test
    void whatMayBeginOtherwiseHasNoPrefix() {
        for (String regex : List.of(
                "a|b",
                "ab*|c",
                "(a|b)|c",
                "a[|]b|c",
                "a\\|b|c",
                "x[\\](]|a",
                "x[^\\](]+|a",
                "x[[:alpha:](]|a",
                "(?i)abc",
                ".a",
                "a?b",
                "(a)*b",
                "(a|(b))c",
                "a\\Qb|c\\E",
                "a(?)*b",
                "a\\Q\\E*b")) {
            assertThat(prefixes(regex)).as(regex).containsExactly("");
        }
    }

    @Test
    void aPrefixNeverChangesWhatMatches() {
        long seed = Long.getLong("countersign.seed", 20261121);
        var random = new Random(seed);
        int compared = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String regex = text(random, "aabb/(|)[]^*+?{1}.\\QE:$-", 12);
            if (round % 2 == 0) {
                int at = random.nextInt(regex.length() + 1);
                regex = regex.substring(0, at) + CLASSES.get(random.nextInt(CLASSES.size())) + regex.substring(at);
            }
            Pattern pattern;
            try {
                pattern = Pattern.compile(regex);
            } catch (PatternSyntaxException e) {
                continue;
            }
            var made = Regex.of(pattern);
            for (int i = 0; i < 20; i++) {
                String text = text(random, "aabb/|(\n", 6);
                assertThat(made.matches(text))
                        .as("%s on %s, seed %d", regex, text, seed)
                        .isEqualTo(pattern.matches(text));
                compared++;
            }
        }
        assertThat(compared).as("seed %d", seed).isPositive();
    }

    private static List<String> prefixes(String regex) {
        return Regex.of(Pattern.compile(regex)).prefixes();
    }

    private static String text(Random random, String alphabet, int most) {
        var out = new StringBuilder();
        for (int length = random.nextInt(most + 1); length > 0; length--) {
            out.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return out.toString();
    }
}
