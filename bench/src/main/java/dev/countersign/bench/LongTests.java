package dev.countersign.bench;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the fuzz and random tests of the rules in their long form, where there is a checkout and Maven. */
final class LongTests {
    private final Report report;

    LongTests(Report report) {
        this.report = report;
    }

    void run(int count) throws IOException, InterruptedException {
        report.title("Fuzz and random tests of the rules, " + count + " each");
        Path root = checkout();
        if (root == null) {
            report.line("  SKIPPED: this needs a checkout; the jar does not lie in bench/target of one");
            return;
        }
        Process process;
        try {
            process = new ProcessBuilder(
                            "mvn",
                            "-B",
                            "-q",
                            "-ntp",
                            "-pl",
                            "rules",
                            "test",
                            "-Dspotless.check.skip=true",
                            "-Dcountersign.fuzz=" + count,
                            "-Dcountersign.random=" + count)
                    .directory(root.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            report.line("  SKIPPED: this needs Maven on the PATH (%s)", e.toString());
            return;
        }
        List<String> said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        int code = process.waitFor();
        if (code != 0) {
            said.stream().skip(Math.max(0, said.size() - 40)).forEach(line -> report.line("    | %s", line));
        }
        report.check("mvn -pl rules test -Dcountersign.fuzz=" + count + " -Dcountersign.random=" + count, code == 0);
    }

    private static @Nullable Path checkout() {
        try {
            Path jar = Path.of(LongTests.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            Path root = jar.resolve("../../..").normalize();
            return Files.isRegularFile(root.resolve("rules/pom.xml")) ? root : null;
        } catch (URISyntaxException e) {
            return null;
        }
    }
}
