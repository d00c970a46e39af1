package dev.countersign.bench;

import dev.countersign.server.identity.DemoKeys;
import dev.countersign.server.postgres.EmbeddedPostgres;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Measures the whole server over HTTP against a bare one, in turn within each round. */
final class HttpBench {
    private static final int ITEMS = 50;
    private static final Duration DRAIN = Duration.ofMinutes(5);
    private static final int STARTS = 3;
    private static final int BIG = 10_000;
    private static final Map<String, String> DISK = Map.of("COUNTERSIGN_DURABILITY", "disk");

    /** One run against one server; microseconds per request. */
    private record Run(double cpu, double database, double perSecond, Wrk.Result wrk) {}

    private record Target(String name, ProcessHandle process, URI uri, String key, String body, int decisions) {}

    private final Report report;
    private final Path scratch;
    private final Wrk wrk;
    private final int rounds;
    private final int seconds;
    private final int warmUp;

    HttpBench(Report report, Path scratch, int rounds, int seconds, int warmUp) {
        this.report = report;
        this.scratch = scratch;
        this.wrk = new Wrk(scratch);
        this.rounds = rounds;
        this.seconds = seconds;
        this.warmUp = warmUp;
    }

    void run(boolean single, boolean batch) throws IOException, InterruptedException {
        Path packs = BenchPack.write(scratch.resolve("packs"), 0);
        try (var server = ServerUnderTest.start(scratch.resolve("process"), packs, Map.of(), List.of())) {
            String answer = server.decide().body();
            report.line("the answer that is measured, and that the floor gives: %s", answer);
            if (single) {
                try (var echo = Child.start(Echo.class, Map.of(), scratch.resolve("echo.err"), List.of(answer));
                        var disk = ServerUnderTest.start(scratch.resolve("disk"), packs, DISK, List.of())) {
                    singles(echo, server, disk);
                }
            }
            if (batch) {
                batches(server);
            }
        }
        if (single) {
            starts(packs);
            loaded();
            loadedRows(packs);
        }
    }

    private void singles(Child echo, ServerUnderTest server, ServerUnderTest disk)
            throws IOException, InterruptedException {
        String body = Workload.single();
        report.title("AuthZEN evaluation over HTTP: " + body.length() + " bytes, Bearer key, 32 connections");
        var targets = new LinkedHashMap<Target, ServerUnderTest>();
        var floor = new Target("echo", echo.handle(), URI.create(echo.url()), server.key("agent"), body, 1);
        targets.put(floor, server);
        targets.put(target("server", server, server.evaluation(), body, 1), server);
        targets.put(target("server, durability disk", disk, disk.evaluation(), body, 1), disk);
        for (Target target : targets.keySet()) {
            wrk.run(target.uri(), target.key(), target.body(), warmUp);
        }
        server.shipped(DRAIN);
        disk.shipped(DRAIN);
        var results = new LinkedHashMap<String, List<Run>>();
        report.line(
                "%-24s %9s %8s %9s %9s %8s %8s %6s",
                "", "/ echo", "cpu us", "pg us", "req/s", "p50 ms", "p99 ms", "bad");
        for (int round = 1; round <= rounds; round++) {
            double echoCpu = 0;
            for (var entry : targets.entrySet()) {
                Run run = measure(entry.getKey(), entry.getValue());
                results.computeIfAbsent(entry.getKey().name(), key -> new ArrayList<>())
                        .add(run);
                echoCpu = entry.getKey().equals(floor) ? run.cpu() : echoCpu;
                row(entry.getKey(), run, run.cpu() / echoCpu);
            }
        }
        bars(results.values());
        PeerBench.before(
                report,
                Report.median(results.getOrDefault("server", List.of()).stream()
                        .map(Run::cpu)
                        .toList()));
        double resident = Cpu.residentMib(server.handle());
        report.line("resident after this load, 31 rules: %.0f MiB", resident);
    }

    private void row(Target target, Run run, double ratio) {
        report.line(
                "%-24s %8.2fx %8.1f %9.1f %9.0f %8.2f %8.2f %6d",
                target.name(),
                ratio,
                run.cpu(),
                run.database(),
                run.perSecond(),
                run.wrk().p50(),
                run.wrk().p99(),
                run.wrk().bad());
    }

    private void bars(Collection<List<Run>> results) {
        var each = results.iterator();
        List<Run> echo = each.next();
        List<Run> server = each.next();
        List<Run> disk = each.next();
        report.bar("http: server CPU / echo CPU (goal 1.75)", ratio(server, echo, Run::cpu), 2, "x");
        report.bar("http: server CPU / echo CPU, durability disk", ratio(disk, echo, Run::cpu), 2.75, "x");
        report.bar(
                "http: p99 / echo p99, 32 connections",
                ratio(server, echo, run -> run.wrk().p99()),
                2.5,
                "x");
        report.bar(
                "http: PostgreSQL CPU per logged decision",
                Report.median(server.stream().map(Run::database).toList()),
                10,
                "us");
        long bad = results.stream()
                .flatMap(List::stream)
                .mapToLong(run -> run.wrk().bad())
                .sum();
        report.bar("http: answers other than 2xx", (double) bad, 0, "");
    }

    private static double ratio(List<Run> of, List<Run> to, java.util.function.ToDoubleFunction<Run> value) {
        var ratios = new ArrayList<Double>();
        for (int i = 0; i < of.size(); i++) {
            ratios.add(value.applyAsDouble(of.get(i)) / value.applyAsDouble(to.get(i)));
        }
        return Report.median(ratios);
    }

    private void batches(ServerUnderTest server) throws IOException, InterruptedException {
        String body = Workload.batch(ITEMS);
        report.title("Batch of " + ITEMS + " over HTTP, " + body.length() + " bytes; figures per check");
        var target = target("batch of " + ITEMS, server, server.evaluations(), body, ITEMS);
        wrk.run(target.uri(), target.key(), body, warmUp);
        server.shipped(DRAIN);
        var cpu = new ArrayList<Double>();
        long bad = 0;
        for (int round = 0; round < rounds; round++) {
            Run run = measure(target, server);
            report.line(
                    "%8.2f us CPU, PostgreSQL %.2f us, %.0f checks/s, p99 of a batch %.2f ms",
                    run.cpu(),
                    run.database(),
                    run.perSecond() * ITEMS,
                    run.wrk().p99());
            cpu.add(run.cpu());
            bad += run.wrk().bad();
        }
        report.bar("batch of 50: server CPU a check (goal 4.7)", Report.median(cpu), 10, "us");
        report.bar("batch of 50: answers other than 2xx", (double) bad, 0, "");
    }

    private static Target target(String name, ServerUnderTest server, URI uri, String body, int decisions) {
        return new Target(name, server.handle(), uri, server.key("agent"), body, decisions);
    }

    /** Everything that a decision costs is counted, also what ships it afterwards. */
    private Run measure(Target target, ServerUnderTest server) throws IOException, InterruptedException {
        double cpu = Cpu.micros(target.process());
        double database = Cpu.descendantsMicros(target.process());
        Wrk.Result result = wrk.run(target.uri(), target.key(), target.body(), seconds);
        if (target.process().equals(server.handle())) {
            server.shipped(DRAIN);
        }
        double decisions = (double) result.requests() * target.decisions();
        return new Run(
                (Cpu.micros(target.process()) - cpu) / decisions,
                (Cpu.descendantsMicros(target.process()) - database) / decisions,
                result.requests() / (double) seconds,
                result);
    }

    private void starts(Path packs) throws IOException, InterruptedException {
        report.title("Start on a warm data directory, until the first decision");
        var millis = new ArrayList<Double>();
        for (int i = 0; i < STARTS; i++) {
            long began = System.nanoTime();
            try (var server = ServerUnderTest.start(scratch.resolve("process"), packs, Map.of(), List.of())) {
                int status = server.decide().statusCode();
                millis.add((System.nanoTime() - began) / 1e6);
                report.line("%.0f ms, status %d", millis.get(i), status);
            }
        }
        report.bar("start: warm data directory to first decision", Report.median(millis) / 1e3, 2.5, "s");
    }

    private void loaded() throws IOException, InterruptedException {
        report.title("Memory with " + (BIG + 31) + " rules, under load");
        Path packs = BenchPack.write(scratch.resolve("big"), BIG);
        try (var server = ServerUnderTest.start(scratch.resolve("process"), packs, Map.of(), List.of())) {
            double before = Cpu.residentMib(server.handle());
            wrk.run(server.evaluation(), server.key("agent"), Workload.single(), warmUp);
            double after = Cpu.residentMib(server.handle());
            report.line("resident: %.0f MiB after the start, %.0f MiB after load", before, after);
            report.bar("memory: resident with 10,031 rules, loaded", after, 400, "MiB");
        }
    }

    private void loadedRows(Path packs) throws IOException, InterruptedException {
        report.title("Memory with " + BIG + " policies that are rows, under load");
        Path data = scratch.resolve("rows");
        try (var server = ServerUnderTest.start(data, packs, Map.of(), List.of())) {
            BenchRows.insert(EmbeddedPostgres.running(data), DemoKeys.TENANT, BIG);
            var ask = new JsonObject()
                    .put("action", BenchRows.inserted(BIG - 1))
                    .put("params", new JsonObject().put("amount", 2_000_000));
            String denied = new Api()
                    .send(server, "POST", "/v1/policy/evaluate", server.key("agent"), ask)
                    .body();
            report.check(
                    "the last of the rows judges",
                    new JsonObject(denied).getString("decision").equals("deny"));
            wrk.run(server.evaluation(), server.key("agent"), Workload.single(), warmUp);
            double after = Cpu.residentMib(server.handle());
            report.line("resident: %.0f MiB after load", after);
            report.bar("memory: resident with 10,000 rows, loaded", after, 400, "MiB");
        }
    }
}
