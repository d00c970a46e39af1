package dev.countersign.server.decisionlog;

import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What a test asks of the database. */
record Decisions(DataSource source) {
    static Decisions at(PostgresAddress address) {
        return new Decisions(configure(new PGSimpleDataSource(), address));
    }

    static PGSimpleDataSource configure(PGSimpleDataSource source, PostgresAddress address) {
        source.setUrl(address.jdbcUrl());
        source.setUser(address.user());
        source.setPassword(address.password());
        source.setLoginTimeout(5);
        return source;
    }

    /** The first column of a query, as text. */
    List<String> column(String sql) throws SQLException {
        try (Connection connection = source.getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var values = new ArrayList<String>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    /** Every entry, in the order of segments and numbers. */
    List<String> entries() throws SQLException {
        return column("select d.entry from decisions d join log_segments s using (segment)"
                + " order by (s.header::json ->> 'started')::timestamptz, segment, seq");
    }

    /** Whatever is wrong with the events: each denied decision has one, and nothing else has. */
    List<String> wrongEvents() throws SQLException {
        return column("select coalesce(d.id, e.id) from (select * from decisions where decision = 'deny') d"
                + " full join events e on (e.id, e.tenant, e.time) = (d.id, d.tenant, d.at)"
                + " where d.id is null or e.id is null"
                + " union all select id from events group by id having count(*) > 1");
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = source.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    String export() throws SQLException, IOException {
        var out = new StringWriter();
        try (Connection connection = source.getConnection()) {
            LogExport.write(connection, out);
        }
        return out.toString();
    }

    /** Through a file, as there may be more than fits into memory. */
    VerifyReport verify() throws SQLException, IOException {
        Path file = Files.createTempFile("countersign-export-", ".jsonl");
        try (Connection connection = source.getConnection()) {
            try (var out = Files.newBufferedWriter(file)) {
                LogExport.write(connection, out);
            }
            try (var in = Files.newBufferedReader(file)) {
                return LogVerifier.export(in);
            }
        } finally {
            Files.delete(file);
        }
    }
}
