package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The values that are tried at a spot: what rules mention, one of each stretch between, something else, nothing, and what
 * has the wrong type. {@code null} is absence. What is plain comes first, for it makes the examples.
 */
final class Candidates {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MOST_TEXTS = 12;
    private static final int MOST_ELEMENTS = 24;
    private static final int SUBSETS_OF = 4;

    private Candidates() {}

    /** The values at a spot whose attributes are read at these paths inside of it; the empty path is the spot itself. */
    static List<@Nullable JsonNode> of(Map<List<String>, Mentions> inside, boolean required) {
        if (required) {
            var out = new ArrayList<@Nullable JsonNode>();
            inside.values().forEach(mentions -> out.addAll(texts(mentions.allTexts())));
            return out;
        }
        var out = new LinkedHashSet<@Nullable JsonNode>();
        out.add(null);
        out.addAll(present(inside));
        out.add(JSON.numberNode(7));
        out.add(JSON.textNode("other"));
        out.add(JSON.booleanNode(true));
        out.add(JSON.objectNode());
        out.add(JSON.arrayNode().add(7));
        return new ArrayList<>(out);
    }

    private static List<JsonNode> present(Map<List<String>, Mentions> inside) {
        var out = new LinkedHashSet<JsonNode>();
        var elements = new LinkedHashMap<List<String>, Mentions>();
        var members = new LinkedHashMap<String, Map<List<String>, Mentions>>();
        var sizes = new java.util.TreeSet<Integer>();
        inside.forEach((path, mentions) -> {
            if (path.isEmpty()) {
                mentions.types.forEach(type -> out.addAll(scalars(type, mentions)));
            } else if (path.get(0).equals("*")) {
                elements.put(path.subList(1, path.size()), elements(mentions));
            } else {
                members.computeIfAbsent(path.get(0), key -> new LinkedHashMap<>())
                        .put(path.subList(1, path.size()), mentions);
            }
            sizes.addAll(mentions.sizes);
        });
        if (!elements.isEmpty()) {
            var nested = new ArrayList<JsonNode>(arrays(elements, sizes));
            nested.addAll(out);
            out.clear();
            out.addAll(nested);
        }
        if (!members.isEmpty()) {
            var wanted = new ArrayList<JsonNode>(objects(members));
            wanted.addAll(out);
            return wanted;
        }
        return new ArrayList<>(out);
    }

    /** What a list is asked for, asked of each of its elements. */
    private static Mentions elements(Mentions list) {
        var out = new Mentions();
        out.types.add(Type.TEXT);
        out.texts.addAll(list.allTexts());
        return out;
    }

    private static List<JsonNode> scalars(Type type, Mentions mentions) {
        return switch (type) {
            case TEXT -> texts(mentions.allTexts());
            case NUMBER -> numbers(mentions.numbers);
            case BOOL -> List.of(JSON.booleanNode(true), JSON.booleanNode(false));
            case TIME ->
                times(mentions.times, Instant.EPOCH).stream()
                        .<JsonNode>map(time -> JSON.textNode(time.toString()))
                        .toList();
            case LIST -> lists(mentions);
        };
    }

    private static List<JsonNode> texts(Set<String> mentioned) {
        var out = new ArrayList<JsonNode>();
        mentioned.forEach(text -> out.add(JSON.textNode(text)));
        out.add(JSON.textNode(fresh("other", mentioned)));
        out.add(JSON.textNode(fresh("another", mentioned)));
        return out;
    }

    /** A text that is not mentioned. */
    private static String fresh(String text, Set<String> mentioned) {
        String out = text;
        while (mentioned.contains(out)) {
            out += "-1";
        }
        return out;
    }

    /** Every mentioned number, and one of each stretch before, between and after them. */
    private static List<JsonNode> numbers(Set<Double> mentioned) {
        var out = new ArrayList<JsonNode>();
        Double last = null;
        for (double number : mentioned) {
            double near = last == null ? Math.ceil(number) - 1 : between(last, number);
            if (last == null || near > last && near < number) {
                out.add(Setting.json(near));
            }
            out.add(Setting.json(number));
            last = number;
        }
        out.add(Setting.json(last == null ? 1 : Math.floor(last) + 1));
        return out;
    }

    private static double between(double low, double high) {
        double whole = Math.floor(low) + 1;
        return whole < high ? whole : low + (high - low) / 2;
    }

    /** Every mentioned time, and one of each stretch before, between and after them. */
    static List<Instant> times(Set<Instant> mentioned, Instant ifNone) {
        var out = new ArrayList<Instant>();
        Instant last = null;
        for (Instant time : mentioned) {
            if (last == null) {
                out.add(time.minusSeconds(1));
            } else {
                Duration half = Duration.between(last, time).dividedBy(2);
                if (!half.isZero()) {
                    out.add(last.plus(half.compareTo(Duration.ofSeconds(1)) < 0 ? half : Duration.ofSeconds(1)));
                }
            }
            out.add(time);
            last = time;
        }
        out.add(last == null ? ifNone : last.plusSeconds(1));
        return out;
    }

    /** Lists of what is mentioned: every subset of a few, else none, one, two and all of them; and lists of each size. */
    private static List<JsonNode> lists(Mentions mentions) {
        List<String> texts = mentions.allTexts().stream().limit(MOST_TEXTS).toList();
        var out = new LinkedHashSet<JsonNode>();
        if (texts.size() <= SUBSETS_OF) {
            for (int mask = 0; mask < 1 << texts.size(); mask++) {
                var some = new ArrayList<String>();
                for (int i = 0; i < texts.size(); i++) {
                    if ((mask >> i & 1) != 0) {
                        some.add(texts.get(i));
                    }
                }
                out.add(list(some));
            }
        } else {
            out.add(list(List.of()));
            texts.forEach(text -> out.add(list(List.of(text))));
            texts.forEach(text -> out.add(list(List.of(text, texts.get(0)))));
            out.add(list(texts));
        }
        out.add(list(List.of(fresh("other", mentions.allTexts()))));
        for (JsonNode known : new ArrayList<>(out)) {
            out.add(((ArrayNode) known.deepCopy()).add(7)); // an element that is no text could be any
        }
        var fillers = new ArrayList<>(texts);
        fillers.add(fresh("other", mentions.allTexts()));
        for (int size : mentions.sizes) {
            fillers.forEach(text -> out.add(list(java.util.Collections.nCopies(size, text))));
        }
        return new ArrayList<>(out);
    }

    private static ArrayNode list(List<String> texts) {
        ArrayNode out = JSON.arrayNode();
        texts.forEach(out::add);
        return out;
    }

    private static List<JsonNode> arrays(Map<List<String>, Mentions> elements, Set<Integer> sizes) {
        List<JsonNode> kinds = present(elements).stream().limit(MOST_ELEMENTS).toList();
        var out = new LinkedHashSet<JsonNode>();
        var tried = new java.util.TreeSet<>(sizes);
        tried.add(1);
        for (JsonNode kind : kinds) {
            for (int size : tried) {
                ArrayNode array = JSON.arrayNode();
                for (int i = 0; i < size; i++) {
                    array.add(kind);
                }
                out.add(array);
            }
        }
        for (JsonNode kind : kinds) {
            out.add(JSON.arrayNode().add(kinds.get(0)).add(kind));
        }
        out.add(JSON.arrayNode());
        out.add(JSON.arrayNode().add(JSON.objectNode()));
        return new ArrayList<>(out);
    }

    /** Objects in which each member in turn takes each of its values, while the others keep a plain one. */
    private static List<JsonNode> objects(Map<String, Map<List<String>, Mentions>> members) {
        var values = new LinkedHashMap<String, List<@Nullable JsonNode>>();
        ObjectNode base = JSON.objectNode();
        int most = 0;
        for (Map.Entry<String, Map<List<String>, Mentions>> member : members.entrySet()) {
            var some = new ArrayList<@Nullable JsonNode>(present(member.getValue()));
            base.set(member.getKey(), plain(some));
            some.add(null);
            some.add(JSON.numberNode(7));
            values.put(member.getKey(), some);
            most = Math.max(most, some.size());
        }
        var out = new LinkedHashSet<JsonNode>();
        out.add(base);
        for (int i = 0; i < most; i++) {
            int at = i;
            values.forEach((name, some) -> {
                if (at < some.size()) {
                    out.add(with(base, name, some.get(at)));
                }
            });
        }
        return new ArrayList<>(out);
    }

    private static ObjectNode with(ObjectNode base, String name, @Nullable JsonNode value) {
        ObjectNode object = base.deepCopy();
        if (value == null) {
            object.remove(name);
        } else {
            object.set(name, value);
        }
        return object;
    }

    /** A value that no rule mentions, where there is one. */
    private static @Nullable JsonNode plain(List<@Nullable JsonNode> values) {
        for (JsonNode value : values) {
            if (value != null && value.isTextual() && value.textValue().startsWith("other")) {
                return value;
            }
        }
        return values.get(0);
    }
}
