package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A program that decides as fast as it can and prints the ids that it answered, until it is killed. */
final class CrashingServer {
    private CrashingServer() {}

    public static void main(String[] arguments) throws IOException {
        var source = new PGSimpleDataSource();
        source.setUrl(arguments[1]);
        source.setUser(arguments[2]);
        source.setPassword(arguments[3]);
        long seed = Long.parseLong(arguments[4]);
        var clock = InstantSource.system();
        var disk = new FaultyDisk();
        disk.usable = 1;
        var settings = new LogSettings(
                Path.of(arguments[0]), "server-a", false, Duration.ofSeconds(1), clock, Entries.ids(seed, clock));
        var log = DecisionLog.open(settings, new LogObserver() {}, disk);
        log.shipTo(source);
        for (int loop = 0; loop < 2; loop++) {
            var writer = log.writer(loop);
            var entries = new Entries(seed + 100 + loop, clock);
            new Thread(() -> decide(writer, entries)).start();
        }
    }

    private static void decide(SegmentWriter writer, Entries entries) {
        try {
            for (int tick = 1; ; tick++) {
                var answers = new StringBuilder();
                for (int i = tick % 13; i >= 0; i--) {
                    var entry = entries.next();
                    writer.append(entry.bytes(), 0, entry.bytes().length);
                    answers.append(entry.id()).append('\n');
                }
                writer.flush();
                System.out.print(answers);
                System.out.flush();
            }
        } catch (LogUnavailableException e) {
            throw new IllegalStateException(e);
        }
    }
}
