package dev.countersign.server.postgres;

import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real PostgreSQL 18 that this process runs for itself, with all its data below one directory.
 *
 * <p>It is durable (fsync and synchronous commit on), listens on 127.0.0.1 only, on a port of its own choice, and wants
 * a password (SCRAM). The data stay when it stops. When the JVM dies, however it dies, PostgreSQL shuts down by itself;
 * the next start on the same directory waits for that and recovers. One directory serves one server at a time.
 *
 * <p>Needs Linux with glibc and util-linux, on x86-64 or arm64; arm64 is chosen by {@code os.arch} and has not been
 * tried. It works as an ordinary user and as root, where PostgreSQL runs without root's rights.
 *
 * <p>Below the data directory, {@code postgres/} holds the unpacked programs ({@code bin-*}), the database
 * ({@code data}), its password ({@code password}, mode 600) and the logs of this run and the one before.
 */
public final class EmbeddedPostgres implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);

    private static final String DATABASE = "countersign";
    private static final String NO_SUCH_DATABASE = "3D000";
    private static final long POLL_MILLIS = 10;
    private static final long SECONDS_TO_START = 60;
    private static final long SECONDS_TO_STOP = 60;
    private static final int PORTS_TO_TRY = 5;
    /** The line of postmaster.pid, from 0, that holds the port. */
    private static final int PID_FILE_PORT = 3;

    private final Cluster cluster;
    private final Process process;
    private final DirectoryLock lock;
    private final PostgresAddress address;
    private volatile boolean closing;

    private EmbeddedPostgres(Cluster cluster, Process process, DirectoryLock lock, PostgresAddress address) {
        this.cluster = cluster;
        this.process = process;
        this.lock = lock;
        this.address = address;
    }

    /**
     * Starts PostgreSQL on the data directory, which is created if it is not there, and returns when it takes
     * connections.
     *
     * @param random makes the password of a new database
     * @throws PostgresException when it does not run within 60 s; the message says why and what to do, with the last
     *     lines of PostgreSQL's log where it has written one
     */
    public static EmbeddedPostgres start(Path dataDirectory, SecureRandom random) {
        try {
            return start(dataDirectory, random, RunAs.detect());
        } catch (IOException failed) {
            throw new PostgresException(
                    "cannot run the bundled PostgreSQL in " + dataDirectory + ": " + failed, failed);
        }
    }

    static EmbeddedPostgres start(Path dataDirectory, SecureRandom random, RunAs runAs) throws IOException {
        Platform platform = Platform.current();
        Directories.create(dataDirectory, "rwxr-xr-x");
        Path home = dataDirectory.toRealPath().resolve("postgres");
        // Others may pass through, as PostgreSQL may be another user than the server, but not look around.
        Directories.create(home, "rwx--x--x");
        DirectoryLock lock = DirectoryLock.take(home);
        EmbeddedPostgres started = null;
        try {
            Cluster cluster = new Cluster(home, Binaries.unpack(platform, home), runAs);
            String password = cluster.prepare(random);
            started = serve(cluster, home, lock, password);
            started.ensureDatabase();
            started.reportUnexpectedEnd(home);
            EmbeddedPostgres result = started;
            started = null;
            lock = null;
            return result;
        } finally {
            if (started != null) {
                started.close();
            } else if (lock != null) {
                lock.close();
            }
        }
    }

    private static EmbeddedPostgres serve(Cluster cluster, Path home, DirectoryLock lock, String password)
            throws IOException {
        Path log = home.resolve("postgres.log");
        if (Files.exists(log)) {
            Files.move(log, home.resolve("postgres.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        for (int attempt = 1; ; attempt++) {
            int port = freePort();
            Directories.createPrivateFile(log);
            Process process = Programs.spawn(cluster.server(port, log));
            EmbeddedPostgres server = new EmbeddedPostgres(
                    cluster,
                    process,
                    lock,
                    new PostgresAddress("127.0.0.1", port, DATABASE, Cluster.SUPERUSER, password, SslMode.DISABLE));
            if (server.becomesReady()) {
                return server;
            }
            if (process.isAlive()) {
                server.stop();
                throw cluster.failure("PostgreSQL was not ready in " + SECONDS_TO_START + " s", log);
            }
            boolean portTaken = Files.readString(log).contains("could not create any TCP/IP sockets");
            if (!portTaken || attempt == PORTS_TO_TRY) {
                throw cluster.failure("PostgreSQL did not start (exit code " + process.exitValue() + ")", log);
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            return socket.getLocalPort();
        }
    }

    private boolean becomesReady() throws IOException {
        try {
            for (long waited = 0; waited < TimeUnit.SECONDS.toMillis(SECONDS_TO_START); waited += POLL_MILLIS) {
                if (cluster.ready(process)) {
                    return true;
                }
                if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    return false;
                }
            }
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            stop();
            throw new PostgresException("interrupted while PostgreSQL was starting", interrupted);
        }
    }

    private void ensureDatabase() {
        try {
            DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties())
                    .close();
            return;
        } catch (SQLException failed) {
            if (!NO_SUCH_DATABASE.equals(failed.getSQLState())) {
                throw new PostgresException("cannot log in to PostgreSQL at " + address + ": " + failed.getMessage()
                        + "; is " + cluster.data().resolveSibling("password") + " the password of this database?");
            }
        }
        PostgresAddress maintenance = address.withDatabase("postgres");
        try (Connection connection = DriverManager.getConnection(maintenance.jdbcUrl(), maintenance.jdbcProperties());
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + DATABASE);
        } catch (SQLException failed) {
            throw new PostgresException("cannot create the database " + DATABASE + ": " + failed.getMessage(), failed);
        }
    }

    private void reportUnexpectedEnd(Path home) {
        var unused = process.onExit().thenAccept(ended -> {
            if (!closing) {
                LOG.error(
                        "PostgreSQL ended by itself with exit code {}; see {} and restart this server",
                        ended.exitValue(),
                        home.resolve("postgres.log"));
            }
        });
    }

    /**
     * Where the PostgreSQL that another process runs on a data directory listens, as the owner of the database.
     *
     * @throws PostgresException when none runs there, or its files cannot be read by this user
     */
    public static PostgresAddress running(Path dataDirectory) {
        Path home = dataDirectory.resolve("postgres");
        try {
            List<String> pid = Files.readAllLines(home.resolve("data").resolve("postmaster.pid"));
            int port = Integer.parseInt(pid.get(PID_FILE_PORT).strip());
            String password = Files.readString(home.resolve("password")).strip();
            return new PostgresAddress("127.0.0.1", port, DATABASE, Cluster.SUPERUSER, password, SslMode.DISABLE);
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            throw new PostgresException("no PostgreSQL runs on " + dataDirectory
                    + " that this user may use: start the server first, or set DATABASE_URL");
        }
    }

    /** Where it listens, as the owner of the database; for migrations, not for serving requests. */
    public PostgresAddress address() {
        return address;
    }

    /** The processes of this PostgreSQL, at this moment. */
    List<ProcessHandle> processes() {
        return cluster.processes();
    }

    /**
     * Shuts PostgreSQL down, rolling back what is under way and ending connections, and returns when it has ended; does
     * nothing the second time. When that takes more than 60 s it is stopped at once and recovers at the next start.
     */
    @Override
    public synchronized void close() {
        if (closing) {
            return;
        }
        try (lock) {
            stop();
        } catch (IOException failed) {
            throw new PostgresException("cannot stop PostgreSQL (pid " + process.pid() + ")", failed);
        }
    }

    private void stop() throws IOException {
        closing = true;
        if (!process.isAlive()) {
            return;
        }
        cluster.signal("INT", process.pid());
        if (!Programs.exits(process, SECONDS_TO_STOP)) {
            LOG.warn(
                    "PostgreSQL did not shut down in {} s and is stopped at once; it recovers at the next start",
                    SECONDS_TO_STOP);
            cluster.signal("QUIT", process.pid());
            Programs.exits(process, SECONDS_TO_STOP);
        }
    }
}
