package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Vocabulary;
import dev.countersign.rules.pack.ApprovalTemplate;
import dev.countersign.rules.pack.Pack;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * What rows may use: the built-in fields, and what all active packs declare. A name that two packs declare differently
 * cannot be used. Immutable.
 *
 * @param vocabulary the names
 * @param templates the approval templates by name
 */
public record RowVocabulary(Vocabulary vocabulary, Map<String, ApprovalTemplate> templates) {
    /** A name and the pack that declared it first. */
    private record Declared<T>(String pack, T value) {}

    /**
     * What rows may use beside these packs.
     *
     * @param packs the active packs, those of the rule base that judges the rows
     * @param own templates that the server or the tenant has itself; they go before those of packs
     */
    public static RowVocabulary of(List<Pack> packs, Map<String, ApprovalTemplate> own) {
        var ambiguous = new HashMap<String, String>();
        Map<String, Attribute> attributes =
                union(packs, pack -> pack.vocabulary().attributes(), RowVocabulary::same, "name", ambiguous);
        Map<String, Param> params =
                union(packs, pack -> pack.vocabulary().params(), RowVocabulary::same, "parameter", ambiguous);
        Map<String, NamedList> lists =
                union(packs, pack -> pack.vocabulary().lists(), RowVocabulary::same, "list", ambiguous);
        var templates = new LinkedHashMap<>(
                union(packs, Pack::templates, ApprovalTemplate::equals, "approval template", ambiguous));
        templates.putAll(own);
        own.keySet().forEach(name -> ambiguous.remove("approval template " + name));
        var names =
                Vocabulary.of(Rule.POLICIES, attributes.values(), params, lists, new ArrayList<>(templates.keySet()));
        return new RowVocabulary(
                new Vocabulary(
                        names.pack(), names.attributes(), params, lists, names.templates(), Map.copyOf(ambiguous)),
                Map.copyOf(templates));
    }

    private static <T> Map<String, T> union(
            List<Pack> packs,
            Function<Pack, Map<String, T>> declared,
            BiPredicate<T, T> same,
            String kind,
            Map<String, String> ambiguous) {
        var found = new LinkedHashMap<String, Declared<T>>();
        for (Pack pack : packs) {
            declared.apply(pack).forEach((name, value) -> {
                var first = found.putIfAbsent(name, new Declared<>(pack.name(), value));
                if (first != null && !same.test(first.value(), value)) {
                    ambiguous.putIfAbsent(
                            kind + " " + name,
                            "the packs `" + first.pack() + "` and `" + pack.name()
                                    + "` declare it differently: rename it in one of them");
                }
            });
        }
        var out = new LinkedHashMap<String, T>();
        found.forEach((name, each) -> {
            if (!ambiguous.containsKey(kind + " " + name)) {
                out.put(name, each.value());
            }
        });
        return out;
    }

    private static boolean same(Attribute one, Attribute other) {
        return one.type() == other.type()
                && one.precedence() == other.precedence()
                && Objects.equals(one.source(), other.source());
    }

    /** Where no tenant sets a value, rules read the default or the environment: these must not depend on the pack. */
    private static boolean same(Declaration one, Declaration other) {
        return one.type() == other.type()
                && one.byDefault().equals(other.byDefault())
                && Objects.equals(one.env(), other.env());
    }
}
