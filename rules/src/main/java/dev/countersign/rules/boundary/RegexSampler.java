package dev.countersign.rules.boundary;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A few texts for an expression in RE2 syntax, read as far as literals, classes, groups, alternatives and quantifiers go;
 * flags and Unicode classes are passed over. Whether a text matches is not promised.
 */
final class RegexSampler {
    private static final int MOST = 8;

    private final String regex;
    private int at;

    RegexSampler(String regex) {
        this.regex = regex;
    }

    List<String> samples() {
        var out = new LinkedHashSet<String>();
        while (at < regex.length()) {
            out.addAll(alternatives());
            at++; // a closing bracket without an opening one
        }
        return List.copyOf(out);
    }

    private List<String> alternatives() {
        var out = new LinkedHashSet<>(sequence());
        while (at < regex.length() && regex.charAt(at) == '|') {
            at++;
            out.addAll(sequence());
        }
        return out.stream().limit(MOST).toList();
    }

    private List<String> sequence() {
        List<String> texts = List.of("");
        while (at < regex.length() && regex.charAt(at) != '|' && regex.charAt(at) != ')') {
            texts = joined(texts, quantified(atom()));
        }
        return texts;
    }

    private List<String> atom() {
        char c = regex.charAt(at++);
        switch (c) {
            case '(' -> {
                return group();
            }
            case '[' -> {
                return List.of(String.valueOf(member()));
            }
            case '\\' -> {
                return List.of(escaped());
            }
            case '.' -> {
                return List.of("x");
            }
            case '^', '$' -> {
                return List.of("");
            }
            default -> {
                return List.of(String.valueOf(c));
            }
        }
    }

    private List<String> group() {
        if (regex.startsWith("?", at)) {
            int end = at;
            while (end < regex.length() && ":)>".indexOf(regex.charAt(end)) < 0) {
                end++;
            }
            at = Math.min(end + 1, regex.length());
            if (end < regex.length() && regex.charAt(end) == ')') {
                return List.of("");
            }
        }
        List<String> inside = alternatives();
        at = Math.min(at + 1, regex.length());
        return inside;
    }

    private String escaped() {
        char c = at < regex.length() ? regex.charAt(at++) : '\\';
        return switch (c) {
            case 'd' -> "1";
            case 'w' -> "a";
            case 's' -> " ";
            case 'D', 'W', 'S' -> "-";
            case 'b', 'B', 'A', 'z', 'Q', 'E' -> "";
            case 'n' -> "\n";
            case 't' -> "\t";
            default -> String.valueOf(c);
        };
    }

    /** A character of the class that has just been opened. */
    private char member() {
        int end = regex.indexOf(']', at + (regex.startsWith("^", at) ? 2 : 1));
        String inside = regex.substring(at, Math.max(at, end));
        at = end < 0 ? regex.length() : end + 1;
        if (inside.startsWith("^")) {
            for (char c = '!'; c < 127; c++) {
                if (inside.indexOf(c) < 0 && !Character.isLetterOrDigit(c)) {
                    return c;
                }
            }
        }
        if (inside.startsWith("\\") && inside.length() > 1) {
            return inside.charAt(1) == 'd' ? '1' : inside.charAt(1) == 'w' ? 'a' : inside.charAt(1);
        }
        return inside.isEmpty() ? 'x' : inside.charAt(0);
    }

    private List<String> quantified(List<String> texts) {
        if (at >= regex.length()) {
            return texts;
        }
        List<Integer> counts = switch (regex.charAt(at)) {
            case '*' -> List.of(0, 1);
            case '+' -> List.of(1, 2);
            case '?' -> List.of(0, 1);
            case '{' -> counts();
            default -> List.of();
        };
        if (counts.isEmpty()) {
            return texts;
        }
        at++;
        if (at < regex.length() && regex.charAt(at) == '?') {
            at++;
        }
        Set<String> out = new LinkedHashSet<>();
        counts.forEach(count -> texts.forEach(text -> out.add(text.repeat(count))));
        return out.stream().limit(MOST).toList();
    }

    /** The bounds that {@code {m,n}} writes; the closing brace is next. */
    private List<Integer> counts() {
        int end = regex.indexOf('}', at);
        if (end < 0 || !regex.substring(at + 1, end).matches("[0-9]{1,4}(,[0-9]{0,4})?")) {
            return List.of();
        }
        String[] bounds = regex.substring(at + 1, end).split(",", -1);
        at = end;
        int least = Integer.parseInt(bounds[0]);
        int most = bounds.length == 1 ? least : bounds[1].isEmpty() ? least + 1 : Integer.parseInt(bounds[1]);
        return least == most ? List.of(least) : List.of(least, most);
    }

    private static List<String> joined(List<String> heads, List<String> tails) {
        var out = new ArrayList<String>();
        for (int i = 0; i < Math.max(heads.size(), tails.size()); i++) {
            out.add(heads.get(i % heads.size()) + tails.get(i % tails.size()));
        }
        heads.forEach(head -> out.add(head + tails.get(0)));
        tails.forEach(tail -> out.add(heads.get(0) + tail));
        return new LinkedHashSet<>(out).stream().limit(MOST).toList();
    }
}
