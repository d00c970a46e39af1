package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.drools.drl.ast.descr.BaseDescr;
import org.drools.drl.ast.descr.ExprConstraintDescr;
import org.drools.drl.ast.descr.PatternDescr;
import org.drools.drl.ast.descr.RuleDescr;
import org.jspecify.annotations.Nullable;

/**
 * Reads one rule: Drools' tree of it is held to an allow-list, then its tokens are walked from `rule` to `end`, so that
 * every word of the text is accounted for.
 */
final class RuleReader {
    static final int MAX_CONDITIONS = 20;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 _.:/()-]{0,119}");
    private static final List<String> ANNOTATIONS =
            List.of("id", "owner", "reason", "severity", "risk", "description", "cites");
    private static final Set<String> RISKS = Set.of("low", "medium", "high", "critical");

    private final Source source;
    private final List<Token> tokens;
    private final Vocabulary vocabulary;
    private boolean refused;

    RuleReader(Source source, List<Token> tokens, Vocabulary vocabulary) {
        this.source = source;
        this.tokens = tokens;
        this.vocabulary = vocabulary;
    }

    /** The rule, or {@code null} with its mistakes reported. */
    @Nullable
    Rule read(RuleDescr descr) {
        int start = descr.getStartCharacter();
        int before = source.errors();
        PatternDescr pattern = allowed(descr);
        if (refused || pattern == null) {
            return null;
        }
        Token end = DrlText.end(tokens, descr);
        var cursor = new Tokens(tokens, start, end.end());
        try {
            expect(cursor, "rule", Code.P001);
            Token name = cursor.take();
            if (name.kind() != Token.Kind.STRING || !NAME.matcher(name.text()).matches()) {
                throw new Mistake(
                        name.at(),
                        Code.G021,
                        "a rule's name stands in quotes: up to 120 letters, digits, blanks and _ . : / ( ) -");
            }
            Map<String, String> meta = annotations(cursor);
            expect(cursor, "when", Code.P001);
            expect(cursor, "Request", Code.G032);
            expect(cursor, "(", Code.G032);
            List<Expr> conditions = conditions(cursor, pattern);
            expect(cursor, ")", Code.G032);
            expect(cursor, "then", Code.P001);
            var consequence = new Tokens(tokens, cursor.peek().at(), end.at());
            List<Effect> effects = new ConsequenceParser(source, consequence, vocabulary).parse();
            if (!end.is("end")) {
                throw new Mistake(end.at(), Code.P001, "the rule is not closed with `end`");
            }
            var rule = new Rule(
                    vocabulary.pack(), name.text(), source.file, source.line(start), meta, conditions, effects);
            warn(rule, pattern);
            return refused || source.errors() > before ? null : rule;
        } catch (Mistake mistake) {
            mistake.report(source);
            return null;
        }
    }

    private @Nullable PatternDescr allowed(RuleDescr descr) {
        int at = descr.getStartCharacter();
        if (descr.isQuery()) {
            refuse(at, Code.G014, "queries are not part of the dialect", "write a rule");
            return null;
        }
        if (descr.hasParent()) {
            refuse(at, Code.G023, "a rule may not extend another", "repeat its conditions");
        }
        descr.getAttributes()
                .values()
                .forEach(attribute -> refuse(
                        place(attribute, at),
                        Code.G025,
                        "`" + attribute.getName() + "` is not part of the dialect",
                        "remove it; the order of rules never matters"));
        if (!descr.getNamedConsequences().isEmpty()) {
            refuse(at, Code.G026, "one consequence is allowed, without a name", "write a rule for each");
        }
        if (descr.hasErrors() || descr.getUnit() != null) {
            refuse(at, Code.P001, "this rule has parts that are not part of the dialect", null);
        }
        List<BaseDescr> left =
                descr.getLhs() == null ? List.of() : descr.getLhs().getDescrs();
        if (left.size() != 1 || !(left.get(0) instanceof PatternDescr pattern)) {
            BaseDescr odd = left.stream()
                    .filter(d -> !(d instanceof PatternDescr))
                    .findFirst()
                    .orElse(null);
            refuse(
                    odd != null ? place(odd, at) : left.size() > 1 ? place(left.get(1), at) : at,
                    Code.G030,
                    "a rule has exactly one `Request( ... )` after `when`",
                    "no second pattern, not, exists, eval, from or accumulate");
            return null;
        }
        pattern(pattern, at);
        return pattern;
    }

    private void pattern(PatternDescr pattern, int rule) {
        int at = place(pattern, rule);
        if (!pattern.getObjectType().equals("Request")) {
            refuse(at, Code.G031, "there is no fact `" + pattern.getObjectType() + "`", "write `Request( ... )`");
            return;
        }
        if (pattern.getIdentifier() != null && !pattern.getIdentifier().isEmpty() || pattern.isUnification()) {
            refuse(at, Code.G032, "bindings are not part of the dialect", "write `Request( ... )` alone");
        }
        boolean decorated = pattern.getSource() != null
                || pattern.getBehaviors() != null && !pattern.getBehaviors().isEmpty()
                || !pattern.getAnnotations().isEmpty()
                || pattern.isQuery();
        if (decorated) {
            refuse(at, Code.G032, "a pattern has conditions only", "remove `from`, `over`, annotations and the like");
        }
        if (pattern.getDescrs().size() > MAX_CONDITIONS) {
            refuse(at, Code.G033, "a rule has at most " + MAX_CONDITIONS + " conditions", "split it");
        }
        for (BaseDescr constraint : pattern.getDescrs()) {
            boolean plain = constraint instanceof ExprConstraintDescr expr
                    && expr.getType() == ExprConstraintDescr.Type.NAMED
                    && constraint.getStartCharacter() >= 0;
            if (!plain) {
                refuse(place(constraint, at), Code.G032, "this is not a condition of the dialect", null);
            }
        }
    }

    private Map<String, String> annotations(Tokens cursor) throws Mistake {
        var meta = new LinkedHashMap<String, String>();
        while (cursor.take("@")) {
            Token name = cursor.take();
            if (!ANNOTATIONS.contains(name.text())) {
                throw OperandParser.unknown(
                        Code.G024,
                        "annotation",
                        name,
                        ANNOTATIONS,
                        "annotations are " + String.join(", ", ANNOTATIONS));
            }
            expect(cursor, "(", Code.G024);
            Token value = cursor.take();
            if (value.kind() != Token.Kind.STRING && value.kind() != Token.Kind.WORD) {
                throw new Mistake(value.at(), Code.G024, "an annotation holds one text", "put it in quotes");
            }
            if (name.is("risk") && !RISKS.contains(value.text())) {
                throw new Mistake(value.at(), Code.G024, "a risk is low, medium, high or critical");
            }
            expect(cursor, ")", Code.G024);
            if (meta.put(name.text(), value.text()) != null) {
                throw new Mistake(name.at(), Code.G024, "`@" + name.text() + "` is given twice");
            }
        }
        return java.util.Collections.unmodifiableMap(meta);
    }

    private List<Expr> conditions(Tokens cursor, PatternDescr pattern) throws Mistake {
        var conditions = new ArrayList<Expr>();
        for (BaseDescr constraint : pattern.getDescrs()) {
            if (constraint != pattern.getDescrs().get(0)) {
                expect(cursor, ",", Code.G032);
            }
            var slice = new Tokens(tokens, constraint.getStartCharacter(), constraint.getEndCharacter() + 1);
            if (cursor.peek().at() != slice.peek().at()) {
                throw new Mistake(cursor.peek().at(), Code.G032, "this is not a condition of the dialect");
            }
            while (!cursor.atEnd() && cursor.peek().end() <= constraint.getEndCharacter() + 1) {
                cursor.take();
            }
            try {
                conditions.add(new ExpressionParser(slice, vocabulary).parse());
            } catch (Mistake mistake) {
                mistake.report(source);
                refused = true;
            }
        }
        return List.copyOf(conditions);
    }

    private void warn(Rule rule, PatternDescr pattern) {
        if (!rule.restricting() || rule.conditions().isEmpty()) {
            return;
        }
        Expr first = rule.conditions().get(0);
        boolean presence = first instanceof Expr.IsNull;
        if (first.optional() && !presence) {
            source.error(
                    pattern.getDescrs().get(0).getStartCharacter(),
                    Code.W001,
                    "rule `" + rule.name()
                            + "` restricts, and its first condition can be unknown: every request without "
                            + "that attribute will be denied",
                    "start with an equality on a required field, or with `!= null`");
        }
    }

    private void refuse(int at, Code code, String message, @Nullable String hint) {
        refused = true;
        source.error(at, code, message, hint);
    }

    private int place(BaseDescr descr, int otherwise) {
        return descr.getStartCharacter() >= 0 ? descr.getStartCharacter() : otherwise;
    }

    private static void expect(Tokens cursor, String word, Code code) throws Mistake {
        Token token = cursor.peek();
        if (!cursor.take(word)) {
            throw new Mistake(token.at(), code, "`" + word + "` is expected, not " + token.shown());
        }
    }
}
