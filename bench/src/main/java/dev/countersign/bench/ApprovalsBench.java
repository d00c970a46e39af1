package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** How long humans and those who wait for them wait for the server: two servers, one database. */
final class ApprovalsBench {
    private static final int APPROVALS = 1_000;
    private static final int PENDING = 100_000;
    private static final int LATE = 10_000;
    private static final int TIMES = 500;
    private static final double BAR_MILLIS = 50;

    private final Report report;
    private final Path scratch;
    private final Api api = new Api();
    private final Api other = new Api();

    ApprovalsBench(Report report, Path scratch) {
        this.report = report;
        this.scratch = scratch;
    }

    void run() throws IOException, InterruptedException, SQLException {
        report.title("Approvals");
        Path first = scratch.resolve("approvals-one");
        Path second = scratch.resolve("approvals-two");
        try (EmbeddedPostgres postgres =
                EmbeddedPostgres.start(scratch.resolve("approvals-database"), new SecureRandom())) {
            Map<String, String> env =
                    ServerUnderTest.using(postgres.address(), postgres.address().port());
            Path packs = Path.of("rules/packs/base");
            try (var one = ServerUnderTest.start(first, packs, env, List.of())) {
                Files.createDirectories(second);
                Files.copy(first.resolve("keys.json"), second.resolve("keys.json"));
                try (var two = ServerUnderTest.start(second, packs, env, List.of())) {
                    api.send(
                            one,
                            "PUT",
                            "/api/v1/entities/agent/agent",
                            one.key("admin"),
                            new JsonObject().put("owner", "carol"));
                    waiting(one, two, 100, false);
                    waiting(one, two, APPROVALS, true);
                    many(one, postgres.address());
                }
            }
        }
    }

    private String create(ServerUnderTest server, String id) throws IOException, InterruptedException {
        var body = new JsonObject().put("action_id", id).put("action_type", "bench");
        return new JsonObject(api.send(server, "POST", "/api/v1/approvals", server.key("agent"), body)
                        .body())
                .getString("id");
    }

    /** Approved through one server, while a client waits at the other. */
    private void waiting(ServerUnderTest one, ServerUnderTest two, int times, boolean counts)
            throws IOException, InterruptedException {
        var millis = new ArrayList<Double>();
        ExecutorService waiters = Executors.newSingleThreadExecutor();
        try {
            for (int i = 0; i < times; i++) {
                String id = create(one, (counts ? "wait-" : "warm-") + i);
                Future<Long> returned = waiters.submit(() -> {
                    String body = other.send(
                                    two, "GET", "/access/v1/requests/" + id + "?wait=30", two.key("agent"), null)
                            .body();
                    long at = System.nanoTime();
                    if (!body.contains("\"approved\"")) {
                        throw new IOException("it was not approved: " + body);
                    }
                    return at;
                });
                // Long enough for the request to wait there: what is measured begins with the approval.
                Thread.sleep(5);
                api.send(one, "POST", "/api/v1/approvals/" + id + "/approve", one.key("bob"), new JsonObject());
                long approved = System.nanoTime();
                millis.add(Math.max(0, returned.get() - approved) / 1e6);
            }
        } catch (ExecutionException e) {
            throw new IOException("a client that waited was not told", e);
        } finally {
            waiters.shutdownNow();
        }
        if (counts) {
            report.line("  a waiting client of the other server returns: p50 %.2f ms", percentile(millis, 50));
            report.bar("approve -> the waiting client returns, p99", percentile(millis, 99), BAR_MILLIS, "ms");
        }
    }

    private void many(ServerUnderTest server, PostgresAddress database)
            throws IOException, InterruptedException, SQLException {
        String id = create(server, "model");
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
                Statement statement = connection.createStatement()) {
            copies(statement, id, PENDING, "now() + interval '1 hour'");
            statement.execute("analyze approval_requests");
            var list = new ArrayList<Double>();
            var decide = new ArrayList<Double>();
            for (int i = 0; i < TIMES; i++) {
                String page = "/api/v1/approvals?limit=50&sort=" + (i % 2 == 0 ? "age" : "risk");
                list.add(millis(() -> api.send(server, "GET", page, server.key("bob"), null)));
                String one = create(server, "decide-" + i);
                decide.add(millis(() -> api.send(
                        server, "POST", "/api/v1/approvals/" + one + "/approve", server.key("bob"), new JsonObject())));
            }
            report.line(
                    "  among %d that wait: list p50 %.2f ms, decide p50 %.2f ms",
                    PENDING, percentile(list, 50), percentile(decide, 50));
            report.bar("list with 100,000 pending, p99", percentile(list, 99), BAR_MILLIS, "ms");
            report.bar("decide with 100,000 pending, p99", percentile(decide, 99), BAR_MILLIS, "ms");
            sweep(server, statement, id);
        }
    }

    /** While what is late is noted, others decide as fast as before. */
    private void sweep(ServerUnderTest server, Statement statement, String id)
            throws IOException, InterruptedException, SQLException {
        copies(statement, id, LATE, "now() - interval '1 second'");
        ExecutorService sweeper = Executors.newSingleThreadExecutor();
        var decide = new ArrayList<Double>();
        long began = System.nanoTime();
        try {
            Future<?> swept = sweeper.submit(() -> {
                Api.until(() -> {
                    other.send(server, "POST", "/api/v1/approvals/cleanup", server.key("bob"), null);
                    return true;
                });
                return null;
            });
            for (int i = 0; !swept.isDone(); i++) {
                String one = create(server, "beside-" + i);
                decide.add(millis(() -> api.send(
                        server, "POST", "/api/v1/approvals/" + one + "/approve", server.key("bob"), new JsonObject())));
            }
            swept.get();
        } catch (ExecutionException e) {
            throw new IOException("the sweep failed", e);
        } finally {
            sweeper.shutdownNow();
        }
        report.line(
                "  %d late ones were noted in %.1f s, %d decided meanwhile",
                LATE, (System.nanoTime() - began) / 1e9, decide.size());
        report.bar("decide while 10,000 late ones are swept, p99", percentile(decide, 99), BAR_MILLIS, "ms");
    }

    private static void copies(Statement statement, String id, int count, String decideBy) throws SQLException {
        statement.execute("insert into approval_requests (tenant, id, task, position, evaluation_id, requester,"
                + " requester_key, subject_type, subject_id, action, resource_type, resource_id, call, whole, digest,"
                + " bound_context, advisory, findings, stages, excluded, claimed, reason, risk, submission, created_at,"
                + " decide_by, use_seconds) select r.tenant, i.id, i.id, 0, gen_random_uuid(), r.requester,"
                + " r.requester_key, r.subject_type, r.subject_id, r.action, r.resource_type, r.resource_id, r.call,"
                + " r.whole, r.digest, r.bound_context, r.advisory, r.findings, r.stages, r.excluded, r.claimed,"
                + " r.reason, r.risk, 'copy', now() - interval '1 minute', " + decideBy
                + ", r.use_seconds from approval_requests r,"
                + " lateral (select gen_random_uuid() as id, n from generate_series(1, " + count + ") n) i"
                + " where r.id = '" + id + "'");
    }

    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    private static double millis(Step step) throws IOException, InterruptedException {
        long began = System.nanoTime();
        step.run();
        return (System.nanoTime() - began) / 1e6;
    }

    private static double percentile(List<Double> values, int percent) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? Double.NaN : sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
    }
}
