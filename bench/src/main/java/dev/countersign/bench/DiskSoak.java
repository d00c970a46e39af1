package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Fills the log's disk under load: requests are refused, not decided; with space again, decisions go on by themselves. */
final class DiskSoak {
    private static final long STEP_MILLIS = 3_000;
    private static final long PATIENCE_MILLIS = 30_000;
    private static final Duration SHIP = Duration.ofMinutes(2);

    private final Report report;
    private final Path scratch;
    private final Path packs;

    DiskSoak(Report report, Path scratch, Path packs) {
        this.report = report;
        this.scratch = scratch;
        this.packs = packs;
    }

    void run() throws IOException, InterruptedException, SQLException {
        report.title("Full disk");
        Path disk = Files.createDirectories(scratch.resolve("disk"));
        if (!command("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.toString())) {
            report.line("  SKIPPED: a small disk needs the right to mount a tmpfs; run this part as root");
            return;
        }
        try {
            fill(disk);
        } finally {
            command("umount", "-l", disk.toString());
        }
    }

    private void fill(Path disk) throws IOException, InterruptedException, SQLException {
        Path data = scratch.resolve("full");
        Path log = disk.resolve("log");
        Path filler = disk.resolve("filler");
        var told = Load.memory();
        try (var server = ServerUnderTest.start(data, packs, Map.of(), List.of("--log-dir", log.toString()))) {
            try (var load = new Load(server, told)) {
                Thread.sleep(STEP_MILLIS);
                long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
                while (load.refused() == 0 && System.nanoTime() < end) {
                    grow(filler);
                }
                keepFull(filler);
                long before = load.answered();
                keepFull(filler);
                long refused = load.refused();
                report.line("  full: %d refused, %d decided in %d ms", refused, load.answered() - before, STEP_MILLIS);
                report.check("the full disk refuses requests (" + refused + ")", refused > 0);
                report.check("no refusal names a decision (" + load.leaks() + ")", load.leaks() == 0);
                Files.delete(filler);
                long full = load.answered();
                report.check("with space again, decisions go on", eventually(() -> load.answered() > full + 1_000));
                report.check("no connection broke (" + load.broken() + ")", load.broken() == 0);
            }
            server.shipped(SHIP);
            var audit = new Audit(report);
            audit.table("space again", EmbeddedPostgres.running(data), told);
            audit.files("space again", log);
            audit.export("space again", data, Map.of(), scratch.resolve("full.jsonl"));
        }
    }

    /** Takes what shipping gives free again, for a while. */
    private static void keepFull(Path filler) throws IOException, InterruptedException {
        long end = System.nanoTime() + STEP_MILLIS * 1_000_000;
        while (System.nanoTime() < end) {
            grow(filler);
            Thread.sleep(1);
        }
    }

    private static void grow(Path filler) throws IOException {
        try (OutputStream out = Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            byte[] block = new byte[4_096];
            for (int i = 0; i < 4_096; i++) {
                out.write(block);
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space")) {
                throw e;
            }
        }
    }

    private static boolean eventually(BooleanSupplier holds) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(20);
        }
        return true;
    }

    private boolean command(String... words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        boolean done = process.waitFor() == 0;
        if (!done) {
            report.line("  %s: %s", String.join(" ", words), said.strip());
        }
        return done;
    }
}
