package dev.countersign.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "soak",
        description = "Break a running server and see what it loses; exit 2 if it loses anything.",
        mixinStandardHelpOptions = true)
final class SoakCommand implements Callable<Integer> {
    private enum Part {
        KILL,
        OUTAGE,
        DISK,
        LIVE,
        TESTS,
        APPROVALS
    }

    @Option(names = "--only", description = "One part: kill, outage, disk, live, tests or approvals; repeatable.")
    private List<Part> only = List.of();

    @Option(names = "--kills", defaultValue = "10", description = "Kills (default: ${DEFAULT-VALUE}).")
    private int kills;

    @Option(
            names = "--outage",
            defaultValue = "60",
            description = "Seconds without PostgreSQL (default: ${DEFAULT-VALUE}).")
    private int outage;

    @Option(
            names = "--changes",
            defaultValue = "50",
            description = "Rounds of changes on two servers (default: ${DEFAULT-VALUE}).")
    private int changes;

    @Option(
            names = "--rules",
            defaultValue = "1000",
            description = "Rules of the big pack that is published to two servers (default: ${DEFAULT-VALUE}).")
    private int rules;

    @Option(
            names = "--count",
            defaultValue = "10000",
            description = "Cases of each fuzz and random test (default: ${DEFAULT-VALUE}).")
    private int count;

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException {
        var report = new Report(System.out);
        List<Part> parts = only.isEmpty() ? Arrays.asList(Part.values()) : only;
        var scratch = Scratch.make();
        try (scratch) {
            var packs = BenchPack.write(scratch.path().resolve("packs"), 0);
            if (parts.contains(Part.KILL)) {
                new KillSoak(report, scratch.path(), packs).run(kills);
            }
            if (parts.contains(Part.OUTAGE)) {
                new OutageSoak(report, scratch.path(), packs).run(outage);
            }
            if (parts.contains(Part.DISK)) {
                new DiskSoak(report, scratch.path(), packs).run();
            }
            if (parts.contains(Part.LIVE)) {
                new LiveSoak(report, scratch.path(), packs).run(changes, rules);
            }
            if (parts.contains(Part.TESTS)) {
                new LongTests(report).rules(count);
            }
            if (parts.contains(Part.APPROVALS)) {
                new LongTests(report).approvals(count);
            }
        }
        return report.end();
    }
}
