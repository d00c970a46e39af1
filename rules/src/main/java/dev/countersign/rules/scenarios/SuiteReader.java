package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.entities.GivenEntities;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.pack.Pack;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads one suite, case by case. */
final class SuiteReader {
    private static final List<String> SUITE =
            List.of("suite", "clock", "tenant", "settings", "fixtures", "defaults", "cases", "invariants");
    private static final List<String> CASE = List.of("name", "settings", "given", "table", "matrix", "expect");

    private final Mistakes mistakes;
    private final SettingsReader settings;
    private final ExpectReader expects;
    private final InvariantReader invariants;
    private final Fixtures shared;
    private final GivenEntities entities;
    private final List<String> given = new ArrayList<>(Fixtures.PARTS);
    private final List<Scenario> scenarios = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    /** What all cases of the suite have in common. */
    private record Common(
            String suite,
            String tenant,
            Instant clock,
            Map<String, Object> settings,
            Fixtures fixtures,
            Map<String, JsonNode> defaults) {}

    /** One row of a table, or the one request of a plain case. */
    private record Row(
            String name,
            int line,
            Map<String, Object> settings,
            Map<String, JsonNode> parts,
            Map<String, Yaml> expect) {}

    SuiteReader(Mistakes mistakes, Pack pack, Fixtures shared) {
        this.mistakes = mistakes;
        this.settings = new SettingsReader(mistakes, pack.vocabulary());
        this.expects = new ExpectReader(mistakes, pack);
        this.invariants = new InvariantReader(mistakes, expects, settings, pack);
        this.shared = shared;
        this.entities = new GivenEntities(pack.vocabulary(), pack.entities());
        given.addAll(entities.names());
    }

    /** The suite of a file, or {@code null} if it has no name or no clock. Mistakes are reported. */
    @Nullable
    Suite read(Yaml root) {
        Map<String, Yaml> members = mistakes.object(root, "a suite", SUITE);
        String suite = mistakes.required(members, "suite", root.line());
        String written = mistakes.required(members, "clock", root.line());
        Instant clock = written == null ? null : Attribute.parseTime(written);
        Yaml clockAt = members.get("clock");
        if (written != null && clock == null && clockAt != null) {
            mistakes.error(clockAt.line(), "`clock` must be a time such as 2026-03-02T09:00:00Z");
        }
        Yaml tenantAt = members.get("tenant");
        String tenant = tenantAt == null ? "demo" : mistakes.text(tenantAt, "`tenant`");
        Fixtures fixtures = shared.with(members.get("fixtures"), mistakes);
        Yaml defaults = members.get("defaults");
        var common = new Common(
                suite == null ? "" : suite,
                tenant == null ? "" : tenant,
                clock == null ? Instant.EPOCH : clock,
                settings.read(members.get("settings"), Map.of()),
                fixtures,
                defaults == null ? Map.of() : parts(defaults, "`defaults`", fixtures, Map.of()));
        Yaml cases = members.get("cases");
        Yaml invariantsAt = members.get("invariants");
        if (cases == null ? invariantsAt == null : cases.elements().isEmpty()) {
            mistakes.error(cases == null ? root.line() : cases.line(), "`cases` must be a list of at least one case");
        } else if (cases != null) {
            cases.elements().forEach(value -> readCase(value, common));
        }
        List<Invariant> all =
                invariants.read(invariantsAt, common.suite(), common.tenant(), common.clock(), common.settings());
        return suite == null || clock == null
                ? null
                : new Suite(suite, mistakes.file(), List.copyOf(scenarios), List.copyOf(all));
    }

    private Map<String, JsonNode> parts(Yaml value, String what, Fixtures fixtures, Map<String, JsonNode> under) {
        var out = new LinkedHashMap<String, JsonNode>(under);
        mistakes.object(value, what, given).forEach((part, written) -> {
            JsonNode node = entities.names().contains(part) ? written.json() : fixtures.part(part, written, mistakes);
            out.put(part, node == null ? JsonNodeFactory.instance.nullNode() : node);
        });
        return out;
    }

    private void readCase(Yaml value, Common common) {
        Map<String, Yaml> members = mistakes.object(value, "a case", CASE);
        String name = mistakes.required(members, "name", value.line());
        Yaml given = members.get("given");
        Yaml table = members.get("table");
        Yaml expect = members.get("expect");
        Map<String, JsonNode> parts =
                given == null ? common.defaults() : parts(given, "`given`", common.fixtures(), common.defaults());
        Yaml matrix = members.get("matrix");
        Map<String, Yaml> demands = expect == null || matrix != null
                ? Map.of()
                : new HashMap<>(mistakes.object(expect, "`expect`", ExpectReader.KEYS));
        var row = new Row(
                name == null ? "" : name,
                value.line(),
                settings.read(members.get("settings"), common.settings()),
                parts,
                demands);
        if (table != null && matrix != null) {
            mistakes.error(matrix.line(), "a case has a table or a matrix, not both");
        } else if (table != null) {
            readTable(table, row, common);
        } else if (matrix != null) {
            for (Matrix.Cell cell : Matrix.read(matrix, expect, mistakes)) {
                String called = row.name().isEmpty() ? "" : row.name() + " [" + cell.name() + "]";
                var one = new Row(called, matrix.line(), row.settings(), row.parts(), cell.expect());
                add(row(called, cell.columns(), matrix.line(), cell.values(), one, common), common);
            }
        } else {
            add(row, common);
        }
    }

    private void readTable(Yaml table, Row base, Common common) {
        Map<String, Yaml> members = mistakes.object(table, "`table`", List.of("columns", "rows"));
        Yaml columnsAt = members.get("columns");
        Yaml rowsAt = members.get("rows");
        List<String> columns = columnsAt == null ? List.of() : mistakes.texts(columnsAt, "`columns`");
        if (columnsAt == null
                || columns.isEmpty()
                || rowsAt == null
                || rowsAt.elements().isEmpty()) {
            mistakes.error(table.line(), "a table needs `columns:` and at least one row under `rows:`");
            return;
        }
        for (String column : columns) {
            boolean path = Fixtures.isPath(column) || entities.names().contains(column);
            if (!path && !ExpectReader.KEYS.contains(column)) {
                mistakes.error(
                        columnsAt.line(),
                        "`" + column + "` is no column",
                        "it is a path from " + String.join(", ", given) + ", or one of "
                                + String.join(", ", ExpectReader.KEYS));
                return;
            }
        }
        if (new HashSet<>(columns).size() < columns.size()) {
            mistakes.error(columnsAt.line(), "a column stands twice");
            return;
        }
        int number = 0;
        for (Yaml cells : rowsAt.elements()) {
            number++;
            if (cells.elements().size() != columns.size()) {
                mistakes.error(
                        cells.line(),
                        "row " + number + " has " + cells.elements().size() + " cells, the table has " + columns.size()
                                + " columns");
            } else {
                String name = base.name().isEmpty() ? "" : base.name() + " [row " + number + "]";
                add(row(name, columns, cells.line(), cells.elements(), base, common), common);
            }
        }
    }

    /** The row's request: what {@code given} says, then whole parts, then the members that paths name. */
    private Row row(String name, List<String> columns, int line, List<Yaml> values, Row base, Common common) {
        var parts = new LinkedHashMap<String, JsonNode>();
        base.parts().forEach((part, node) -> parts.put(part, node.deepCopy()));
        var expect = new HashMap<>(base.expect());
        for (int i = 0; i < columns.size(); i++) {
            String column = columns.get(i);
            Yaml cell = values.get(i);
            if (Fixtures.PARTS.contains(column)) {
                JsonNode part = common.fixtures().part(column, cell, mistakes);
                parts.put(column, part == null ? JsonNodeFactory.instance.nullNode() : part.deepCopy());
            } else if (entities.names().contains(column)) {
                parts.put(column, cell.json());
            } else if (ExpectReader.KEYS.contains(column) && !cell.json().isNull()) {
                expect.put(column, cell);
            }
        }
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).indexOf('.') > 0 && !entities.names().contains(columns.get(i))) {
                set(parts, columns.get(i), values.get(i));
            }
        }
        return new Row(name, line, base.settings(), parts, expect);
    }

    private void set(Map<String, JsonNode> parts, String path, Yaml cell) {
        String[] steps = path.split("\\.", -1);
        JsonNode root = parts.get(steps[0]);
        JsonNode node = root == null || root.isNull() ? JsonNodeFactory.instance.objectNode() : root;
        parts.put(steps[0], node);
        for (int i = 1; i < steps.length; i++) {
            if (!(node instanceof ObjectNode object)) {
                mistakes.error(cell.line(), "`" + path + "` cannot be set: there is no object to put it in");
                return;
            }
            if (i == steps.length - 1) {
                object.set(steps[i], cell.json());
            } else {
                JsonNode next = object.get(steps[i]);
                node = next == null || next.isNull() ? object.putObject(steps[i]) : next;
            }
        }
    }

    private void add(Row row, Common common) {
        if (!row.name().isEmpty() && !names.add(row.name())) {
            mistakes.error(row.line(), "there is another case `" + row.name() + "` in this suite");
        }
        Expectation expect = expects.read(row.expect(), row.line());
        try {
            Call call = Call.of(
                    row.parts().get("subject"),
                    row.parts().get("action"),
                    row.parts().get("resource"),
                    row.parts().get("context"));
            if (expect != null) {
                scenarios.add(new Scenario(
                        common.suite(),
                        row.name(),
                        mistakes.file(),
                        row.line(),
                        common.tenant(),
                        common.clock(),
                        row.settings(),
                        entities.call(call, row.parts()),
                        expect));
            }
        } catch (BadCall e) {
            mistakes.error(row.line(), "the request is not well formed: " + e.getMessage());
        }
    }
}
