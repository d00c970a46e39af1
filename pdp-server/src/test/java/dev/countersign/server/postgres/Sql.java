package dev.countersign.server.postgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Single statements against a database, each on a connection of its own. */
public final class Sql {
    private Sql() {}

    /** Executes a statement. */
    public static void execute(PostgresAddress address, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row. */
    public static String query(PostgresAddress address, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new AssertionError("no row: " + sql);
            }
            return rows.getString(1);
        }
    }

    /** Counts a change of what judges a tenant, and tells nobody. */
    public static void countChange(PostgresAddress owner, String tenant) throws SQLException {
        execute(
                owner,
                "with counted as (update revisions set revision = revision + 1 where kind = 'policies' returning revision)"
                        + " insert into policy_revisions select '" + tenant + "', revision from counted"
                        + " on conflict (tenant) do update set revision = excluded.revision");
    }
}
