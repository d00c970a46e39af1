package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.server.Server;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * A server in a JVM of its own that runs the tool {@code pay} and halts, as if killed, when a test wants it to. Its data and
 * its log stay in one directory, so that the next one goes on where it was.
 */
final class ApplyingServer implements AutoCloseable {
    /** When it halts. */
    enum Halt {
        NEVER,
        APPROVED,
        RESERVED,
        LOGGED,
        STARTED,
        /** The tool was called and has not done what it is there for. */
        CALLED,
        RAN,
        REPORTED
    }

    /** What a server that has halted says. */
    static final int HALTED = 137;

    private static final String HALT = "halt";
    private static final String RUNS = "runs";
    private static final String PORT = "port ";

    private final Path directory;
    private final Process process;
    private final int port;

    private ApplyingServer(Path directory, Process process, int port) {
        this.directory = directory;
        this.process = process;
        this.port = port;
    }

    /** What runs in that JVM: prints the port, and serves until its standard input ends. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Path pack = Path.of(arguments[2]);
        Path tools = Files.writeString(directory.resolve("tools.yaml"), "tools: {pay: {stub: echo}}");
        var config = ServerConfig.of(
                0,
                directory,
                null,
                List.of(pack),
                Map.of("DATABASE_URL", arguments[1], "COUNTERSIGN_TOOLS", tools.toString()));
        var packs = new PackReader(new Diagnostics()).read(List.of(pack));
        try (var server = Server.start(config, packs, step -> done(directory, step))) {
            System.out.println(PORT + server.port());
            while (System.in.read() >= 0) {}
        }
    }

    private static void done(Path directory, ApplyStep step) {
        try {
            Halt wanted = Halt.valueOf(Files.readString(directory.resolve(HALT)));
            if (step == ApplyStep.RAN) {
                if (wanted == Halt.CALLED) {
                    Runtime.getRuntime().halt(HALTED);
                }
                // What the tool, a stub, is taken to do.
                Files.writeString(
                        directory.resolve(RUNS), "run\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
            if (wanted.name().equals(step.name())) {
                Runtime.getRuntime().halt(HALTED);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ApplyingServer start(Path directory, PostgresAddress database) throws IOException {
        Files.writeString(directory.resolve(HALT), Halt.NEVER.name());
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ApplyingServer.class.getName(),
                        directory.toString(),
                        url(database),
                        RunningServer.checkout("rules/packs/base").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        String line = out.readLine();
        if (line == null || !line.startsWith(PORT)) {
            process.destroyForcibly();
            throw new AssertionError("the child JVM did not start: " + line);
        }
        return new ApplyingServer(directory, process, Integer.parseInt(line.substring(PORT.length())));
    }

    private static String url(PostgresAddress address) {
        return "postgres://" + URLEncoder.encode(address.user(), UTF_8) + ":"
                + URLEncoder.encode(address.password(), UTF_8) + "@" + address.host() + ":" + address.port() + "/"
                + address.database() + "?sslmode=" + address.sslMode().value;
    }

    /** Has it halt once it comes so far, and forgets what has run before. */
    void haltAt(Halt when) throws IOException {
        Files.writeString(directory.resolve(HALT), when.name());
        Files.deleteIfExists(directory.resolve(RUNS));
    }

    /** How often the tool has run, in this server and those before it. */
    int runs() throws IOException {
        Path runs = directory.resolve(RUNS);
        return Files.exists(runs) ? Files.readAllLines(runs).size() : 0;
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Waits until it has ended, and says how. */
    int ended() {
        return process.onExit().join().exitValue();
    }

    HttpRequest.Builder post(String path, String secret, String body) {
        return request(path, secret).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
    }

    HttpRequest.Builder get(String path, String secret) {
        return request(path, secret).GET();
    }

    private HttpRequest.Builder request(String path, String secret) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Authorization", "Bearer " + secret);
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        process.onExit().join();
    }
}
