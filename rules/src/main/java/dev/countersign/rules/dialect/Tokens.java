package dev.countersign.rules.dialect;

import java.util.List;

/** A cursor over the tokens of one slice of a rule file. */
final class Tokens {
    private final List<Token> tokens;
    private final Token end;
    private int next;

    /** The tokens of {@code all} that stand inside {@code [from, to)}. */
    Tokens(List<Token> all, int from, int to) {
        int last = index(all, to);
        while (last > 0 && (all.get(last - 1).end() > to || all.get(last - 1).kind() == Token.Kind.END)) {
            last--;
        }
        this.tokens = all.subList(Math.min(index(all, from), last), last);
        this.end = new Token(Token.Kind.END, "", to, to);
    }

    /** How many of these tokens, which stand in the order of the text, start before {@code offset}. */
    static int index(List<Token> all, int offset) {
        int low = 0;
        int high = all.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (all.get(middle).at() < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    Token peek() {
        return peek(0);
    }

    Token peek(int ahead) {
        return next + ahead < tokens.size() ? tokens.get(next + ahead) : end;
    }

    Token take() {
        Token token = peek();
        next++;
        return token;
    }

    boolean take(String symbolOrWord) {
        if (peek().is(symbolOrWord)) {
            next++;
            return true;
        }
        return false;
    }

    boolean atEnd() {
        return next >= tokens.size();
    }

    /** Moves behind the next {@code ;}, or to the end. */
    void skipStatement() {
        while (!atEnd() && !take().is(";")) {
            // every token up to the separator belongs to the broken statement
        }
    }
}
