package dev.countersign.rules.dialect;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The first look at a rule file, before any parser sees it: refuses characters that hide or reorder text, escapes that
 * another reader might take for something else, and sizes that no honest rule has; and cuts the rest into tokens.
 */
final class Scanner {
    static final int MAX_BYTES = 256 * 1024;
    static final int MAX_STRING = 1_000;
    static final int MAX_BRACKETS = 6;
    static final int MAX_NUMBER = 20;
    static final int MAX_DOTS = 16;

    private static final String SINGLE = "(),;.:[]@=!<>-$";
    private static final Set<String> DOUBLE = Set.of("==", "!=", "<=", ">=", "&&", "||");

    private final Source source;
    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int depth;
    private int dots;
    private int at;

    private Scanner(Source source) {
        this.source = source;
        this.text = source.text;
    }

    /** The tokens of the whole file, none if it is too large; no rule may be made of those around an error. */
    static List<Token> scan(Source source) {
        var scanner = new Scanner(source);
        if (scanner.fits()) {
            scanner.allowedCharacters();
            scanner.run();
            scanner.tokens.add(new Token(Token.Kind.END, "", source.text.length(), source.text.length()));
        }
        return scanner.tokens;
    }

    private boolean fits() {
        if (text.length() > MAX_BYTES || text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > MAX_BYTES) {
            source.error(
                    0,
                    Code.S001,
                    "a rule file has at most " + MAX_BYTES / 1024 + " KiB",
                    "split it into several files");
            return false;
        }
        return true;
    }

    private void allowedCharacters() {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (!allowed(text, i)) {
                source.error(
                        i,
                        Code.S002,
                        String.format("the character U+%04X is not allowed", c),
                        c == 0xFEFF ? "save the file as UTF-8 without a byte order mark" : "remove it");
            }
            i += Character.charCount(c);
        }
    }

    /** What keeps a text from standing in a rule, or {@code null}; {@code at} is where it stands. */
    static @Nullable Mistake refused(String text, int at) {
        if (text.length() > MAX_STRING) {
            return new Mistake(
                    at, Code.S006, "a text has at most " + MAX_STRING + " characters", "use a list or a parameter");
        }
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            if (c == '\n' || c == '\r' || !allowed(text, i)) {
                return new Mistake(at, Code.S002, String.format("the character U+%04X is not allowed", c), "remove it");
            }
        }
        return null;
    }

    private static boolean allowed(String text, int i) {
        int c = text.codePointAt(i);
        if (c == '\r') {
            return i + 1 < text.length() && text.charAt(i + 1) == '\n';
        }
        if (c == '\t' || c == '\n') {
            return true;
        }
        if (invisible(c)) {
            return false;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** Letters and marks that most fonts draw as nothing (Unicode's Default_Ignorable_Code_Point, and blank Braille). */
    private static boolean invisible(int c) {
        return c == 0x034F
                || c == 0x115F
                || c == 0x1160
                || c == 0x17B4
                || c == 0x17B5
                || c >= 0x180B && c <= 0x180F
                || c == 0x2800
                || c == 0x3164
                || c >= 0xFE00 && c <= 0xFE0F
                || c == 0xFFA0
                || c >= 0xE0000 && c <= 0xE0FFF;
    }

    private void run() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                at++;
            } else if (text.startsWith("//", at)) {
                lineComment();
            } else if (text.startsWith("/*", at)) {
                if (!blockComment()) {
                    return;
                }
            } else if (c == '"') {
                string();
            } else if (letter(c)) {
                word();
            } else if (digit(c)) {
                number();
            } else {
                symbol(c);
            }
        }
    }

    private void lineComment() {
        int end = text.indexOf('\n', at);
        end = end < 0 ? text.length() : end;
        noEscape(end);
        at = end;
    }

    private boolean blockComment() {
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
            source.error(at, Code.S003, "the comment is not closed", "write `*/` where it ends");
            return false;
        }
        noEscape(end);
        at = end + 2;
        return true;
    }

    /** A later reader could take a backslash in a comment for the start of a unicode escape, and its target for code. */
    private void noEscape(int end) {
        for (int i = at; i < end; i++) {
            if (text.charAt(i) == '\\') {
                source.error(i, Code.S004, "a comment may not hold a backslash", "remove it");
                return;
            }
        }
    }

    private void string() {
        int start = at++;
        var value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at);
            if (c == '\n' || c == '\r') {
                source.error(start, Code.S003, "the text runs over the end of the line", "close it with `\"`");
                return;
            }
            if (c == '\\') {
                char next = at + 1 < text.length() ? text.charAt(at + 1) : ' ';
                if (next == '\n' || next == '\r') {
                    at++;
                    continue;
                }
                if (next != '\\' && next != '"') {
                    source.error(
                            at,
                            Code.S004,
                            "`\\" + shown(next) + "` is not an escape of the dialect",
                            "only `\\\\` and `\\\"` are");
                }
                at++;
                c = next;
            }
            value.append(c);
            at++;
        }
        if (at >= text.length()) {
            source.error(start, Code.S003, "the text is not closed", "close it with `\"`");
            return;
        }
        at++;
        if (value.length() > MAX_STRING) {
            source.error(
                    start, Code.S006, "a text has at most " + MAX_STRING + " characters", "use a list or a parameter");
        }
        tokens.add(new Token(Token.Kind.STRING, value.toString(), start, at));
    }

    private static String shown(char c) {
        return Character.isSurrogate(c) ? "" : String.valueOf(c);
    }

    private void word() {
        int start = at;
        while (at < text.length() && (letter(text.charAt(at)) || digit(text.charAt(at)))) {
            at++;
        }
        tokens.add(new Token(Token.Kind.WORD, text.substring(start, at), start, at));
        if (tokens.get(tokens.size() - 1).is("rule")) {
            depth = 0;
        }
    }

    private void number() {
        int start = at;
        while (at < text.length() && digit(text.charAt(at))) {
            at++;
        }
        if (at + 1 < text.length() && text.charAt(at) == '.' && digit(text.charAt(at + 1))) {
            at++;
            while (at < text.length() && digit(text.charAt(at))) {
                at++;
            }
        }
        if (at < text.length() && letter(text.charAt(at))) {
            source.error(start, Code.T002, "a number is digits with at most one point", null);
        }
        if (at - start > MAX_NUMBER) {
            source.error(start, Code.T002, "a number has at most " + MAX_NUMBER + " characters", null);
        }
        tokens.add(new Token(Token.Kind.NUMBER, text.substring(start, at), start, at));
    }

    private void symbol(char c) {
        String two = text.substring(at, Math.min(text.length(), at + 2));
        String symbol = DOUBLE.contains(two) ? two : SINGLE.indexOf(c) >= 0 ? String.valueOf(c) : null;
        if (symbol == null) {
            int point = text.codePointAt(at);
            if (allowed(text, at)) {
                source.error(
                        at,
                        Code.S007,
                        "`" + Character.toString(point) + "` has no meaning here",
                        c == '\'' ? "texts stand in double quotes" : null);
            }
            at += Character.charCount(point);
            return;
        }
        chains(symbol);
        if (c == '(' || c == '[') {
            if (++depth == MAX_BRACKETS + 1) {
                source.error(at, Code.S005, "brackets nest at most " + MAX_BRACKETS + " deep", "split the rule");
            }
        } else if (c == ')' || c == ']') {
            depth = Math.max(0, depth - 1);
        }
        tokens.add(new Token(Token.Kind.SYMBOL, symbol, at, at + symbol.length()));
        at += symbol.length();
    }

    /** Drools' parser calls itself for each sign of a row, and reads a dotted name in quadratic time. */
    private void chains(String symbol) {
        Token last = tokens.isEmpty() ? null : tokens.get(tokens.size() - 1);
        if ((symbol.equals("!") || symbol.equals("-")) && last != null && (last.is("!") || last.is("-"))) {
            source.error(at, Code.E001, "one `" + symbol + "` is enough here", "write `!( ... )` or a plain number");
        }
        dots = symbol.equals(".") && last != null && last.kind() == Token.Kind.WORD ? dots + 1 : 0;
        if (dots == MAX_DOTS + 1) {
            source.error(at, Code.S005, "a name has at most " + MAX_DOTS + " dots", null);
        }
    }

    static boolean letter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    static boolean digit(char c) {
        return c >= '0' && c <= '9';
    }
}
