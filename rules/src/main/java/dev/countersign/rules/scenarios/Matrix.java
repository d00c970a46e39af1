package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the cells of a matrix: every combination of the values of its axes; one that is not expected must be denied. */
final class Matrix {
    private static final int MOST_CELLS = 1_000;

    /**
     * One combination.
     *
     * @param name its values on the axes that have more than one, joined by blanks
     * @param columns the axes: parts of a request or paths into it
     * @param values a value for each axis
     * @param expect what must come of it
     */
    record Cell(String name, List<String> columns, List<Yaml> values, Map<String, Yaml> expect) {}

    private Matrix() {}

    /** The cells, or none after an error. */
    static List<Cell> read(Yaml matrix, @Nullable Yaml expect, Mistakes mistakes) {
        Map<String, Yaml> axes = axes(matrix, mistakes);
        var columns = List.copyOf(axes.keySet());
        var combinations = new ArrayList<List<Yaml>>(List.of(List.of()));
        for (Yaml axis : axes.values()) {
            var next = new ArrayList<List<Yaml>>();
            for (List<Yaml> head : combinations) {
                for (Yaml value : axis.elements()) {
                    var one = new ArrayList<>(head);
                    one.add(value);
                    next.add(one);
                }
            }
            if (next.size() > MOST_CELLS) {
                mistakes.error(matrix.line(), "a matrix has at most " + MOST_CELLS + " cells");
                return List.of();
            }
            combinations = next;
        }
        Map<String, Yaml> expected = expect == null ? Map.of() : expect.members();
        if (axes.isEmpty() || expect == null || !expect.json().isObject()) {
            mistakes.error(
                    matrix.line(),
                    "a matrix needs axes, and an `expect:` by cell",
                    "such as matrix: {subject: [agent, user]} and expect: {agent: allow}; a cell not listed must be denied");
            return List.of();
        }
        var out = new LinkedHashMap<String, Cell>();
        for (List<Yaml> values : combinations) {
            String name = name(axes, values);
            if (out.put(name, new Cell(name, columns, values, demands(expected.get(name), matrix, mistakes))) != null) {
                mistakes.error(matrix.line(), "two cells of the matrix are called `" + name + "`");
            }
        }
        expected.forEach((name, at) -> {
            if (!out.containsKey(name)) {
                mistakes.unknown(at.line(), "the matrix has no cell `" + name + "`", name, out.keySet());
            }
        });
        return List.copyOf(out.values());
    }

    private static Map<String, Yaml> axes(Yaml matrix, Mistakes mistakes) {
        var out = new LinkedHashMap<String, Yaml>();
        matrix.members().forEach((axis, values) -> {
            if (!Fixtures.isPath(axis)) {
                mistakes.error(
                        values.line(),
                        "`" + axis + "` is no axis",
                        "it is a path from " + String.join(", ", Fixtures.PARTS) + ", or one of these");
            } else if (values.elements().isEmpty()
                    || values.elements().stream().anyMatch(value -> value.json().isContainerNode())) {
                mistakes.error(
                        values.line(),
                        "`" + axis + "` must be a list of texts, numbers, true, false or null",
                        "name what is larger under `fixtures:`");
            } else {
                out.put(axis, values);
            }
        });
        return out.size() < matrix.members().size() ? Map.of() : out;
    }

    private static String name(Map<String, Yaml> axes, List<Yaml> values) {
        var words = new ArrayList<String>();
        int at = 0;
        for (Yaml axis : axes.values()) {
            Yaml value = values.get(at++);
            if (axis.elements().size() > 1 || axes.size() == 1) {
                words.add(value.json().asText());
            }
        }
        return words.isEmpty() ? "all" : String.join(" ", words);
    }

    /** A decision, or the members of an {@code expect}; a deny where nothing is written. */
    private static Map<String, Yaml> demands(@Nullable Yaml expected, Yaml matrix, Mistakes mistakes) {
        if (expected != null && expected.json().isObject()) {
            return new HashMap<>(mistakes.object(expected, "a cell", ExpectReader.KEYS));
        }
        ObjectNode decision = JsonNodeFactory.instance.objectNode();
        if (expected == null) {
            decision.put("decision", "deny");
        } else {
            decision.set("decision", expected.json());
        }
        int line = expected == null ? matrix.line() : expected.line();
        return new Yaml(decision, "", Map.of("", line, "\0decision", line)).members();
    }
}
