package dev.countersign.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.cli.Main;
import dev.countersign.server.postgres.EmbeddedPostgres;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The short form of {@code countersign soak}: the whole server, killed under load. */
class FaultTest {
    private static final int KILLS = 2;
    private static final int ANSWERS = 200;
    private static final int CLIENTS = 4;
    private static final long PATIENCE_NANOS = 30_000_000_000L;

    @TempDir
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    @Test
    void a_server_that_is_killed_under_load_has_logged_all_that_it_answered_exactly_once() throws Exception {
        Path packs = Files.createDirectories(directory.resolve("packs"));
        Files.writeString(packs.resolve("pack.yaml"), "name: fault\nversion: 1.0.0\ndescription: For a test.\n");
        Files.writeString(packs.resolve("fault.drl"), """
                package fault
                rule "read"
                when
                  Request( action == "read" )
                then
                  decision.allow("READ");
                end
                """);
        Path data = directory.resolve("data");
        for (int kill = 1; kill <= KILLS; kill++) {
            Process server = start(packs, data);
            try {
                loadUntil(kill * ANSWERS, server, uri(server), key(data));
            } finally {
                server.destroyForcibly().onExit().join();
            }
        }
        Process server = start(packs, data);
        try {
            uri(server);
            List<String> rows = shipped(EmbeddedPostgres.running(data));
            assertThat(rows).doesNotHaveDuplicates().containsAll(told);
            assertThat(told).hasSizeGreaterThanOrEqualTo(KILLS * ANSWERS);
        } finally {
            server.destroy();
            server.onExit().join();
        }
    }

    private static Process start(Path packs, Path data) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "serve",
                        "--port",
                        "0",
                        "--data",
                        data.toString(),
                        "--packs",
                        packs.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static URI uri(Process server) throws IOException {
        var output = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith("ready ")) {
                return URI.create(line.split(" ", -1)[1] + "/access/v1/evaluation");
            }
        }
        throw new AssertionError("the server did not start");
    }

    private static String key(Path data) throws IOException {
        return new JsonObject(Files.readString(data.resolve("keys.json"))).getString("agent");
    }

    /** Asks from several clients, kills the server in the midst of it, and waits until the clients have noticed. */
    private void loadUntil(int answers, Process server, URI uri, String key) throws InterruptedException {
        var request = HttpRequest.newBuilder(uri)
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("""
                        {"subject": {"type": "agent", "id": "a"}, "action": {"name": "read"},
                         "resource": {"type": "document", "id": "d"}}"""))
                .build();
        var clients = new ArrayList<Thread>();
        for (int i = 0; i < CLIENTS; i++) {
            var asking = new Thread(() -> ask(request));
            asking.start();
            clients.add(asking);
        }
        eventually(() -> told.size() >= answers);
        server.toHandle().destroyForcibly();
        for (Thread asking : clients) {
            asking.join();
        }
    }

    private void ask(HttpRequest request) {
        try {
            while (true) {
                var response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() == 200) {
                    told.add(new JsonObject(response.body())
                            .getJsonObject("context")
                            .getString("evaluation_id"));
                }
            }
        } catch (IOException e) {
            // the server is gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The ids in the table, once all that was told is there. */
    private List<String> shipped(PostgresAddress address) throws SQLException {
        List<String> ids = ids(address);
        for (long end = System.nanoTime() + PATIENCE_NANOS;
                !new HashSet<>(ids).containsAll(told) && System.nanoTime() < end;
                ids = ids(address)) {
            Thread.onSpinWait();
        }
        return ids;
    }

    private static List<String> ids(PostgresAddress address) throws SQLException {
        var ids = new ArrayList<String>();
        try (var connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                var rows = connection.createStatement().executeQuery("select id::text from decisions")) {
            while (rows.next()) {
                ids.add(rows.getString(1));
            }
        }
        return ids;
    }

    private static void eventually(java.util.function.BooleanSupplier holds) {
        for (long end = System.nanoTime() + PATIENCE_NANOS; !holds.getAsBoolean(); Thread.onSpinWait()) {
            assertThat(System.nanoTime()).as("waiting").isLessThan(end);
        }
    }
}
