package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two servers on one PostgreSQL, both under load: a row, a setting and a key that are changed through one are obeyed by the
 * other within a second, and no request fails meanwhile.
 */
final class LiveSoak {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final double BAR_MILLIS = 1_000;
    private static final int TENANTS = 1_000;

    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private final Report report;
    private final Path scratch;
    private final Path packs;
    private final HttpClient client = HttpClient.newHttpClient();

    LiveSoak(Report report, Path scratch, Path packs) {
        this.report = report;
        this.scratch = scratch;
        this.packs = packs;
    }

    void run(int rounds) throws IOException, InterruptedException, SQLException {
        report.title("Two servers under load, " + rounds + " rounds of changes");
        Path first = scratch.resolve("live-one");
        Path second = scratch.resolve("live-two");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(scratch.resolve("live-database"), new SecureRandom())) {
            Map<String, String> env = Map.of("DATABASE_URL", url(postgres.address()));
            try (var one = ServerUnderTest.start(first, packs, env, List.of())) {
                Files.createDirectories(second);
                Files.copy(first.resolve("keys.json"), second.resolve("keys.json"));
                try (var two = ServerUnderTest.start(second, packs, env, List.of())) {
                    var told = Load.memory();
                    try (var load = new Load(one, told);
                            var more = new Load(two, told)) {
                        change(one, two, rounds);
                        report.check(
                                "no request was refused (" + (load.refused() + more.refused()) + ") or broken ("
                                        + (load.broken() + more.broken()) + ") of "
                                        + (load.answered() + more.answered()),
                                load.refused() + more.refused() + load.broken() + more.broken() == 0);
                    }
                    tenants(one, postgres.address());
                }
            }
        }
    }

    /** Every tenant asks once; what is held of them is bounded, and printed. */
    private void tenants(ServerUnderTest server, PostgresAddress database)
            throws IOException, InterruptedException, SQLException {
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
                Statement statement = connection.createStatement()) {
            statement.execute("insert into tenants (id, name) select 'many-' || i, 'many' from generate_series(1, "
                    + TENANTS + ") i");
            statement.execute("insert into api_keys (id, tenant, name, hash, roles, created_by)"
                    + " select 'csk_many' || i, 'many-' || i, 'pep', sha256(('csk_many' || i)::bytea), array['decide'], 'soak'"
                    + " from generate_series(1, " + TENANTS + ") i");
            statement.execute(
                    "insert into policies (id, tenant, name, scope, effect, action_pattern, rule_expr, enabled,"
                            + " version, created_at, updated_at) select gen_random_uuid(), 'many-' || i, 'row ' || j, 'tenant',"
                            + " 'deny', 'many.' || j, jsonb_build_object('when', jsonb_build_object('field', 'amount', 'op', '>',"
                            + " 'value', j)), true, 1, now(), now() from generate_series(1, " + TENANTS
                            + ") i, generate_series(1, 10) j");
        }
        until(() -> status(server, "csk_many" + TENANTS) == 200);
        int refused = 0;
        for (int i = 1; i <= TENANTS; i++) {
            refused += status(server, "csk_many" + i) == 200 ? 0 : 1;
        }
        report.check("each of " + TENANTS + " tenants was answered at its first request", refused == 0);
        report.line(
                "  %.0f tenants of 10 policies are held in about %.1f MiB; the server has %.0f MiB resident",
                server.metric("countersign_tenants_held"),
                server.metric("countersign_tenants_held_bytes") / (1 << 20),
                Cpu.residentMib(server.handle()));
        report.bar("what is held of tenants", server.metric("countersign_tenants_held_bytes") / (1 << 20), 100, "MiB");
    }

    private void change(ServerUnderTest one, ServerUnderTest two, int rounds) throws IOException, InterruptedException {
        var rows = new ArrayList<Double>();
        var keys = new ArrayList<Double>();
        var settings = new ArrayList<Double>();
        for (int round = 0; round < rounds; round++) {
            String action = "live." + round;
            send(
                    one,
                    "POST",
                    "/api/v1/policies",
                    "admin",
                    new JsonObject()
                            .put("name", action)
                            .put("scope", "tenant")
                            .put("effect", "deny")
                            .put("reason", "LIVE_ROW")
                            .put("action_pattern", action));
            rows.add(until(() -> reasons(two, action).contains("LIVE_ROW")));

            JsonObject made = new JsonObject(send(
                            one,
                            "POST",
                            "/api/v1/keys",
                            "admin",
                            new JsonObject().put("name", action).put("roles", new JsonArray().add("decide")))
                    .body());
            String secret = made.getString("secret");
            until(() -> status(two, secret) == 200);
            send(one, "DELETE", "/api/v1/keys/" + made.getString("id"), "admin", null);
            keys.add(until(() -> status(two, secret) == 401));

            String listed = "listed." + round;
            send(
                    one,
                    "PUT",
                    "/api/v1/settings/log.redaction",
                    "admin",
                    new JsonObject().put("value", new JsonArray().add(listed)));
            settings.add(until(() -> send(two, "GET", "/api/v1/settings/log.redaction", "admin", null)
                    .body()
                    .contains(listed)));
        }
        bar("a policy that is a row", rows);
        bar("a key that is revoked", keys);
        bar("a setting", settings);
    }

    private void bar(String what, List<Double> millis) {
        report.line("  %s: median %.0f ms, at most %.0f ms", what, Report.median(millis), Collections.max(millis));
        report.bar(
                what + ", changed through one server, obeyed by the other", Collections.max(millis), BAR_MILLIS, "ms");
    }

    private static double until(Condition condition) throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - began > PATIENCE.toNanos()) {
                break;
            }
            Thread.sleep(2);
        }
        return (System.nanoTime() - began) / 1e6;
    }

    private String reasons(ServerUnderTest server, String action) throws IOException, InterruptedException {
        return send(server, "POST", "/v1/policy/evaluate", "agent", new JsonObject().put("action", action))
                .body();
    }

    private int status(ServerUnderTest server, String secret) throws IOException, InterruptedException {
        var request = request(server, "/v1/policy/evaluate", secret)
                .POST(HttpRequest.BodyPublishers.ofString("{\"action\": \"live\"}"));
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }

    private HttpResponse<String> send(
            ServerUnderTest server, String method, String path, String key, @Nullable JsonObject body)
            throws IOException, InterruptedException {
        var publisher =
                body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body.encode());
        var request = request(server, path, server.key(key)).method(method, publisher);
        HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300 || response.statusCode() == 202) {
            throw new IOException(method + " " + path + ": " + response.statusCode() + " " + response.body());
        }
        return response;
    }

    private static HttpRequest.Builder request(ServerUnderTest server, String path, String secret) {
        return HttpRequest.newBuilder(URI.create(server.url() + path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + secret)
                .header("Content-Type", "application/json");
    }

    private static String url(PostgresAddress address) {
        return "postgres://" + address.user() + ":" + address.password() + "@127.0.0.1:" + address.port() + "/"
                + address.database() + "?sslmode=disable";
    }
}
