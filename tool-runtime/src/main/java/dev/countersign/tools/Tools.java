package dev.countersign.tools;

import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;

/** The tools of a process, by name. It does not change once it is made. */
public final class Tools {
    private final TreeMap<String, Tool> byName = new TreeMap<>();

    /** The registry of these tools. Two of one name are an {@link IllegalArgumentException}. */
    public Tools(Collection<? extends Tool> tools) {
        for (Tool tool : tools) {
            if (byName.putIfAbsent(tool.name(), tool) != null) {
                throw new IllegalArgumentException("there are two tools named '" + tool.name() + "'");
            }
        }
    }

    /** The tool of this name. */
    public Optional<Tool> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** The names, in order. */
    public SortedSet<String> names() {
        return Collections.unmodifiableSortedSet(byName.navigableKeySet());
    }
}
