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
 * @param packages the whole file as one tree; or, if it has syntax errors, a tree for each rule that has none
 * @param whole whether it is one tree
 */
record DrlText(List<PackageDescr> packages, boolean whole) {
    private static final Pattern PREFIX = Pattern.compile("^\\[ERR \\d+] (Line \\d+:\\d+ )?");

    /**
     * Parses a file with the DRL 6 grammar (the DRL 10 one can fold a rule into the one before it without an error). A
     * file with syntax errors is parsed again rule by rule, so that one broken rule does not hide the mistakes of the
     * others.
     */
    static DrlText parse(Source source, List<Token> tokens) {
        var starts = tokens.stream().filter(DrlText::startsRule).map(Token::at).toList();
        PackageDescr whole = parse(source.text);
        if (whole != null) {
            balanced(source, tokens, starts.size(), whole.getRules().size());
            return new DrlText(List.of(whole), true);
        }
        var parts = new ArrayList<PackageDescr>();
        int errorsBefore = 0;
        for (int i = -1; i < starts.size(); i++) {
            int from = i < 0 ? 0 : starts.get(i);
            int to = i + 1 < starts.size() ? starts.get(i + 1) : source.text.length();
            String alone = only(source.text, from, to);
            PackageDescr part = parse(alone);
            if (part == null) {
                report(source, alone, from);
                errorsBefore++;
            } else if (i >= 0) {
                parts.add(part);
            }
        }
        if (errorsBefore == 0) {
            report(source, source.text, 0);
        }
        return new DrlText(parts, false);
    }

    /** The `end` that closes a rule; Drools' own end of a rule may lie a character behind it. */
    static Token end(List<Token> tokens, RuleDescr rule) {
        Token end = new Token(Token.Kind.END, "", rule.getEndCharacter(), rule.getEndCharacter());
        for (Token token : tokens) {
            if (token.is("end") && token.at() > rule.getStartCharacter() && token.at() <= rule.getEndCharacter()) {
                end = token;
            }
        }
        return end;
    }

    private static boolean startsRule(Token token) {
        return token.is("rule");
    }

    private static void balanced(Source source, List<Token> tokens, int starts, int rules) {
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

    /** The text with everything outside {@code [from, to)} blanked, so that every offset stays what it was. */
    private static String only(String text, int from, int to) {
        char[] out = text.toCharArray();
        for (int i = 0; i < out.length; i++) {
            if ((i < from || i >= to) && out[i] != '\n' && out[i] != '\r') {
                out[i] = ' ';
            }
        }
        return new String(out);
    }

    private static @Nullable PackageDescr parse(String text) {
        var parser = new DrlParser(LanguageLevelOption.DRL6);
        try {
            PackageDescr descr = parser.parse((org.kie.api.io.Resource) null, text);
            return parser.hasErrors() || descr == null ? null : descr;
        } catch (DroolsParserException | RuntimeException e) {
            return null;
        }
    }

    private static void report(Source source, String text, int from) {
        var parser = new DrlParser(LanguageLevelOption.DRL6);
        try {
            parser.parse((org.kie.api.io.Resource) null, text);
            for (var error : parser.getErrors()) {
                if (error instanceof ParserError at) {
                    int offset = Math.max(from, source.offset(at.getRow(), at.getCol() + 1));
                    source.error(offset, Code.P001, message(at.getMessage()), hint(at.getMessage()));
                    return;
                }
            }
        } catch (DroolsParserException | RuntimeException e) {
            // the parser gave up without saying where; the message below is all there is to say
        }
        source.error(from, Code.P001, "this is not a rule", "see the shape of a rule in the guide");
    }

    private static String message(String drools) {
        String text = PREFIX.matcher(drools.lines().findFirst().orElse(drools)).replaceFirst("");
        return "the parser stops here: " + text;
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
        return drools.contains("Unexpected statement") ? "only `rule` may stand here" : null;
    }
}
