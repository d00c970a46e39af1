package dev.countersign.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.rows.PolicyRow;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The policies as data that are measured: of one tenant, spread evenly over actions, every twentieth with a pattern. */
final class BenchRows {
    static final String TENANT = "t0";

    private static final int PATTERNS = 20;
    private static final List<String> RESOURCES = List.of("*", "tool/*", "document/docs/*", "tool/payments");

    private BenchRows() {}

    /** The names of so many actions. */
    static List<String> actions(int count) {
        return IntStream.range(0, count).mapToObj(i -> "act-" + i).toList();
    }

    /** So many policies; few of those that are tested for a request match it. */
    static List<PolicyRow> of(int count, int actions) {
        var rows = new ArrayList<PolicyRow>();
        for (int i = 0; i < count; i++) {
            // with one action all rows stand on it and share no test: that is the worst case to measure
            boolean pattern = actions > 1 && i % PATTERNS == 0;
            int action = i * 7_919 % actions;
            ObjectNode expr = JsonNodeFactory.instance.objectNode();
            expr.putObject("when").put("field", "amount").put("op", ">").put("value", 1_000_000 + i);
            rows.add(new PolicyRow(
                    String.format("00000000-0000-0000-0000-%012d", i),
                    TENANT,
                    null,
                    "policy " + i,
                    null,
                    PolicyRow.Scope.TENANT,
                    null,
                    PolicyRow.Kind.DENY,
                    pattern ? "act-" + action + ".*" : "act-" + action,
                    actions > 1 ? RESOURCES.get(i % RESOURCES.size()) : null,
                    expr,
                    PolicyRow.Risk.HIGH,
                    "TOO_MUCH",
                    true,
                    1));
        }
        return rows;
    }
}
