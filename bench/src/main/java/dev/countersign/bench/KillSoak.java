package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Kills the server under load, again and again: whatever it has answered is in the table once, and the chains hold. */
final class KillSoak {
    private static final long LOAD_MILLIS = 3_000;
    private static final Duration SHIP = Duration.ofMinutes(2);

    private final Report report;
    private final Path scratch;
    private final Path packs;

    KillSoak(Report report, Path scratch, Path packs) {
        this.report = report;
        this.scratch = scratch;
        this.packs = packs;
    }

    void run(int kills) throws IOException, InterruptedException, SQLException {
        report.title("kill -9 under load, " + kills + " times");
        Path data = scratch.resolve("kill");
        var audit = new Audit(report);
        Set<UUID> told = Load.memory();
        for (int kill = 1; kill <= kills; kill++) {
            var server = ServerUnderTest.start(data, packs, Map.of(), List.of());
            if (kill > 1) {
                server.shipped(SHIP);
                audit.table("after kill " + (kill - 1), EmbeddedPostgres.running(data), told);
            }
            try (var load = new Load(server, told)) {
                Thread.sleep(LOAD_MILLIS);
                server.kill();
                report.line("  kill %d: %d decisions told", kill, load.answered());
            } finally {
                server.kill();
            }
        }
        try (var server = ServerUnderTest.start(data, packs, Map.of(), List.of())) {
            server.shipped(SHIP);
            audit.table("after " + kills + " kills", EmbeddedPostgres.running(data), told);
            audit.files("running again", data.resolve("log"));
            audit.export("running again", data, Map.of(), scratch.resolve("export.jsonl"));
        }
        audit.files("stopped in peace", data.resolve("log"));
    }
}
