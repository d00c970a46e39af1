package dev.countersign.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The load generator {@code wrk}, closed loop: 2 threads, 32 connections. */
final class Wrk {
    private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in ");
    private static final Pattern BAD = Pattern.compile(
            "Non-2xx or 3xx responses: (\\d+)|Socket errors: connect (\\d+), read (\\d+), write (\\d+)");
    private static final Pattern LATENCY = Pattern.compile("\\s(50|99)%\\s+([0-9.]+)(us|ms|s)");

    /**
     * What it saw.
     *
     * @param requests answered
     * @param bad answers other than 2xx, and broken connections
     * @param p50 in milliseconds
     * @param p99 in milliseconds
     */
    record Result(long requests, long bad, double p50, double p99) {}

    private final Path folder;

    Wrk(Path folder) {
        this.folder = folder;
    }

    /** Refuses to go on without it. */
    static void require() {
        for (String place : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            if (Files.isExecutable(Path.of(place, "wrk"))) {
                return;
            }
        }
        throw new Unmet("the HTTP measurements need wrk, which is not on the PATH; install it (Debian and Ubuntu:"
                + " apt-get install wrk, macOS: brew install wrk), or run with --only engine");
    }

    /** Sends one body again and again. */
    Result run(URI to, String key, String body, int seconds) throws IOException, InterruptedException {
        Path script = folder.resolve("post.lua");
        Files.writeString(
                script,
                "wrk.method = \"POST\"\nwrk.body = [[" + body + "]]\nwrk.headers[\"Content-Type\"] ="
                        + " \"application/json\"\nwrk.headers[\"Authorization\"] = \"Bearer " + key + "\"\n");
        Process process = new ProcessBuilder(
                        "wrk", "-t2", "-c32", "-d" + seconds + "s", "--latency", "-s", script.toString(), to.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("wrk failed: " + said);
        }
        return parse(said);
    }

    private static Result parse(String said) throws IOException {
        Matcher requests = REQUESTS.matcher(said);
        if (!requests.find()) {
            throw new IOException("wrk said something unknown: " + said);
        }
        long bad = 0;
        for (Matcher found = BAD.matcher(said); found.find(); ) {
            for (int group = 1; group <= 4; group++) {
                bad += found.group(group) == null ? 0 : Long.parseLong(found.group(group));
            }
        }
        double p50 = 0;
        double p99 = 0;
        for (Matcher found = LATENCY.matcher(said); found.find(); ) {
            double millis = Double.parseDouble(found.group(2))
                    * switch (found.group(3)) {
                        case "us" -> 0.001;
                        case "ms" -> 1.0;
                        default -> 1_000.0;
                    };
            p50 = found.group(1).equals("50") ? millis : p50;
            p99 = found.group(1).equals("99") ? millis : p99;
        }
        return new Result(Long.parseLong(requests.group(1)), bad, p50, p99);
    }
}
