package dev.countersign.rules.dialect;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.countersign.rules.dialect.Expr.Comparison;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Cidr;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads one condition into a typed {@link Expr}, by recursive descent over its tokens. */
final class ExpressionParser {
    static final String DECLARE_LIST = "declare it under `lists:` in pack.yaml";
    static final String USE_LIST = "use `memberOf list(\"...\")`";
    static final String USE_CONTAINS = "use `contains`, `count(...)` or `== null`";
    static final String USE_GLOB = "for a part of a text write `glob(name, \"*part*\")`";
    static final String QUOTE = "put the value in quotes";
    static final String UNQUOTE = "remove the quotes";
    static final int MAX_DEPTH = 4;
    static final int MAX_VALUES = 200;
    static final int MAX_TESTS = 50;

    private final Tokens tokens;
    private final Vocabulary vocabulary;
    private final OperandParser operands;
    private int tests;

    ExpressionParser(Tokens tokens, Vocabulary vocabulary) {
        this.tokens = tokens;
        this.vocabulary = vocabulary;
        this.operands = new OperandParser(tokens, vocabulary);
    }

    Expr parse() throws Mistake {
        Expr expr = or(1);
        if (!tokens.atEnd()) {
            throw unexpected("`,`, `&&` or `||`");
        }
        return expr;
    }

    private Expr or(int depth) throws Mistake {
        var parts = new ArrayList<Expr>(List.of(and(depth)));
        while (tokens.take("||")) {
            parts.add(and(depth));
        }
        return parts.size() == 1 ? parts.get(0) : new Expr.Or(List.copyOf(parts));
    }

    private Expr and(int depth) throws Mistake {
        var parts = new ArrayList<Expr>(List.of(unary(depth)));
        while (tokens.take("&&")) {
            parts.add(unary(depth));
        }
        return parts.size() == 1 ? parts.get(0) : new Expr.And(List.copyOf(parts));
    }

    private Expr unary(int depth) throws Mistake {
        Token start = tokens.peek();
        boolean not = tokens.take("!");
        if (not && !tokens.peek().is("(")) {
            throw new Mistake(start.at(), Code.E001, "`!` negates a condition in brackets", "write `!( ... )`");
        }
        if (!tokens.take("(")) {
            return test();
        }
        if (depth > MAX_DEPTH) {
            throw new Mistake(
                    start.at(), Code.E002, "conditions nest at most " + MAX_DEPTH + " deep", "split the rule");
        }
        Expr inner = or(depth + 1);
        expect(")");
        return not ? new Expr.Not(inner) : inner;
    }

    private Expr test() throws Mistake {
        Token start = tokens.peek();
        if (++tests > MAX_TESTS) {
            throw new Mistake(
                    start.at(),
                    Code.G033,
                    "one condition has at most " + MAX_TESTS + " tests",
                    "use `in`, a list, or several rules");
        }
        if (tokens.peek(1).is("(") && start.kind() == Token.Kind.WORD) {
            if (start.is("cidr")) {
                return cidr();
            }
            if (start.is("glob")) {
                return glob();
            }
        }
        Operand left = operands.operand(null);
        Token op = tokens.peek();
        for (Comparison comparison : Comparison.values()) {
            if (tokens.take(comparison.symbol())) {
                return compare(start, left, comparison, op);
            }
        }
        boolean negated = tokens.take("not");
        if (tokens.take("in")) {
            return in(start, left, negated);
        }
        if (tokens.take("matches")) {
            text(start, left, "matches");
            return new Expr.Matches(left, regex(operands.string("a regular expression")), negated);
        }
        if (tokens.take("contains")) {
            return contains(start, left, negated);
        }
        if (tokens.take("memberOf")) {
            return memberOf(start, left, negated);
        }
        if (negated) {
            throw unexpected("`in`, `matches`, `contains` or `memberOf`");
        }
        if (tokens.take("str")) {
            return affix(start, left);
        }
        if (left instanceof Operand.Field field && field.type() == Type.BOOL) {
            return new Expr.Truth(field.attribute());
        }
        if (op.is("=")) {
            throw new Mistake(op.at(), Code.E001, "`=` does not compare", "write `==`", "==");
        }
        throw unexpected("a comparison");
    }

    private Expr compare(Token start, Operand left, Comparison op, Token at) throws Mistake {
        Token rightStart = tokens.peek();
        if (tokens.take("null")) {
            if (!(left instanceof Operand.Field field) || !op.equality()) {
                throw new Mistake(
                        rightStart.at(), Code.T001, "only an attribute can be compared with null, by == or !=");
            }
            if (field.attribute().required() || field.attribute().builtIn() == BuiltIn.MODE) {
                throw new Mistake(
                        start.at(),
                        Code.T001,
                        "every request has `" + field.attribute().name() + "`, so this never changes",
                        "remove the condition");
            }
            return new Expr.IsNull(field.attribute(), op == Comparison.NE);
        }
        Operand right = operands.operand(left.type());
        Operand typedLeft = OperandParser.adapt(left, right.type(), start);
        if (typedLeft instanceof Operand.Literal && right instanceof Operand.Literal) {
            throw new Mistake(start.at(), Code.T001, "two literals always compare the same", "name an attribute");
        }
        if (typedLeft.equals(right)) {
            throw new Mistake(start.at(), Code.T001, "both sides are the same", "compare with something else");
        }
        if (typedLeft.type() != right.type()) {
            throw new Mistake(
                    start.at(),
                    Code.T001,
                    "cannot compare " + typedLeft.type().word() + " with "
                            + right.type().word(),
                    mismatchHint(typedLeft, right));
        }
        boolean fits = switch (typedLeft.type()) {
            case TEXT, BOOL -> op.equality();
            case NUMBER, TIME -> true;
            case LIST -> false;
        };
        if (!fits) {
            throw new Mistake(
                    at.at(),
                    Code.T001,
                    "`" + op.symbol() + "` does not fit a " + typedLeft.type().word(),
                    typedLeft.type() == Type.LIST ? USE_CONTAINS : "use `==` or `!=`");
        }
        return new Expr.Compare(typedLeft, op, right);
    }

    private static @Nullable String mismatchHint(Operand left, Operand right) {
        if (left.type() == Type.LIST || right.type() == Type.LIST) {
            return USE_CONTAINS;
        }
        Operand literal = right instanceof Operand.Literal ? right : left;
        Operand other = literal == right ? left : right;
        if (!(literal instanceof Operand.Literal)) {
            return null;
        }
        if (other.type() == Type.TEXT) {
            return QUOTE;
        }
        return literal.type() == Type.TEXT ? UNQUOTE : null;
    }

    private Expr in(Token start, Operand left, boolean negated) throws Mistake {
        if (left instanceof Operand.Literal || left.type() == Type.LIST) {
            throw new Mistake(start.at(), Code.T001, "`in` needs a single attribute on its left");
        }
        expect("(");
        var values = new ArrayList<Operand.Literal>();
        do {
            Token at = tokens.peek();
            Operand value = operands.operand(left.type());
            if (!(value instanceof Operand.Literal literal)) {
                throw new Mistake(at.at(), Code.E001, "`in` compares with literals", USE_LIST);
            }
            if (literal.type() != left.type()) {
                throw new Mistake(
                        at.at(),
                        Code.T001,
                        "cannot compare " + left.type().word() + " with "
                                + literal.type().word(),
                        mismatchHint(left, literal));
            }
            values.add(literal);
            if (values.size() > MAX_VALUES) {
                throw new Mistake(at.at(), Code.E003, "at most " + MAX_VALUES + " values", USE_LIST);
            }
        } while (tokens.take(","));
        expect(")");
        return new Expr.In(left, List.copyOf(values), negated);
    }

    private Expr contains(Token start, Operand left, boolean negated) throws Mistake {
        Attribute list = list(start, left, "contains");
        Token at = tokens.peek();
        Operand text = operands.operand(Type.TEXT);
        if (text.type() != Type.TEXT) {
            throw new Mistake(at.at(), Code.T001, "a list contains texts", QUOTE);
        }
        return new Expr.Contains(list, text, negated);
    }

    private Expr memberOf(Token start, Operand left, boolean negated) throws Mistake {
        text(start, left, "memberOf");
        if (tokens.peek().is("list") && tokens.peek(1).is("(")) {
            tokens.take();
            tokens.take();
            Token name = tokens.peek();
            NamedList list = vocabulary.lists().get(operands.string("the name of a list"));
            if (list == null) {
                throw OperandParser.unknown(
                        vocabulary, Code.N002, "list", name, vocabulary.lists().keySet(), DECLARE_LIST);
            }
            expect(")");
            return new Expr.MemberOfList(left, list, negated);
        }
        Token at = tokens.peek();
        Attribute list = list(at, operands.operand(null), "memberOf");
        return new Expr.MemberOfAttribute(left, list, negated);
    }

    private Expr affix(Token start, Operand left) throws Mistake {
        text(start, left, "str");
        expect("[");
        Token which = tokens.take();
        if (!which.is("startsWith") && !which.is("endsWith")) {
            throw new Mistake(which.at(), Code.E001, "`startsWith` or `endsWith` is expected, not " + which.shown());
        }
        expect("]");
        return new Expr.Affix(left, which.is("startsWith"), operands.string("a text"));
    }

    private Expr cidr() throws Mistake {
        tokens.take();
        Attribute address = textArgument("cidr");
        Token at = tokens.peek();
        String text = operands.string("a block such as \"10.0.0.0/8\"");
        Cidr block = Cidr.parse(text);
        if (block == null) {
            throw new Mistake(at.at(), Code.T002, "`" + text + "` is not a CIDR block", "write it like \"10.0.0.0/8\"");
        }
        expect(")");
        return new Expr.InCidr(address, block, text);
    }

    private Expr glob() throws Mistake {
        tokens.take();
        Attribute attribute = textArgument("glob");
        String pattern = operands.string("a pattern such as \"prod-*\"");
        expect(")");
        return new Expr.MatchesGlob(attribute, new Glob(pattern), pattern);
    }

    private Attribute textArgument(String function) throws Mistake {
        expect("(");
        Token at = tokens.peek();
        Attribute attribute = operands.attribute();
        if (attribute.type() != Type.TEXT) {
            throw new Mistake(
                    at.at(),
                    Code.T001,
                    function + " needs a text, and " + attribute.name() + " is a "
                            + attribute.type().word());
        }
        expect(",");
        return attribute;
    }

    private static void text(Token start, Operand left, String operator) throws Mistake {
        if (left.type() != Type.TEXT || left instanceof Operand.Literal) {
            throw new Mistake(start.at(), Code.T001, "`" + operator + "` needs a text attribute on its left");
        }
    }

    private static Attribute list(Token start, Operand operand, String operator) throws Mistake {
        if (operand instanceof Operand.Field field && field.type() == Type.LIST) {
            return field.attribute();
        }
        throw new Mistake(
                start.at(),
                Code.T001,
                "`" + operator + "` needs a list attribute here",
                operator.equals("contains") ? USE_GLOB : null);
    }

    private Regex regex(String text) throws Mistake {
        int at = tokens.peek(-1).at();
        try {
            Pattern pattern = Regex.bounded(text);
            if (pattern == null) {
                throw new Mistake(at, Code.R001, "the pattern repeats too much", "use smaller counts in `{ }`");
            }
            return Regex.of(pattern);
        } catch (PatternSyntaxException e) {
            throw new Mistake(at, Code.R001, "bad pattern: " + e.getDescription(), "patterns are RE2 syntax");
        }
    }

    private void expect(String symbol) throws Mistake {
        if (!tokens.take(symbol)) {
            throw unexpected("`" + symbol + "`");
        }
    }

    private Mistake unexpected(String wanted) {
        Token token = tokens.peek();
        return new Mistake(token.at(), Code.E001, wanted + " is expected, not " + token.shown());
    }
}
