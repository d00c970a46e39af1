package dev.countersign.rules.facts;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** A set of texts and glob patterns, made for fast membership tests. */
public final class TextSet {
    private final Set<String> exact;
    private final List<Glob> globs;

    /** A set of these entries, in which an entry with {@code *} is a pattern. */
    public TextSet(List<String> entries) {
        exact = entries.stream().filter(entry -> !Glob.isPattern(entry)).collect(Collectors.toUnmodifiableSet());
        globs = entries.stream().filter(Glob::isPattern).map(Glob::new).toList();
    }

    /** Whether the text is an entry or matches one. */
    public boolean contains(String text) {
        if (exact.contains(text)) {
            return true;
        }
        for (Glob glob : globs) {
            if (glob.matches(text)) {
                return true;
            }
        }
        return false;
    }
}
