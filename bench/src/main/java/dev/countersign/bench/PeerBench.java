package dev.countersign.bench;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The same rules and the same requests against OPA, in turn; and a look at figures of other peers from another day. */
final class PeerBench {
    private static final int COMPARED = 500;
    private static final double OPA_BAR = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Report report;
    private final Path scratch;
    private final int rounds;
    private final int seconds;
    private final int warmUp;
    private final HttpClient client = HttpClient.newHttpClient();

    PeerBench(Report report, Path scratch, int rounds, int seconds, int warmUp) {
        this.report = report;
        this.scratch = scratch;
        this.rounds = rounds;
        this.seconds = seconds;
        this.warmUp = warmUp;
    }

    void run(@Nullable Path opa) throws IOException, InterruptedException {
        report.title("Peers: CPU per request over HTTP, 32 connections");
        if (opa == null) {
            report.line("  OPA: skipped; name its executable with --opa");
            return;
        }
        if (!Files.isExecutable(opa)) {
            throw new Unmet(opa + " cannot be run; --opa names the executable of OPA 1.0 or newer");
        }
        int port = Echo.freePort();
        Path policy = scratch.resolve("bench.rego");
        try (InputStream in = PeerBench.class.getResourceAsStream("peers/bench.rego")) {
            Files.copy(Objects.requireNonNull(in, "the build left out bench.rego"), policy);
        }
        Process process = new ProcessBuilder(
                        opa.toString(),
                        "run",
                        "--server",
                        "--addr=127.0.0.1:" + port,
                        "--log-level=error",
                        "--disable-telemetry",
                        policy.toString())
                .redirectErrorStream(true)
                .redirectOutput(scratch.resolve("opa.log").toFile())
                .start();
        try {
            URI uri = URI.create("http://127.0.0.1:" + port + "/v1/data/bench/answer");
            ready(process, URI.create("http://127.0.0.1:" + port + "/health"));
            Path packs = BenchPack.write(scratch.resolve("peer-packs"), 0);
            try (var server = ServerUnderTest.start(scratch.resolve("peer"), packs, Map.of(), List.of())) {
                agree(server, uri);
                measure(server, process.toHandle(), uri);
            }
        } finally {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    private void ready(Process process, URI health) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                client.send(HttpRequest.newBuilder(health).build(), HttpResponse.BodyHandlers.discarding());
                return;
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() > end) {
                    throw new IOException("OPA did not start: " + Files.readString(scratch.resolve("opa.log")), e);
                }
                Thread.sleep(20);
            }
        }
    }

    /** Both have the same rules: they answer many different requests alike, with the same reasons. */
    private void agree(ServerUnderTest server, URI uri) throws IOException, InterruptedException {
        int same = 0;
        for (String body : Workload.bodies(COMPARED)) {
            JsonObject theirs = post(uri, "", "{\"input\": " + body + "}").getJsonObject("result");
            JsonObject ours =
                    post(server.evaluation(), server.key("agent"), body).getJsonObject("context");
            boolean alike = theirs.getString("outcome").equals(ours.getString("outcome"))
                    && reasons(theirs).equals(reasons(ours));
            if (!alike) {
                report.line("  to %s%n  OPA says %s%n  and Countersign %s", body, theirs, ours);
            }
            same += alike ? 1 : 0;
        }
        report.check("OPA has the same rules: " + same + " of " + COMPARED + " answers are alike", same == COMPARED);
    }

    private static Set<String> reasons(JsonObject answer) {
        var found = new HashSet<String>();
        answer.getJsonArray("reasons").forEach(each -> found.add(String.valueOf(each)));
        return found;
    }

    private JsonObject post(URI uri, String key, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(uri)
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return new JsonObject(client.send(request.build(), HttpResponse.BodyHandlers.ofString())
                .body());
    }

    private void measure(ServerUnderTest server, ProcessHandle opa, URI uri) throws IOException, InterruptedException {
        var wrk = new Wrk(scratch);
        String body = Workload.single();
        String input = "{\"input\": " + body + "}";
        wrk.run(uri, "", input, warmUp);
        wrk.run(server.evaluation(), server.key("agent"), body, warmUp);
        server.shipped(PATIENCE.multipliedBy(10));
        var ratios = new ArrayList<Double>();
        var own = new ArrayList<Double>();
        long bad = 0;
        for (int round = 0; round < rounds; round++) {
            double before = Cpu.micros(opa);
            Wrk.Result theirs = wrk.run(uri, "", input, seconds);
            double their = (Cpu.micros(opa) - before) / theirs.requests();
            before = Cpu.micros(server.handle());
            Wrk.Result ours = wrk.run(server.evaluation(), server.key("agent"), body, seconds);
            server.shipped(PATIENCE.multipliedBy(10));
            double our = (Cpu.micros(server.handle()) - before) / ours.requests();
            report.line(
                    "  OPA %.1f us, p99 %.2f ms; Countersign %.1f us, p99 %.2f ms; OPA's CPU is %.1f times ours",
                    their, theirs.p99(), our, ours.p99(), their / our);
            ratios.add(their / our);
            own.add(our);
            bad += theirs.bad() + ours.bad();
        }
        report.line(
                "  OPA asks for no key and keeps no log of decisions here; Countersign does both (PostgreSQL's CPU is not in it)");
        report.bar("peers: Countersign's CPU / OPA's, same rules", 1 / Report.median(ratios), 1 / OPA_BAR, "x");
        report.bar("peers: answers other than 2xx", (double) bad, 0, "");
        before(report, Report.median(own));
    }

    /** Figures of peers that are not run here, and hold nothing to a bar: another run, and 6 rules in place of 31. */
    static void before(Report report, double own) {
        before(report, "Cerbos 0.55", 352, own);
        before(report, "SAPL 4.1.2", 166, own);
    }

    private static void before(Report report, String peer, double micros, double own) {
        report.line(
                "  %s: %.0f us over AuthZEN with 6 rules, %.1f times ours; against a figure measured before, not in this run",
                peer, micros, micros / own);
    }
}
