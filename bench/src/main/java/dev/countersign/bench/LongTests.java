package dev.countersign.bench;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the fuzz and random tests of the rules in their long form, where there is a checkout and Maven. */
final class LongTests {
    private final Report report;

    LongTests(Report report) {
        this.report = report;
    }

    /** The rules' own, each with so many cases. */
    void rules(int count) throws IOException, InterruptedException {
        run("Fuzz and random tests of the rules", count, "-pl", "rules", "-Dcountersign.fuzz=" + count);
    }

    /** Sequences of what eight clients do to approvals on two servers, and graphs of who belongs to whom. */
    void approvals(int count) throws IOException, InterruptedException {
        run(
                "Random clients of approvals",
                count,
                "-pl",
                "pdp-server",
                "-am",
                "-Dtest=ApprovalsModelTest,SeparationPropertyTest",
                "-Dsurefire.failIfNoSpecifiedTests=false");
    }

    private void run(String title, int count, String... more) throws IOException, InterruptedException {
        report.title(title + ", " + count + " each");
        Path root = checkout();
        if (root == null) {
            report.line("  SKIPPED: this needs a checkout; the jar does not lie in bench/target of one");
            return;
        }
        var command = new ArrayList<>(List.of(
                "mvn", "-B", "-q", "-ntp", "test", "-Dspotless.check.skip=true", "-Dcountersign.random=" + count));
        command.addAll(List.of(more));
        Process process;
        try {
            process = new ProcessBuilder(command)
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
        report.check(String.join(" ", command), code == 0);
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
