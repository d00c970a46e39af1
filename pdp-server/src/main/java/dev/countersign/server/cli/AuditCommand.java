package dev.countersign.server.cli;

import dev.countersign.server.decisionlog.LogExport;
import dev.countersign.server.decisionlog.LogVerifier;
import dev.countersign.server.decisionlog.VerifyReport;
import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "audit",
        description = "Prove what was decided.",
        mixinStandardHelpOptions = true,
        subcommands = {AuditCommand.Verify.class, AuditCommand.Export.class})
final class AuditCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        var line = Objects.requireNonNull(spec).commandLine();
        line.usage(line.getErr());
        return Exit.USAGE;
    }

    @Command(
            name = "verify",
            description = "Check chains, gaps and duplicates of the decision log; exit 2 if something is wrong.",
            mixinStandardHelpOptions = true)
    static final class Verify implements Callable<Integer> {
        @Option(
                names = "--log-dir",
                defaultValue = ".countersign/log",
                description = "The segment files to check (default: ${DEFAULT-VALUE}).")
        private Path logDir = Path.of(".countersign/log");

        @Option(names = "--export", description = "Check an export of the database instead.")
        private @Nullable Path export;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
            VerifyReport report;
            if (export != null) {
                try (var lines = Files.newBufferedReader(export)) {
                    report = LogVerifier.export(lines);
                }
            } else {
                report = LogVerifier.directory(logDir);
            }
            report.lines().forEach(out::println);
            out.flush();
            return report.ok() ? Exit.OK : Exit.FAILED;
        }
    }

    @Command(
            name = "export",
            description = "Write the whole decision log out of the database, as lines of JSON.",
            mixinStandardHelpOptions = true)
    static final class Export implements Callable<Integer> {
        @Option(names = "--out", required = true, description = "The file to write.")
        private Path file = Path.of("export.jsonl");

        @Option(
                names = "--data",
                defaultValue = ".countersign",
                description = "The data directory of a running server (default: ${DEFAULT-VALUE}); DATABASE_URL comes"
                        + " first.")
        private Path data = Path.of(".countersign");

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws IOException, SQLException {
            String url = System.getenv("DATABASE_URL");
            PostgresAddress address = url != null ? PostgresAddress.parse(url) : EmbeddedPostgres.running(data);
            try (Connection connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                    var out = Files.newBufferedWriter(file)) {
                long entries = LogExport.write(connection, out);
                PrintWriter told = Objects.requireNonNull(spec).commandLine().getOut();
                told.println(entries + " entries written to " + file);
                told.flush();
            }
            return Exit.OK;
        }
    }
}
