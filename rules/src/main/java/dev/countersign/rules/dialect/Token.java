package dev.countersign.rules.dialect;

/**
 * One word of a rule file.
 *
 * @param kind what it is
 * @param text the name, symbol or number as written; a string without quotes and escapes
 * @param at the offset of its first character
 * @param end the offset after its last character
 */
record Token(Kind kind, String text, int at, int end) {
    enum Kind {
        WORD,
        STRING,
        NUMBER,
        SYMBOL,
        END
    }

    boolean is(String symbolOrWord) {
        return (kind == Kind.WORD || kind == Kind.SYMBOL) && text.equals(symbolOrWord);
    }

    /** How a message names it. */
    String shown() {
        return switch (kind) {
            case END -> "the end";
            case STRING -> "a text";
            default -> "`" + clipped() + "`";
        };
    }

    /** The text, cut to what a message can hold. */
    String clipped() {
        return text.length() <= 60 ? text : text.substring(0, 60) + "...";
    }

    /** This token where the text starts {@code offset} later. */
    Token from(int offset) {
        return new Token(kind, text, at - offset, end - offset);
    }
}
