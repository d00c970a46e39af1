package dev.countersign.rules.dialect;

import org.jspecify.annotations.Nullable;

/** Leaves the reading of one condition or action at its first mistake; the next one is read all the same. */
final class Mistake extends Exception {
    private static final long serialVersionUID = 1L;

    final int at;
    final Code code;
    final @Nullable String hint;
    final @Nullable String fix;

    Mistake(int at, Code code, String message) {
        this(at, code, message, null, null);
    }

    Mistake(int at, Code code, String message, @Nullable String hint) {
        this(at, code, message, hint, null);
    }

    Mistake(int at, Code code, String message, @Nullable String hint, @Nullable String fix) {
        super(message, null, false, false);
        this.at = at;
        this.code = code;
        this.hint = hint;
        this.fix = fix;
    }

    void report(Source source) {
        source.error(at, code, String.valueOf(getMessage()), hint, fix);
    }
}
