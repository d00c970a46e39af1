package dev.countersign.rules.dialect;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The text of one rule file, and where its lines begin. */
final class Source {
    final String file;
    final String text;
    private final Diagnostics diagnostics;
    private final int[] lineStarts;
    private int errors;

    Source(String file, String text, Diagnostics diagnostics) {
        this.file = file;
        this.text = text;
        this.diagnostics = diagnostics;
        int[] starts = new int[text.length() + 1];
        int lines = 1;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                starts[lines++] = i + 1;
            }
        }
        this.lineStarts = Arrays.copyOf(starts, lines);
    }

    /** The line, from 1, on which an offset stands. */
    int line(int offset) {
        int found = Arrays.binarySearch(lineStarts, offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** The column, from 1, at which an offset stands. */
    int column(int offset) {
        return offset - lineStarts[line(offset) - 1] + 1;
    }

    /** The offset of a line and column, both from 1, kept inside the text. */
    int offset(int line, int column) {
        int start = lineStarts[Math.max(0, Math.min(line, lineStarts.length) - 1)];
        return Math.max(0, Math.min(text.length(), start + Math.max(0, column - 1)));
    }

    void error(int offset, Code code, String message) {
        error(offset, code, message, null, null);
    }

    void error(int offset, Code code, String message, @Nullable String hint) {
        error(offset, code, message, hint, null);
    }

    void error(int offset, Code code, String message, @Nullable String hint, @Nullable String fix) {
        if (!code.warning()) {
            errors++;
        }
        diagnostics.add(new Diagnostic(file, line(offset), column(offset), code, message, hint, fix));
    }

    boolean clean() {
        return errors == 0;
    }
}
