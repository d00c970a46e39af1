package dev.countersign.rules.dialect;

import java.util.List;

/** A cursor over the tokens of one slice of a rule file. */
final class Tokens {
    private final List<Token> tokens;
    private final Token end;
    private int next;

    /** The tokens of {@code all} that stand inside {@code [from, to)}. */
    Tokens(List<Token> all, int from, int to) {
        this.tokens = all.stream()
                .filter(token -> token.kind() != Token.Kind.END && token.at() >= from && token.end() <= to)
                .toList();
        this.end = new Token(Token.Kind.END, "", to, to);
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
