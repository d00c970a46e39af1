package dev.countersign.bench;

import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
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

/**
 * Two servers on one PostgreSQL, both under load: a row, a setting, a key and a pack that are changed through one are obeyed by the
 * other within a second, and no request fails meanwhile.
 */
final class LiveSoak {
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final double BAR_MILLIS = 1_000;
    private static final int TENANTS = 1_000;

    private final Report report;
    private final Path scratch;
    private final Path packs;
    private final Api api = new Api();

    LiveSoak(Report report, Path scratch, Path packs) {
        this.report = report;
        this.scratch = scratch;
        this.packs = packs;
    }

    void run(int rounds, int rules) throws IOException, InterruptedException, SQLException {
        report.title("Two servers under load, " + rounds + " rounds of changes");
        Path first = scratch.resolve("live-one");
        Path second = scratch.resolve("live-two");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(scratch.resolve("live-database"), new SecureRandom())) {
            Map<String, String> env =
                    ServerUnderTest.using(postgres.address(), postgres.address().port());
            try (var one = ServerUnderTest.start(first, packs, env, List.of())) {
                Files.createDirectories(second);
                Files.copy(first.resolve("keys.json"), second.resolve("keys.json"));
                try (var two = ServerUnderTest.start(second, packs, env, List.of())) {
                    var told = Load.memory();
                    try (var load = new Load(one, told, PAUSE);
                            var more = new Load(two, told, PAUSE)) {
                        change(one, two, rounds);
                        new LivePacks(report, one, two).run(rounds, rules);
                        report.failure(load, more);
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
        Api.until(() -> api.status(server, "csk_many" + TENANTS) == 200);
        int refused = 0;
        for (int i = 1; i <= TENANTS; i++) {
            refused += api.status(server, "csk_many" + i) == 200 ? 0 : 1;
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
        var redacted = new JsonArray();
        for (int round = 0; round < rounds; round++) {
            String action = "live." + round;
            api.send(
                    one,
                    "POST",
                    "/api/v1/policies",
                    one.key("admin"),
                    new JsonObject()
                            .put("name", action)
                            .put("scope", "tenant")
                            .put("effect", "deny")
                            .put("reason", "LIVE_ROW")
                            .put("action_pattern", action));
            rows.add(Api.until(() -> reasons(two, action).contains("LIVE_ROW")));

            JsonObject made = new JsonObject(api.send(
                            one,
                            "POST",
                            "/api/v1/keys",
                            one.key("admin"),
                            new JsonObject().put("name", action).put("roles", new JsonArray().add("decide")))
                    .body());
            String secret = made.getString("secret");
            Api.until(() -> api.status(two, secret) == 200);
            api.send(one, "DELETE", "/api/v1/keys/" + made.getString("id"), one.key("admin"), null);
            keys.add(Api.until(() -> api.status(two, secret) == 401));

            String listed = "listed." + round;
            redacted.add(listed);
            api.send(
                    one,
                    "PUT",
                    "/api/v1/settings/log.redaction",
                    one.key("admin"),
                    new JsonObject().put("value", redacted));
            settings.add(Api.until(() -> api.send(two, "GET", "/api/v1/settings/log.redaction", one.key("admin"), null)
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

    private String reasons(ServerUnderTest server, String action) throws IOException, InterruptedException {
        return api.send(
                        server,
                        "POST",
                        "/v1/policy/evaluate",
                        server.key("agent"),
                        new JsonObject().put("action", action))
                .body();
    }
}
