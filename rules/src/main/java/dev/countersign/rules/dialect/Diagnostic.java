package dev.countersign.rules.dialect;

import org.jspecify.annotations.Nullable;

/**
 * One mistake and where it stands. Lines and columns count from 1, columns in UTF-16 units.
 *
 * @param file the file as the author named it
 * @param line the line
 * @param column the column
 * @param code the kind of mistake
 * @param message what is wrong, in terms of the dialect
 * @param hint what to do about it, or {@code null}
 * @param fix the text that would stand there instead, or {@code null}
 */
public record Diagnostic(
        String file,
        int line,
        int column,
        Code code,
        String message,
        @Nullable String hint,
        @Nullable String fix) {
    /** One line as compilers write it: {@code file:line:column: error CODE: message (hint)}. */
    @Override
    public String toString() {
        return file + ":" + line + ":" + column + ": " + (code.warning() ? "warning " : "error ") + code + ": "
                + message + (hint == null ? "" : " (" + hint + ")");
    }
}
