package dev.countersign.rules.dialect;

import java.util.Arrays;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The text of one rule file, or of a part of one, and where its lines begin. */
final class Source {
    /** The most mistakes of one file that are shown; a file of nothing else must not fill the memory. */
    static final int MAX_SHOWN = 200;

    final String file;
    final String text;
    private final Diagnostics diagnostics;
    private final int[] lineStarts;
    private final int base;
    private final NavigableSet<Integer> errorPlaces;
    private final int[] errors;

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
        this.base = 0;
        this.errorPlaces = new TreeSet<>();
        this.errors = new int[1];
    }

    private Source(Source whole, int from, int to) {
        this.file = whole.file;
        this.text = whole.text.substring(from, to);
        this.diagnostics = whole.diagnostics;
        this.lineStarts = whole.lineStarts;
        this.base = whole.base + from;
        this.errorPlaces = whole.errorPlaces;
        this.errors = whole.errors;
    }

    /** A part of this text, whose offsets count from its own start and whose mistakes are mistakes of this text. */
    Source part(int from, int to) {
        return new Source(this, from, to);
    }

    /** The line, from 1, on which an offset stands. */
    int line(int offset) {
        int found = Arrays.binarySearch(lineStarts, base + offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** The column, from 1, at which an offset stands. */
    int column(int offset) {
        return base + offset - lineStarts[line(offset) - 1] + 1;
    }

    /** The offset of a line and column of this text, both from 1, kept inside the text. */
    int offset(int line, int column) {
        int wanted = Math.max(1, Math.min(line(0) - 1 + line, lineStarts.length));
        int start = wanted == line(0) ? 0 : lineStarts[wanted - 1] - base;
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
            errorPlaces.add(base + offset);
            if (++errors[0] > MAX_SHOWN) {
                return;
            }
        }
        diagnostics.add(new Diagnostic(file, line(offset), column(offset), code, message, hint, fix));
    }

    /** How many errors the whole file has so far. */
    int errors() {
        return errors[0];
    }

    boolean clean() {
        return errors[0] == 0;
    }

    /** Whether some error so far stands inside {@code [from, to)}. */
    boolean broken(int from, int to) {
        Integer next = errorPlaces.ceiling(base + from);
        return next != null && next < base + to;
    }
}
