package dev.countersign.server.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.vertx.pgclient.SslMode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/** A JVM that runs an embedded server until its standard input ends: something that tests can kill. */
final class ServerProcess implements AutoCloseable {

    private final Process process;
    private final BufferedReader output;

    private ServerProcess(Process process) {
        this.process = process;
        this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    }

    /** What runs in that JVM: prints the port, or the refusal, and waits. */
    public static void main(String[] arguments) throws IOException {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(Path.of(arguments[0]), new SecureRandom())) {
            System.out.println("port " + postgres.address().port());
            while (System.in.read() >= 0) {}
        } catch (PostgresException refused) {
            System.out.println("refused " + refused.getMessage().replace('\n', ' '));
        }
    }

    static ServerProcess start(Path dataDirectory) throws IOException {
        return start(dataDirectory, System.getProperty("java.class.path"), List.of());
    }

    static ServerProcess start(Path dataDirectory, String classPath, List<String> prefix) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath,
                ServerProcess.class.getName(),
                dataDirectory.toString()));
        return new ServerProcess(new ProcessBuilder(command)
                .directory(dataDirectory.getParent().toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** Waits for PostgreSQL to be ready in that JVM and returns where it is. */
    PostgresAddress address(Path dataDirectory) throws IOException {
        String line = answer();
        if (!line.startsWith("port ")) {
            throw new AssertionError("the child JVM did not start: " + line);
        }
        return new PostgresAddress(
                "127.0.0.1",
                Integer.parseInt(line.substring("port ".length())),
                "countersign",
                Cluster.SUPERUSER,
                Files.readString(dataDirectory.resolve("postgres/password")).strip(),
                SslMode.DISABLE);
    }

    /** The line that says how the start went. */
    String answer() throws IOException {
        String line;
        do {
            line = output.readLine();
        } while (line != null && !line.startsWith("port ") && !line.startsWith("refused "));
        return String.valueOf(line);
    }

    /** Kills the JVM as {@code kill -9} does. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        process.onExit().join();
    }
}
