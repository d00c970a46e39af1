package dev.countersign.rules.dialect;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The mistakes found so far in one pack. */
public final class Diagnostics {
    private final Set<Diagnostic> found = new LinkedHashSet<>();

    /** Adds a mistake, once. */
    public void add(Diagnostic diagnostic) {
        found.add(diagnostic);
    }

    /** Whether anything but warnings was found. */
    public boolean hasErrors() {
        return found.stream().anyMatch(diagnostic -> !diagnostic.code().warning());
    }

    /** All of them, by file and place. */
    public List<Diagnostic> all() {
        return found.stream()
                .sorted(Comparator.comparing(Diagnostic::file)
                        .thenComparing(Diagnostic::line)
                        .thenComparing(Diagnostic::column))
                .toList();
    }
}
