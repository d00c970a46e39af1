package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.server.Server;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** The real server in this process, on a port and in a directory of its own, and a client for it. */
public final class RunningServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();

    private final PostgresAddress owner;
    private final Path directory;
    /** None once it is closed: tests keep this in static fields, and many servers do not fit into memory. */
    private Server server;

    private final Map<String, String> secrets = new HashMap<>();

    private RunningServer(PostgresAddress owner, Path directory, Server server) {
        this.owner = owner;
        this.directory = directory;
        this.server = server;
        for (KeyStore.NewKey key : server.demoKeys()) {
            secrets.put(key.name(), key.key().secret());
        }
    }

    /** Starts a server on an empty database, given as its owner, with packs of this checkout or of elsewhere. */
    public static RunningServer start(PostgresAddress owner, Path... packs) {
        return start(owner, owner.port(), Map.of(), packs);
    }

    /** The same, reaching the database through another port, with more environment. */
    public static RunningServer start(PostgresAddress owner, int port, Map<String, String> more, Path... packs) {
        try {
            Path directory = Files.createTempDirectory("countersign-server-");
            var env = new HashMap<>(more);
            env.put("DATABASE_URL", url(owner, port));
            var config = ServerConfig.of(0, directory, null, List.of(packs), env);
            return new RunningServer(owner, directory, Server.start(config, read(packs)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Another server on the same database, with the keys of this one, more environment, and packs of its own. */
    public RunningServer another(Map<String, String> more, Path... packs) {
        RunningServer other = start(owner, owner.port(), more, packs);
        other.secrets.putAll(secrets);
        return other;
    }

    private static String url(PostgresAddress address, int port) {
        return "postgres://" + encoded(address.user()) + ":" + encoded(address.password()) + "@" + address.host() + ":"
                + port + "/" + encoded(address.database()) + "?sslmode=" + address.sslMode().value;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8).replace("+", "%20");
    }

    private static List<Pack> read(Path... places) {
        var diagnostics = new Diagnostics();
        List<Pack> packs = new PackReader(diagnostics).read(List.of(places));
        if (diagnostics.hasErrors()) {
            throw new AssertionError(diagnostics.all().toString());
        }
        return packs;
    }

    /** A path of this checkout, from its root. */
    public static Path checkout(String path) {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(root.resolve("rules/packs"))) {
            root = root.getParent();
        }
        return root.resolve(path);
    }

    /** A pack of one file of rules in {@code directory}. */
    public static Path pack(Path directory, String manifest, String rules) throws IOException {
        Files.writeString(directory.resolve("pack.yaml"), manifest);
        Files.writeString(directory.resolve("rules.drl"), rules);
        return directory;
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /** What it calls itself. */
    public String url() {
        return "http://127.0.0.1:" + port();
    }

    /** Where its data is. */
    public Path directory() {
        return directory;
    }

    /** The secret of a demo key. */
    public String key(String name) {
        String secret = secrets.get(name);
        if (secret == null) {
            throw new AssertionError("no key " + name + " among " + secrets.keySet());
        }
        return secret;
    }

    /** Makes a key, of a tenant that is made too if it is not there, and waits until the server knows it. */
    public ApiKey addKey(String tenant, String name, String... roles) {
        ApiKey key = ApiKey.draw(new SecureRandom());
        sql("insert into tenants (id, name) values (?, ?) on conflict do nothing", tenant, tenant);
        sql(
                "insert into api_keys (id, tenant, name, hash, roles) values (?, ?, ?, ?, ?)",
                key.id(),
                tenant,
                name,
                key.hash(),
                roles);
        until(
                "the server knows the new key",
                () -> get("/api/v1/decisions", key.secret()).status() != 401);
        return key;
    }

    /** Revokes a key. */
    public void revoke(ApiKey key) {
        sql("update api_keys set revoked_at = now() where id = ?", key.id());
    }

    private void sql(String statement, Object... values) {
        try (Connection connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var prepared = connection.prepareStatement(statement)) {
            for (int i = 0; i < values.length; i++) {
                if (values[i] instanceof String[] texts) {
                    prepared.setArray(i + 1, connection.createArrayOf("text", texts));
                } else {
                    prepared.setObject(i + 1, values[i]);
                }
            }
            prepared.executeUpdate();
        } catch (SQLException e) {
            throw new AssertionError(statement, e);
        }
    }

    /** POSTs JSON with the agent's key. */
    public Reply post(String path, String body) {
        return post(path, key("agent"), body);
    }

    /** POSTs JSON with a key. */
    public Reply post(String path, String secret, String body) {
        return send(request(path, secret)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /** The record of a decision, once it is in the table, read with a key. */
    public JsonNode record(String id, String secret) {
        String path = "/api/v1/decisions/" + id;
        until("the decision is in the table", () -> get(path, secret).status() == 200);
        return get(path, secret).json();
    }

    /** PUTs JSON with a key. */
    public Reply put(String path, String secret, String body, String... headers) {
        HttpRequest.Builder request = request(path, secret)
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofString(body));
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    /** DELETEs with a key. */
    public Reply delete(String path, String secret, String... headers) {
        HttpRequest.Builder request = request(path, secret).DELETE();
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    /** PUTs JSON with a key of the demo tenant; what waits for another person is confirmed, and then read. */
    public Reply agreedPut(String path, String secret, String body, String... headers) {
        return agreed(put(path, secret, body, headers), path, secret);
    }

    /** DELETEs with a key of the demo tenant; what waits for another person is confirmed, and then read. */
    public Reply agreedDelete(String path, String secret, String... headers) {
        return agreed(delete(path, secret, headers), path, secret);
    }

    private Reply agreed(Reply reply, String path, String secret) {
        if (reply.status() != 202) {
            return reply;
        }
        Reply confirmed = post(reply.header("Location") + "/confirm", key("publisher"), "{}");
        return confirmed.status() == 200 ? get(path, secret) : confirmed;
    }

    /** GETs with a key. */
    public Reply get(String path, String secret) {
        return send(request(path, secret).GET());
    }

    /** GETs without a key. */
    public Reply get(String path) {
        return send(request(path).GET());
    }

    /** A request with a key. */
    public HttpRequest.Builder request(String path, String secret) {
        return request(path).header("Authorization", "Bearer " + secret);
    }

    /** A request without a key. */
    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url() + path)).timeout(PATIENCE);
    }

    /** Sends a request; the answer is as the OpenAPI document says. */
    public Reply send(HttpRequest.Builder request) {
        try {
            HttpRequest made = request.build();
            Reply reply = Reply.of(CLIENT.send(made, BodyHandlers.ofString(UTF_8)));
            Contract.check(made.method(), made.uri().getRawPath(), reply);
            return reply;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** A connection on which a test writes what no client would. */
    public Socket socket() throws IOException {
        var socket = new Socket("127.0.0.1", port());
        socket.setSoTimeout((int) PATIENCE.toMillis());
        return socket;
    }

    /** Sends the very characters, one byte each, and reads until the server closes the connection. */
    public String raw(String request) throws IOException {
        try (Socket socket = socket()) {
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        }
    }

    /** Waits until something has come true; an error of the test if it does not. */
    public static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited " + PATIENCE + " in vain until " + what);
            }
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        server = null;
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
