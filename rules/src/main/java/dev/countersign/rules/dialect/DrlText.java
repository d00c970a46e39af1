package dev.countersign.rules.dialect;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.drools.drl.ast.descr.PackageDescr;
import org.drools.drl.ast.descr.RuleDescr;
import org.drools.drl.parser.DrlParser;
import org.drools.drl.parser.DroolsParserException;
import org.drools.drl.parser.ParserError;
import org.jspecify.annotations.Nullable;
import org.kie.internal.builder.conf.LanguageLevelOption;

/**
 * What Drools' parser makes of a file.
 *
 * @param parts the whole file as one part; or, if it has syntax errors, a part for each rule that has none
 * @param whole whether it is one part
 */
record DrlText(List<Part> parts, boolean whole) {
    /** A piece of a file that parsed: its text, its tokens, and its tree, with offsets from the piece's start. */
    record Part(Source source, List<Token> tokens, PackageDescr tree) {}

    private static final Pattern UNEXPECTED =
            Pattern.compile("(?:mismatched input|no viable alternative at input) '([^']{1,60})'");
    private static final Pattern PREFIX = Pattern.compile("^\\[ERR \\d+] (Line \\d+:\\d+ )?");

    /**
     * Parses a file with the DRL 6 grammar (the DRL 10 one can fold a rule into the one before it without an error). A
     * file with mistakes is parsed again rule by rule, so that one broken rule does not hide the mistakes of the others.
     */
    static DrlText parse(Source source, List<Token> tokens) {
        var starts = tokens.stream().filter(DrlText::startsRule).map(Token::at).toList();
        if (source.clean()) {
            PackageDescr whole = parse(source.text);
            if (whole != null) {
                return new DrlText(List.of(new Part(source, tokens, whole)), true);
            }
        }
        var parts = new ArrayList<Part>();
        for (int i = -1; i < Math.min(starts.size(), Gate.MAX_RULES); i++) {
            int from = i < 0 ? 0 : starts.get(i);
            int to = i + 1 < starts.size() ? starts.get(i + 1) : source.text.length();
            if (!source.broken(from, to)) {
                piece(source, tokens, from, to, parts);
            }
        }
        if (source.clean()) {
            report(source);
        }
        return new DrlText(parts, false);
    }

    private static void piece(Source source, List<Token> tokens, int from, int to, List<Part> parts) {
        Source part = source.part(from, to);
        PackageDescr tree = parse(part.text);
        if (tree == null) {
            report(part);
            return;
        }
        List<Token> own = tokens.subList(Tokens.index(tokens, from), Tokens.index(tokens, to)).stream()
                .map(token -> token.from(from))
                .toList();
        parts.add(new Part(part, own, tree));
    }

    /** The `end` that closes a rule; Drools' own end of a rule may lie a character behind it. */
    static Token end(List<Token> tokens, RuleDescr rule) {
        Token end = new Token(Token.Kind.END, "", rule.getEndCharacter(), rule.getEndCharacter());
        int from = Tokens.index(tokens, rule.getStartCharacter() + 1);
        int to = Tokens.index(tokens, rule.getEndCharacter() + 1);
        for (Token token : tokens.subList(from, Math.max(from, to))) {
            if (token.is("end")) {
                end = token;
            }
        }
        return end;
    }

    private static boolean startsRule(Token token) {
        return token.is("rule");
    }

    /** Reports rules that were lost between the text and its tree; only asked of a file without other mistakes. */
    static void balanced(Source source, List<Token> tokens, int rules) {
        long starts = tokens.stream().filter(DrlText::startsRule).count();
        long ends = tokens.stream().filter(token -> token.is("end")).count();
        if (starts != rules || ends != rules) {
            source.error(
                    0,
                    Code.P002,
                    "the file has " + starts + " times `rule` and " + ends + " times `end`, and " + rules
                            + " rules were read",
                    "every rule starts with `rule` and closes with `end`");
        }
    }

    private static @Nullable PackageDescr parse(String text) {
        var parser = new DrlParser(LanguageLevelOption.DRL6);
        try {
            PackageDescr descr = parser.parse((org.kie.api.io.Resource) null, text);
            return parser.hasErrors() || descr == null ? null : descr;
        } catch (DroolsParserException | RuntimeException | StackOverflowError e) {
            return null;
        }
    }

    private static void report(Source source) {
        var parser = new DrlParser(LanguageLevelOption.DRL6);
        try {
            parser.parse((org.kie.api.io.Resource) null, source.text);
            for (var error : parser.getErrors()) {
                if (error instanceof ParserError at) {
                    int offset = source.offset(at.getRow(), at.getCol() + 1);
                    source.error(offset, Code.P001, message(at.getMessage()), hint(at.getMessage()));
                    return;
                }
            }
        } catch (DroolsParserException | RuntimeException | StackOverflowError e) {
            // the parser gave up without saying where; the message below is all there is to say
        }
        source.error(0, Code.P001, "this is not a rule", "see the shape of a rule in the guide");
    }

    private static String message(String drools) {
        var unexpected = UNEXPECTED.matcher(drools);
        if (unexpected.find()) {
            String input = unexpected.group(1);
            return input.equalsIgnoreCase("<eof>") ? "the text ends too early" : "`" + input + "` is not expected here";
        }
        return "the parser stops here: "
                + PREFIX.matcher(drools.lines().findFirst().orElse(drools)).replaceFirst("");
    }

    private static @Nullable String hint(String drools) {
        if (drools.contains("'then'")) {
            return "a `)` is missing before `then`, or something in the condition";
        }
        if (drools.contains("'='")) {
            return "write `==` to compare";
        }
        if (drools.contains("<eof>") || drools.contains("'<EOF>'")) {
            return "the rule is not closed with `end`";
        }
        if (drools.contains("'and'") || drools.contains("'or'")) {
            return "write `&&` and `||`";
        }
        if (drools.contains("[package,")) {
            return "only `rule` may stand here";
        }
        return drools.contains("input 'not'") || drools.contains("in pattern")
                ? "write `not` between a value and `in`, `matches`, `contains` or `memberOf`, and else `!( ... )`"
                : null;
    }
}
