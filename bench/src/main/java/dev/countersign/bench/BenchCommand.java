package dev.countersign.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "bench",
        description = "Measure, and hold what was measured to the budgets; exit 2 if one is missed.",
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    private enum Part {
        ENGINE,
        POLICIES,
        HTTP,
        BATCH,
        APPROVALS,
        PEERS
    }

    @Option(names = "--only", description = "One part: engine, policies, http, batch, approvals or peers; repeatable.")
    private List<Part> only = List.of();

    @Option(names = "--rounds", defaultValue = "3", description = "Rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--seconds",
            defaultValue = "10",
            description = "Seconds of load for each server in a round (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warm-up",
            defaultValue = "20",
            description = "Seconds of load before the first round (default: ${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(names = "--opa", description = "The executable of OPA; without it, the peers are skipped.")
    private @Nullable Path opa;

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException {
        var report = new Report(System.out);
        List<Part> parts = only.isEmpty() ? Arrays.asList(Part.values()) : only;
        boolean http = parts.contains(Part.HTTP);
        boolean batch = parts.contains(Part.BATCH);
        boolean peers = parts.contains(Part.PEERS);
        if (http || batch || peers && opa != null) {
            Wrk.require();
        }
        report.line(
                "%d CPUs, Java %s, load %.1f",
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("java.version"),
                java.lang.management.ManagementFactory.getOperatingSystemMXBean()
                        .getSystemLoadAverage());
        if (parts.contains(Part.ENGINE) || parts.contains(Part.POLICIES)) {
            var engine = new EngineBench(report);
            if (parts.contains(Part.ENGINE)) {
                engine.run(rounds);
            }
            if (parts.contains(Part.POLICIES)) {
                engine.policies(rounds);
            }
            report.line("(checksum %d)", engine.sum());
        }
        if (http || batch) {
            var scratch = Scratch.make();
            try (scratch) {
                new HttpBench(report, scratch.path(), rounds, seconds, warmUp).run(http, batch);
            }
        }
        if (parts.contains(Part.APPROVALS)) {
            var scratch = Scratch.make();
            try (scratch) {
                new ApprovalsBench(report, scratch.path()).run();
            }
        }
        if (peers) {
            var scratch = Scratch.make();
            try (scratch) {
                new PeerBench(report, scratch.path(), rounds, seconds, warmUp).run(opa);
            }
        }
        return report.end();
    }
}
