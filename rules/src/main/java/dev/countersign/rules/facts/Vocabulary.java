package dev.countersign.rules.facts;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names that rules may use: the built-in fields, the attributes, parameters and lists that {@code pack.yaml}
 * declares, and its approval templates.
 *
 * @param pack the pack's name
 * @param attributes every attribute by name
 * @param params every parameter by name
 * @param lists every list by name
 * @param templates the names of the pack's approval templates
 * @param ambiguous names that cannot be used because packs declare them differently: what to do about each, by its kind
 *     and name, {@code "list blocked"} for instance; empty in the vocabulary of one pack
 */
public record Vocabulary(
        String pack,
        Map<String, Attribute> attributes,
        Map<String, Param> params,
        Map<String, NamedList> lists,
        List<String> templates,
        Map<String, String> ambiguous) {
    /** A vocabulary of the built-in fields and what a pack declares. */
    public static Vocabulary of(
            String pack,
            Collection<Attribute> declared,
            Map<String, Param> params,
            Map<String, NamedList> lists,
            Collection<String> templates) {
        var attributes = new LinkedHashMap<String, Attribute>();
        BuiltIn.all().forEach(field -> attributes.put(field.name(), field));
        declared.forEach(attribute -> attributes.putIfAbsent(attribute.name(), attribute));
        return new Vocabulary(pack, attributes, params, lists, new ArrayList<>(templates), Map.of());
    }

    /** The attribute of that name, or {@code null}. */
    public @Nullable Attribute attribute(String name) {
        return attributes.get(name);
    }

    /**
     * The name among {@code known} that {@code typed} was probably meant to be, or {@code null} if none is near.
     */
    public static @Nullable String nearest(String typed, Collection<String> known) {
        String best = null;
        int bestDistance = Math.max(2, typed.length() / 3) + 1;
        for (String name : known) {
            int distance = distance(typed.toLowerCase(java.util.Locale.ROOT), name.toLowerCase(java.util.Locale.ROOT));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = name;
            }
        }
        return best;
    }

    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitute = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(substitute, Math.min(previous[j], row[j - 1]) + 1);
            }
            previous = row;
        }
        return previous[b.length()];
    }
}
