package dev.countersign.bench;

import dev.countersign.server.cli.Main;
import dev.countersign.server.postgres.PostgresAddress;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The real server in a child process. */
final class ServerUnderTest implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Child child;
    private final Path data;
    private final HttpClient client = HttpClient.newHttpClient();
    private final JsonObject keys;

    private ServerUnderTest(Child child, Path data) throws IOException {
        this.child = child;
        this.data = data;
        this.keys = new JsonObject(Files.readString(data.resolve("keys.json")));
    }

    /** Starts it on a data directory, which is made if it is not there; {@code more} are options of {@code serve}. */
    static ServerUnderTest start(Path data, Path packs, Map<String, String> env, List<String> more) throws IOException {
        var args = new ArrayList<String>();
        args.addAll(List.of("serve", "--port", "0", "--data", data.toString(), "--packs", packs.toString()));
        args.addAll(more);
        Files.createDirectories(data);
        Child child = Child.start(Main.class, env, data.resolveSibling(data.getFileName() + ".err"), args);
        try {
            return new ServerUnderTest(child, data);
        } catch (IOException e) {
            child.close();
            throw e;
        }
    }

    /** What tells a server to use a database of its own machine, which it reaches at {@code port}. */
    static Map<String, String> using(PostgresAddress database, int port) {
        return Map.of(
                "DATABASE_URL",
                "postgres://" + database.user() + ":" + database.password() + "@127.0.0.1:" + port + "/"
                        + database.database() + "?sslmode=disable");
    }

    /** Where it listens. */
    String url() {
        return child.url();
    }

    URI evaluation() {
        return URI.create(url() + "/access/v1/evaluation");
    }

    URI evaluations() {
        return URI.create(url() + "/access/v1/evaluations");
    }

    /** The secret of one of the demo keys. */
    String key(String name) {
        return keys.getString(name);
    }

    ProcessHandle handle() {
        return child.handle();
    }

    Path data() {
        return data;
    }

    /** The answer to the single request of the workload. */
    HttpResponse<String> decide() throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(evaluation())
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + key("agent"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(Workload.single()));
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The value of a metric without labels. */
    double metric(String name) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url() + "/metrics"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + key("operator"));
        String scraped = client.send(request.build(), HttpResponse.BodyHandlers.ofString())
                .body();
        for (String line : scraped.lines().toList()) {
            if (line.startsWith(name + " ")) {
                return Double.parseDouble(line.substring(name.length() + 1));
            }
        }
        throw new IOException("the server has no metric " + name);
    }

    /** Waits until everything that is logged is in the database too. */
    void shipped(Duration patience) throws IOException, InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (metric("countersign_log_lag_bytes") > 0) {
            if (System.nanoTime() > end) {
                throw new IOException("after " + patience + " the log is not in the database");
            }
            Thread.sleep(100);
        }
    }

    void kill() {
        child.kill();
    }

    @Override
    public void close() throws IOException {
        child.close();
    }
}
