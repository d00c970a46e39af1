package dev.countersign.server.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** PostgreSQL's data directory, its superuser's password and the processes that work on it. */
final class Cluster {

    static final String SUPERUSER = "countersign";

    private static final String MAJOR = "18";
    private static final long SECONDS_TO_STOP = 60;

    private final Path home;
    private final Path data;
    private final Binaries binaries;
    private final RunAs runAs;

    /** A cluster in {@code home/data}; {@code home} is a real path whose lock the caller holds. */
    Cluster(Path home, Binaries binaries, RunAs runAs) {
        this.home = home;
        this.data = home.resolve("data");
        this.binaries = binaries;
        this.runAs = runAs;
    }

    Path data() {
        return data;
    }

    /** Makes the data directory ready to be served, creating it if need be, and returns the superuser's password. */
    String prepare(SecureRandom random) throws IOException {
        Files.deleteIfExists(initialPassword());
        String password;
        if (Files.exists(data)) {
            checkVersion();
            stopEarlierRun();
            password = readPassword();
        } else {
            password = createPassword(random);
            initialize(password);
        }
        runAs.own(data);
        return password;
    }

    private void checkVersion() throws IOException {
        Path file = data.resolve("PG_VERSION");
        String version = Files.exists(file) ? Files.readString(file).strip() : "unknown";
        if (!version.equals(MAJOR)) {
            throw new PostgresException(data + " was written by PostgreSQL " + version + " and the bundled one is "
                    + MAJOR + ": dump it with a PostgreSQL " + version
                    + ", or move it away to start with an empty database");
        }
    }

    private void initialize(String password) throws IOException {
        Path partial = home.resolve("data.partial");
        Directories.delete(partial);
        Directories.create(partial, "rwx------");
        runAs.own(partial);
        Path log = home.resolve("initdb.log");
        Path passwordFile = initialPassword();
        writeSecret(passwordFile, password);
        try {
            runAs.own(passwordFile);
            Process initdb = Programs.spawn(new ProcessBuilder(runAs.command(
                            binaries.program("initdb"),
                            "--pgdata=" + partial,
                            "--username=" + SUPERUSER,
                            "--pwfile=" + passwordFile,
                            "--auth=scram-sha-256",
                            "--encoding=UTF8",
                            "--locale=C",
                            "--locale-provider=builtin",
                            "--builtin-locale=C.UTF-8",
                            "--no-instructions",
                            "--set=shared_buffers=64MB",
                            "--set=timezone=UTC",
                            "--set=log_timezone=UTC"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile()));
            if (Programs.await(initdb) != 0) {
                throw failure("cannot create a database in " + data, log);
            }
        } finally {
            Files.deleteIfExists(passwordFile);
        }
        Files.move(partial, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private Path initialPassword() {
        return home.resolve("initdb.password");
    }

    private String createPassword(SecureRandom random) throws IOException {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        String password = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        writeSecret(home.resolve("password"), password);
        return password;
    }

    private String readPassword() throws IOException {
        try {
            return Files.readString(home.resolve("password")).strip();
        } catch (NoSuchFileException missing) {
            throw new PostgresException("the file " + home.resolve("password") + " is gone, and with it the password of"
                    + " the database in " + data + ": restore it from a backup");
        }
    }

    private static void writeSecret(Path file, String secret) throws IOException {
        Directories.createPrivateFile(file);
        Files.write(file, (secret + "\n").getBytes(UTF_8), StandardOpenOption.SYNC);
    }

    /**
     * Waits for the PostgreSQL of a killed server to be gone, and removes the pid file that it may have left.
     * PostgreSQL itself refuses to start when that process id belongs to something else by now, which is common
     * after the restart of a container.
     */
    private void stopEarlierRun() throws IOException {
        List<ProcessHandle> earlier = processes();
        for (ProcessHandle process : earlier) {
            if (firstLine().equals(Long.toString(process.pid()))) {
                signal("INT", process.pid());
            }
        }
        try {
            CompletableFuture.allOf(earlier.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new))
                    .get(SECONDS_TO_STOP, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException alive) {
            throw new PostgresException(
                    "PostgreSQL of an earlier run still uses " + data + "; stop the processes "
                            + earlier.stream()
                                    .filter(ProcessHandle::isAlive)
                                    .map(ProcessHandle::pid)
                                    .toList(),
                    alive);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PostgresException("interrupted while an earlier PostgreSQL was stopping", interrupted);
        }
        Files.deleteIfExists(pidFile());
    }

    /** PostgreSQL's processes on this data directory, whoever started them. */
    List<ProcessHandle> processes() {
        return ProcessHandle.allProcesses().filter(this::worksHere).toList();
    }

    private boolean worksHere(ProcessHandle process) {
        Path proc = Path.of("/proc", Long.toString(process.pid()));
        try {
            if (!Files.readString(proc.resolve("comm")).strip().equals("postgres")) {
                return false;
            }
            if (List.of(Files.readString(proc.resolve("cmdline")).split("\0")).contains(data.toString())) {
                return true;
            }
            return Files.readSymbolicLink(proc.resolve("cwd")).equals(data);
        } catch (IOException goneOrForeign) {
            return false;
        }
    }

    /** The command that serves this cluster; what durability and reach depend on cannot be set otherwise in files. */
    ProcessBuilder server(int port, Path log) {
        List<String> command = new ArrayList<>(List.of(binaries.program("postgres"), "-D", data.toString()));
        Stream.of(
                        "listen_addresses=127.0.0.1",
                        "port=" + port,
                        "unix_socket_directories=",
                        "fsync=on",
                        "full_page_writes=on",
                        "synchronous_commit=on",
                        "password_encryption=scram-sha-256",
                        // Statements and the details of errors hold what users sent.
                        "log_min_error_statement=panic",
                        "log_error_verbosity=terse",
                        "log_checkpoints=off")
                .forEach(setting -> command.addAll(List.of("-c", setting)));
        return new ProcessBuilder(runAs.command(command.toArray(String[]::new)))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
    }

    /** Whether that process says in its pid file that it takes connections. */
    boolean ready(Process server) {
        List<String> lines = pidLines();
        return lines.size() >= 8
                && lines.get(0).equals(Long.toString(server.pid()))
                && lines.get(7).strip().equals("ready");
    }

    private String firstLine() {
        List<String> lines = pidLines();
        return lines.isEmpty() ? "" : lines.get(0);
    }

    private List<String> pidLines() {
        try {
            return Files.readAllLines(pidFile());
        } catch (IOException absent) {
            return List.of();
        }
    }

    private Path pidFile() {
        return data.resolve("postmaster.pid");
    }

    /** Sends a signal by the identity that PostgreSQL runs under: INT is a fast shutdown, QUIT an immediate one. */
    void signal(String name, long pid) throws IOException {
        Process kill = Programs.spawn(
                new ProcessBuilder(runAs.command(binaries.program("pg_ctl"), "kill", name, Long.toString(pid)))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD));
        // Its exit code says nothing that the wait for the process does not: it fails when the process is gone.
        Programs.await(kill);
    }

    /** A failure whose message ends with the last lines of a log. */
    PostgresException failure(String what, Path log) throws IOException {
        List<String> lines = Files.exists(log) ? List.of(Files.readString(log).split("\n")) : List.of();
        String tail = String.join("\n  ", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        String hint = tail.contains("ermission denied") && runAs != RunAs.SELF
                ? "\nThe server is root, which PostgreSQL refuses to be: it runs " + runAs.description()
                        + " and must be able to reach " + home + ". Choose another data directory, run the server as an"
                        + " ordinary user, or set DATABASE_URL."
                : "";
        return new PostgresException(what + ". The end of " + log + ":\n  " + tail + hint);
    }
}
