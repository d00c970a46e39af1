package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(PostgresExtension.class)
class CrashTest {
    private static final long SEED = 99;
    private static final int KILLS = 5;
    private static final int ID_LENGTH = 36;

    @TempDir
    Path directory;

    @Test
    void every_answered_decision_is_in_the_table_exactly_once_however_often_the_server_is_killed(
            PostgresAddress address) throws Exception {
        var random = new Random(SEED);
        Set<String> answered = new HashSet<>();
        for (int kill = 0; kill < KILLS; kill++) {
            answered.addAll(runAndKill(address, SEED + 1_000 * kill, 1_000 + random.nextInt(6_000)));
        }
        var fixture = new LogFixture(directory, SEED);
        var decisions = Decisions.at(address);
        try (var log = fixture.open()) {
            log.shipTo(decisions.source());
            log.writer(0);
            log.writer(1);
            LogFixture.eventually("shipped", () -> log.lag().bytes() == 0);
        }

        var ids = decisions.column("select id from decisions");
        assertThat(ids).as("seed %d", SEED).doesNotHaveDuplicates();
        assertThat(new HashSet<>(ids)).containsAll(answered);
        assertThat(answered).hasSizeGreaterThan(KILLS * 1_000);
        assertThat(decisions.wrongEvents()).as("seed %d", SEED).isEmpty();
        assertThat(decisions.verify().lines()).noneMatch(l -> l.contains("NOT OK"));
        assertThat(LogVerifier.directory(directory).ok()).isTrue();
        assertThat(fixture.failures).isEmpty();
    }

    /** Runs the server until it has answered so often, kills it, and returns everything that it answered. */
    private Set<String> runAndKill(PostgresAddress address, long seed, int answers) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CrashingServer.class.getName(),
                        directory.toString(),
                        address.jdbcUrl(),
                        address.user(),
                        address.password(),
                        Long.toString(seed))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Set<String> answered = new HashSet<>();
        try (var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.length() == ID_LENGTH && line.charAt(14) == '7') {
                    answered.add(line);
                }
                if (answered.size() == answers) {
                    process.toHandle().destroyForcibly();
                }
            }
        } finally {
            process.destroyForcibly().onExit().join();
        }
        return answered;
    }
}
