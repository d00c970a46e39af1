package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Stops PostgreSQL under load and starts it again: decisions go on meanwhile, and nothing is missing afterwards. */
final class OutageSoak {
    private static final long BEFORE_MILLIS = 3_000;
    private static final Duration SHIP = Duration.ofMinutes(5);

    private final Report report;
    private final Path scratch;
    private final Path packs;

    OutageSoak(Report report, Path scratch, Path packs) {
        this.report = report;
        this.scratch = scratch;
        this.packs = packs;
    }

    void run(int seconds) throws IOException, InterruptedException, SQLException {
        report.title("PostgreSQL stopped for " + seconds + " s under load");
        Path database = scratch.resolve("database");
        var random = new SecureRandom();
        EmbeddedPostgres postgres = EmbeddedPostgres.start(database, random);
        try (var proxy = new Proxy()) {
            proxy.target(postgres.address().port());
            Map<String, String> env = ServerUnderTest.using(postgres.address(), proxy.port());
            Path data = scratch.resolve("outage");
            var told = Load.memory();
            try (var server = ServerUnderTest.start(data, packs, env, List.of())) {
                try (var load = new Load(server, told)) {
                    Thread.sleep(BEFORE_MILLIS);
                    postgres.close();
                    long before = load.answered();
                    Thread.sleep(seconds * 1_000L);
                    long during = load.answered() - before;
                    postgres = EmbeddedPostgres.start(database, random);
                    proxy.target(postgres.address().port());
                    Thread.sleep(BEFORE_MILLIS);
                    report.check("without PostgreSQL, " + during + " decisions were told", during > 0);
                    report.check(
                            "no request was refused (" + load.refused() + ") or broken (" + load.broken() + ")",
                            load.refused() + load.broken() == 0);
                    report.failure(load);
                }
                server.shipped(SHIP);
                var audit = new Audit(report);
                audit.table("PostgreSQL is back", postgres.address(), told);
                audit.export("PostgreSQL is back", data, env, scratch.resolve("outage.jsonl"));
            }
        } finally {
            postgres.close();
        }
    }
}
