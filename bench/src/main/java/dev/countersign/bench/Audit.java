package dev.countersign.bench;

import dev.countersign.server.cli.Main;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Holds what clients were told to what the table and the files have. */
final class Audit {
    private final Report report;

    Audit(Report report) {
        this.report = report;
    }

    /** Checks that each told decision is in the table, and none twice. */
    void table(String when, PostgresAddress address, Set<UUID> told) throws SQLException {
        var missing = new HashSet<>(told);
        var seen = new HashSet<UUID>();
        int rows = 0;
        try (var connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                var statement = connection.createStatement();
                var ids = statement.executeQuery("select id from decisions")) {
            while (ids.next()) {
                UUID id = ids.getObject(1, UUID.class);
                rows++;
                seen.add(id);
                missing.remove(id);
            }
        }
        report.check(
                when + ": " + told.size() + " decisions were told, " + missing.size() + " of them are not among " + rows
                        + " rows, " + (rows - seen.size()) + " rows are double",
                !told.isEmpty() && missing.isEmpty() && rows == seen.size());
    }

    /** Runs {@code audit verify} on the segment files. */
    void files(String when, Path directory) throws IOException, InterruptedException {
        report.check(
                when + ": audit verify --log-dir",
                run(Map.of(), "audit", "verify", "--log-dir", directory.toString()) == 0);
    }

    /** Writes an export, and runs {@code audit verify} on it. */
    void export(String when, Path data, Map<String, String> env, Path file) throws IOException, InterruptedException {
        int written = run(env, "audit", "export", "--data", data.toString(), "--out", file.toString());
        report.check(
                when + ": audit export, audit verify --export",
                written == 0 && run(env, "audit", "verify", "--export", file.toString()) == 0);
    }

    private int run(Map<String, String> env, String... args) throws IOException, InterruptedException {
        Process process = Child.builder(Main.class, List.of(args), env)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        List<String> lines = said.lines().toList();
        lines.stream()
                .skip(Math.max(0, lines.size() - (code == 0 ? 1 : 20)))
                .forEach(line -> report.line("    | %s", line));
        return code;
    }
}
