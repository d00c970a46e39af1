package dev.countersign.rules.dialect;

import com.google.re2j.Pattern;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A regular expression in RE2 syntax, matched against whole texts in time proportional to the text. Most patterns begin
 * with literals, {@code docs/public/.+} or {@code (crm|hr)/[a-z]+}, and most texts begin otherwise: those are told apart
 * before the automaton is asked.
 *
 * @param pattern the automaton
 * @param prefixes what every matching text starts with, one of them; one empty prefix if nothing is known
 */
public record Regex(Pattern pattern, List<String> prefixes) {
    private static final java.util.regex.Pattern COUNT =
            java.util.regex.Pattern.compile("\\{([0-9]{1,4})(?:,([0-9]{0,4}))?\\}");
    private static final int MAX_REPEATS = 1_000;
    private static final int MAX_PROGRAM = 2_000;
    private static final int MAX_PREFIXES = 16;
    private static final String LITERALS = "/_-@:,;=%~#& ";
    private static final List<String> ANY = List.of("");

    /**
     * The automaton of a pattern, {@code null} if it repeats too much.
     *
     * @throws com.google.re2j.PatternSyntaxException if it is not RE2 syntax
     */
    public static @Nullable Pattern bounded(String text) {
        Pattern pattern = repeats(text) > MAX_REPEATS ? null : Pattern.compile(text);
        return pattern == null || pattern.programSize() > MAX_PROGRAM ? null : pattern;
    }

    /** An upper bound of how often a pattern repeats one of its parts: RE2/J unrolls counts, nested ones multiply. */
    private static double repeats(String regex) {
        double single = 1;
        double nested = 1;
        var counts = COUNT.matcher(regex);
        while (counts.find()) {
            String most = counts.group(2) == null || counts.group(2).isEmpty() ? counts.group(1) : counts.group(2);
            double count = Math.max(1, Double.parseDouble(most));
            boolean group = counts.start() > 0 && ")}*+?".indexOf(regex.charAt(counts.start() - 1)) >= 0;
            nested *= group ? count : 1;
            single = group ? single : Math.max(single, count);
        }
        return single * nested;
    }

    /** The expression that an automaton runs. */
    static Regex of(Pattern pattern) {
        return new Regex(pattern, prefixes(pattern.pattern()));
    }

    /** Whether the whole of {@code text} matches. */
    public boolean matches(String text) {
        for (String prefix : prefixes) {
            if (text.startsWith(prefix)) {
                return pattern.matches(text);
            }
        }
        return false;
    }

    /** Reads literals and groups of literals until something else comes; whatever is not plain makes it stop. */
    private static List<String> prefixes(String regex) {
        if (regex.contains("(?") || regex.contains("\\Q") || regex.contains("\\E")) {
            return ANY; // these can vanish, so that a quantifier after them belongs to what stands before
        }
        List<String> known = ANY;
        int at = 0;
        while (at < regex.length()) {
            int end = regex.charAt(at) == '(' ? regex.indexOf(')', at) + 1 : at + 1;
            List<String> next = end == 0 ? List.of() : alternatives(regex.substring(at, end));
            if (next.isEmpty() || quantified(regex, end) || next.size() * known.size() > MAX_PREFIXES) {
                break;
            }
            known = joined(known, next);
            at = end;
        }
        return alternates(regex.substring(at)) ? ANY : known;
    }

    /** The texts that a literal or a group of literals stands for; none if it is anything else. */
    private static List<String> alternatives(String part) {
        String inside = part.startsWith("(") ? part.substring(1, part.length() - 1) : part;
        boolean group = part.startsWith("(");
        if (!inside.chars().allMatch(c -> literal((char) c) || group && c == '|')) {
            return List.of();
        }
        return List.of(inside.split("\\|", -1));
    }

    private static boolean literal(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || LITERALS.indexOf(c) >= 0;
    }

    private static boolean quantified(String regex, int at) {
        return at < regex.length() && "*+?{".indexOf(regex.charAt(at)) >= 0;
    }

    private static List<String> joined(List<String> heads, List<String> tails) {
        var out = new ArrayList<String>();
        heads.forEach(head -> tails.forEach(tail -> out.add(head + tail)));
        return List.copyOf(out);
    }

    /** Whether there may be a {@code |} outside of all groups, so that the pattern could begin in another way. */
    private static boolean alternates(String rest) {
        if (rest.indexOf('|') < 0) {
            return false;
        }
        int depth = 0;
        for (int i = 0; i < rest.length(); i++) {
            switch (rest.charAt(i)) {
                case '\\' -> {
                    return true;
                }
                case '[' -> {
                    int end = rest.indexOf(']', i + (rest.startsWith("[^", i) ? 3 : 2));
                    if (end < 0 || rest.substring(i + 1, end).matches(".*[\\\\\\[].*")) {
                        return true; // an escape or a class of POSIX may hold the first bracket, so the end is unknown
                    }
                    i = end;
                }
                case '(' -> depth++;
                case ')' -> depth--;
                case '|' -> {
                    if (depth <= 0) {
                        return true;
                    }
                }
                default -> {}
            }
        }
        return false;
    }
}
