package dev.countersign.rules.facts;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The numbering of everything that a set of packs may read: each attribute, parameter and list has one slot. Built once
 * per rule base and then only read.
 */
public final class Layout {
    private record Key(String name, Type type, @Nullable SourcePath source, Precedence precedence) {}

    private final Map<Key, Integer> attributes = new LinkedHashMap<>();
    private final Map<Param, Integer> params = new LinkedHashMap<>();
    private final Map<NamedList, Integer> lists = new LinkedHashMap<>();

    /** The slot of an attribute; attributes that read the same place the same way share one. */
    public int slot(Attribute attribute) {
        String name = attribute.builtIn() == null && attribute.source() != null ? "" : attribute.name();
        return number(attributes, new Key(name, attribute.type(), attribute.source(), attribute.precedence()));
    }

    /** The slot of a parameter. */
    public int slot(Param param) {
        return number(params, param);
    }

    /** The slot of a list. */
    public int slot(NamedList list) {
        return number(lists, list);
    }

    /** What is numbered already is only read, so that a finished layout may be asked by many threads. */
    private static <K> int number(Map<K, Integer> numbers, K key) {
        Integer known = numbers.get(key);
        if (known != null) {
            return known;
        }
        numbers.put(key, numbers.size());
        return numbers.size() - 1;
    }

    /** How many attributes there are. */
    public int slots() {
        return attributes.size();
    }

    Map<Param, Integer> params() {
        return params;
    }

    Map<NamedList, Integer> lists() {
        return lists;
    }
}
