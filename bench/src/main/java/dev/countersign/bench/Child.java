package dev.countersign.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A server in a JVM of its own, with this JVM's options and class path; it has said where it listens. */
final class Child implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private final String url;

    private Child(Process process, BufferedReader output, String url) {
        this.process = process;
        this.output = output;
        this.url = url;
    }

    /** Starts a program that prints {@code ready URL} once it listens. */
    static Child start(Class<?> main, Map<String, String> env, Path stderr, List<String> args) throws IOException {
        Process process = builder(main, args, env)
                .redirectError(ProcessBuilder.Redirect.appendTo(stderr.toFile()))
                .start();
        var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith("ready ")) {
                return new Child(process, output, line.split(" ", -1)[1]);
            }
        }
        process.destroyForcibly().onExit().join();
        throw new IOException(
                main.getSimpleName() + " did not start; it said:\n" + java.nio.file.Files.readString(stderr));
    }

    /** How to start a program with this JVM's options and class path. */
    static ProcessBuilder builder(Class<?> main, List<String> args, Map<String, String> env) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(args);
        var builder = new ProcessBuilder(command);
        builder.environment().putAll(env);
        return builder;
    }

    String url() {
        return url;
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    /** Kills the JVM as {@code kill -9} does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Asks the JVM to stop, and waits until it has. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(90, TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
        }
        output.close();
    }
}
