package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The one door by which rules come in, whether from files, the API or the console: text is screened, parsed by Drools'
 * own parser, and checked against an allow-list into typed rules. What is not known is refused. No compiler ever sees
 * the text.
 */
public final class Gate {
    /** The most rules that one pack may hold. */
    public static final int MAX_RULES = 5_000;

    private final Vocabulary vocabulary;
    private final Diagnostics diagnostics;
    private final Set<String> names = new HashSet<>();
    private int count;

    /** A gate for the files of the pack that {@code vocabulary} belongs to; mistakes go to {@code diagnostics}. */
    public Gate(Vocabulary vocabulary, Diagnostics diagnostics) {
        this.vocabulary = vocabulary;
        this.diagnostics = diagnostics;
    }

    /** The package that every file of a pack starts with. */
    public static String packageOf(String pack) {
        return pack.replace('-', '_');
    }

    /**
     * The rules of one file. All mistakes of the file are reported; the rules that have none are returned, so a caller
     * must look at the diagnostics before using them.
     */
    public List<Rule> read(String file, String text) {
        var source = new Source(file, text, diagnostics);
        List<Token> tokens = Scanner.scan(source);
        if (tokens.isEmpty()) {
            return List.of();
        }
        var parsed = DrlText.parse(source, tokens);
        var rules = new ArrayList<Rule>();
        for (var part : parsed.parts()) {
            if (parsed.whole() || part.tree().getRules().isEmpty()) {
                new HeaderCheck(part.source(), part.tokens(), packageOf(vocabulary.pack())).check(part.tree());
            }
            for (var descr : part.tree().getRules()) {
                Rule rule = new RuleReader(part.source(), part.tokens(), vocabulary).read(descr);
                if (rule != null && admit(part.source(), rule, descr.getStartCharacter())) {
                    rules.add(rule);
                }
            }
        }
        if (parsed.whole() && source.clean()) {
            DrlText.balanced(
                    source, tokens, parsed.parts().get(0).tree().getRules().size());
        }
        if (parsed.whole() && source.clean() && rules.isEmpty()) {
            source.error(0, Code.G020, "the file holds no rule");
        }
        return List.copyOf(rules);
    }

    private boolean admit(Source source, Rule rule, int at) {
        if (!names.add(rule.name())) {
            source.error(at, Code.G022, "there is another rule `" + rule.name() + "` in this pack", "rename one");
            return false;
        }
        if (++count == MAX_RULES + 1) {
            source.error(at, Code.G020, "a pack has at most " + MAX_RULES + " rules");
        }
        return count <= MAX_RULES;
    }
}
