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
            default -> "`" + text + "`";
        };
    }
}
