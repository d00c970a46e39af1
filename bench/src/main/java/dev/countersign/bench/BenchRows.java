package dev.countersign.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
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

    /** Stores so many policies of a tenant of a server that has not answered for it yet, over a thousand actions. */
    static void insert(PostgresAddress database, String tenant, int count) throws IOException {
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
                PreparedStatement statement = connection.prepareStatement(
                        "insert into policies (id, tenant, name, scope, effect, action_pattern, rule_expr, enabled,"
                                + " version, created_at, updated_at) select gen_random_uuid(), ?, 'row ' || i, 'tenant',"
                                + " 'deny', 'row-' || i % 1000, jsonb_build_object('when', jsonb_build_object('field',"
                                + " 'amount', 'op', '>', 'value', 1000000 + i)), true, 1, now(), now()"
                                + " from generate_series(0, ? - 1) i")) {
            statement.setString(1, tenant);
            statement.setInt(2, count);
            statement.execute();
        } catch (SQLException e) {
            throw new IOException("the rows could not be stored", e);
        }
    }

    /** The action of one that was stored, by its number. */
    static String inserted(int number) {
        return "row-" + number % 1_000;
    }
}
