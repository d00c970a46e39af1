package dev.countersign.server.cli;

import com.nimbusds.jose.jwk.ECKey;
import dev.countersign.server.decisionlog.LogExport;
import dev.countersign.server.decisionlog.LogVerifier;
import dev.countersign.server.decisionlog.Trust;
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
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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
            description =
                    "Check chains, gaps and duplicates of the decision log, and of an export also the approval events"
                            + " and the signed checkpoints; exit 2 if something is wrong. Needs no server and no database.",
            mixinStandardHelpOptions = true)
    static final class Verify implements Callable<Integer> {
        @Option(
                names = "--log-dir",
                defaultValue = ".countersign/log",
                description = "The segment files to check (default: ${DEFAULT-VALUE}).")
        private Path logDir = Path.of(".countersign/log");

        @Option(names = "--export", description = "Check an export of the database instead.")
        private @Nullable Path export;

        @Option(
                names = "--jwks",
                description = "Keys that were kept elsewhere, a JWK Set; the keys in the export are not believed then.")
        private @Nullable Path jwks;

        @Option(
                names = "--checkpoint",
                description =
                        "A file with checkpoints that were kept elsewhere: lines of the server's log, or answers of"
                                + " /api/v1/audit/checkpoints; repeatable.")
        private List<Path> kept = List.of();

        @Option(
                names = "--events-since",
                description = "Approval events before this day or time (ISO 8601, UTC) were deleted on purpose.")
        private @Nullable String eventsSince;

        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
            VerifyReport report;
            if (export != null) {
                Trust trust = trust();
                try (var lines = Files.newBufferedReader(export)) {
                    report = LogVerifier.export(lines, trust);
                }
            } else if (jwks != null || !kept.isEmpty() || eventsSince != null) {
                throw usage("--jwks, --checkpoint and --events-since go with --export");
            } else {
                report = LogVerifier.directory(logDir);
            }
            report.lines().forEach(out::println);
            out.flush();
            return report.ok() ? Exit.OK : Exit.FAILED;
        }

        private Trust trust() throws IOException {
            List<ECKey> keys = null;
            if (jwks != null) {
                try {
                    keys = Trust.keys(Files.readString(jwks));
                } catch (IllegalArgumentException e) {
                    throw usage(jwks + " is " + e.getMessage());
                }
            }
            var checkpoints = new ArrayList<String>();
            for (Path file : kept) {
                List<String> found = Trust.checkpoints(Files.readString(file));
                if (found.isEmpty()) {
                    throw usage(file + " holds no checkpoint");
                }
                checkpoints.addAll(found);
            }
            return new Trust(keys, List.copyOf(checkpoints), since());
        }

        private Instant since() {
            if (eventsSince == null) {
                return Instant.MIN;
            }
            try {
                return eventsSince.length() == "2026-01-01".length()
                        ? LocalDate.parse(eventsSince)
                                .atStartOfDay(ZoneOffset.UTC)
                                .toInstant()
                        : Instant.parse(eventsSince);
            } catch (DateTimeParseException e) {
                throw usage("--events-since is a day or a time, as 2026-01-01 or 2026-01-01T00:00:00Z");
            }
        }

        private ParameterException usage(String message) {
            return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
        }
    }

    @Command(
            name = "export",
            description =
                    "Write the decision log, the approval events and the checkpoints out of the database, as lines of"
                            + " JSON.",
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
                told.println(entries + " lines written to " + file);
                told.flush();
            }
            return Exit.OK;
        }
    }
}
