package dev.countersign.rules.facts;

/**
 * A pattern in which {@code *} stands for any run of characters, the empty one included, and every other character for
 * itself. Matching takes time in proportion to text times pattern, whatever the pattern.
 *
 * @param pattern the text that writes it
 */
public record Glob(String pattern) {
    /** Whether {@code text} holds a wildcard. */
    public static boolean isPattern(String text) {
        return text.indexOf('*') >= 0;
    }

    /** Whether the whole of {@code text} matches. */
    public boolean matches(String text) {
        int t = 0;
        int p = 0;
        int star = -1;
        int resume = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                resume = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++resume;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }
}
