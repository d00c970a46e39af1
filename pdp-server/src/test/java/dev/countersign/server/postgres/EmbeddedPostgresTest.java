package dev.countersign.server.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbeddedPostgresTest {

    private static final SecureRandom RANDOM = new SecureRandom();

    /** A stopped data directory that tests copy, as creating one takes seconds. */
    private static Path created;

    private Path data;

    @BeforeAll
    static void createOnce() throws IOException {
        created = reachable(Files.createTempDirectory("countersign-created-"));
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(created, RANDOM)) {
            Sql.execute(postgres.address(), "CREATE TABLE kept (n int)");
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
    }

    @AfterAll
    static void deleteCreated() throws IOException {
        Directories.delete(created);
    }

    @BeforeEach
    void copyCreated() throws IOException {
        data = reachable(Files.createTempDirectory("countersign-data-"));
        Copies.tree(created, data);
    }

    @AfterEach
    void delete() throws IOException {
        Directories.delete(data);
    }

    @Test
    void keepsDataAndPasswordFromOneRunToTheNext() throws SQLException {
        String password;
        try (EmbeddedPostgres first = EmbeddedPostgres.start(data, RANDOM)) {
            password = first.address().password();
            Sql.execute(first.address(), "INSERT INTO kept VALUES (1), (2)");
        }
        try (EmbeddedPostgres second = EmbeddedPostgres.start(data, RANDOM)) {
            assertThat(second.address().password()).isEqualTo(password).hasSize(43);
            assertThat(Sql.query(second.address(), "SELECT count(*) FROM kept")).isEqualTo("2");
            assertThat(Sql.query(second.address(), "SHOW server_version")).startsWith("18.");
        }
    }

    @Test
    void isDurableAndListensOnTheLoopbackAddressOnly() throws SQLException {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM)) {
            assertThat(Sql.query(
                            postgres.address(),
                            "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN"
                                    + " ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums',"
                                    + " 'listen_addresses', 'unix_socket_directories')"))
                    .isEqualTo("data_checksums=on fsync=on full_page_writes=on listen_addresses=127.0.0.1"
                            + " synchronous_commit=on unix_socket_directories=");
        }
    }

    @Test
    void keepsItsPasswordWhereOnlyTheServerReadsIt() throws IOException {
        Path password = data.resolve("postgres/password");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(password)))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.walk(data.resolve("postgres"))) {
            String secret = Files.readString(password).strip();
            assertThat(files.filter(Files::isRegularFile)
                            .filter(file -> file.getFileName().toString().matches("initdb.*|.*\\.(log|conf|opts)")))
                    .isNotEmpty()
                    .allSatisfy(file -> assertThat(file).content().doesNotContain(secret));
        }
    }

    @Test
    void runsInASessionOfItsOwnAndKnowsNothingOfTheServersEnvironment() throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM)) {
            assertThat(postgres.processes()).isNotEmpty();
            String pid = Files.readAllLines(data.resolve("postgres/data/postmaster.pid"))
                    .get(0);
            String state = Files.readString(Path.of("/proc", pid, "stat"));
            String session = state.substring(state.lastIndexOf(')') + 2).split(" ")[3];
            String[] environment =
                    Files.readString(Path.of("/proc", pid, "environ")).split("\0");

            assertThat(session).isEqualTo(pid);
            assertThat(environment).hasSize(2).allMatch(entry -> entry.matches("(PATH|LC_ALL)=.*"));
        }
    }

    @Test
    void severalServersMayMigrateAnEmptyDatabaseAtOnce() {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM)) {
            PostgresAddress empty = postgres.address().withDatabase("postgres");

            List<CompletableFuture<PostgresAddress>> servers = Stream.generate(() -> CompletableFuture.supplyAsync(
                            () -> Migrations.migrate(empty), task -> new Thread(task).start()))
                    .limit(4)
                    .toList();

            assertThat(servers)
                    .extracting(CompletableFuture::join)
                    .hasSize(4)
                    .allSatisfy(application -> assertThat(Sql.query(application, "SELECT count(*) FROM tenants"))
                            .isEqualTo("0"))
                    .allSatisfy(application -> assertThat(application.user()).isEqualTo("countersign_app"));
        }
    }

    @Test
    void refusesAWrongPassword() {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM)) {
            PostgresAddress wrong = postgres.address().withLogin(Cluster.SUPERUSER, "wrong");

            assertThatThrownBy(() -> Sql.query(wrong, "SELECT 1"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void leavesNothingRunningWhenClosedAndMayBeClosedTwice() {
        EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM);
        assertThat(postgres.processes()).isNotEmpty();

        postgres.close();
        postgres.close();

        assertThat(postgres.processes()).isEmpty();
    }

    @Test
    void refusesASecondServerInThisProcessAndInAnother() throws Exception {
        try (EmbeddedPostgres first = EmbeddedPostgres.start(data, RANDOM)) {
            assertThatThrownBy(() -> EmbeddedPostgres.start(data, RANDOM))
                    .isInstanceOf(PostgresException.class)
                    .hasMessageContaining("another Countersign server (in this process) uses the data directory")
                    .hasMessageContaining("set DATABASE_URL");

            try (ServerProcess second = ServerProcess.start(data)) {
                assertThat(second.answer())
                        .contains("refused another Countersign server (with process id "
                                + ProcessHandle.current().pid() + ")");
            }
            assertThat(Sql.query(first.address(), "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void leavesNoPostgresBehindWhenTheServerIsKilled() throws Exception {
        ServerProcess server = ServerProcess.start(data);
        PostgresAddress address = server.address(data);
        Sql.execute(address, "INSERT INTO kept VALUES (1)");
        List<ProcessHandle> processes = processesOn(data);
        assertThat(processes).isNotEmpty();

        server.kill();

        awaitEnd(processes);
        assertThat(processesOn(data)).isEmpty();
        try (EmbeddedPostgres next = EmbeddedPostgres.start(data, RANDOM)) {
            assertThat(Sql.query(next.address(), "SELECT count(*) FROM kept")).isEqualTo("1");
        }
    }

    @Test
    void startsAtOnceAfterTheServerBeforeWasKilled() throws Exception {
        for (int round = 1; round <= 3; round++) {
            ServerProcess server = ServerProcess.start(data);
            Sql.execute(server.address(data), "INSERT INTO kept VALUES (" + round + ")");

            server.kill();

            try (EmbeddedPostgres next = EmbeddedPostgres.start(data, RANDOM)) {
                assertThat(Sql.query(next.address(), "SELECT count(*) FROM kept"))
                        .isEqualTo(Integer.toString(round));
            }
        }
    }

    @Test
    void recoversWhenPostgresWasKilledToo() throws Exception {
        ServerProcess server = ServerProcess.start(data);
        Sql.execute(server.address(data), "INSERT INTO kept VALUES (1)");
        List<ProcessHandle> processes = processesOn(data);

        processes.forEach(ProcessHandle::destroyForcibly);
        server.kill();
        awaitEnd(processes);
        assertThat(data.resolve("postgres/data/postmaster.pid")).exists();

        try (EmbeddedPostgres next = EmbeddedPostgres.start(data, RANDOM)) {
            assertThat(Sql.query(next.address(), "SELECT count(*) FROM kept")).isEqualTo("1");
        }
    }

    @Test
    void startsThoughAnotherProgramHasTheProcessIdOfTheServerBefore() throws Exception {
        Process other = new ProcessBuilder("cat").start();
        try {
            Files.writeString(
                    data.resolve("postgres/data/postmaster.pid"),
                    other.pid() + "\n" + data.resolve("postgres/data") + "\n1\n5432\n\n127.0.0.1\n1 1\nready\n");

            EmbeddedPostgres.start(data, RANDOM).close();

            assertThat(other.isAlive()).isTrue();
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void unpacksAgainAfterAnInterruptedStart() throws Exception {
        Path home = data.resolve("postgres");
        Directories.delete(home);
        Files.createDirectories(home.resolve("bin-older"));
        Files.createDirectories(home.resolve("bin-newer.partial/bin"));
        Files.createDirectories(home.resolve("data.partial/base"));
        Files.writeString(home.resolve("initdb.password"), "left behind");

        EmbeddedPostgres.start(data, RANDOM).close();

        try (Stream<Path> names = Files.list(home)) {
            assertThat(names.map(path -> path.getFileName().toString().replaceFirst("bin-.*", "bin")))
                    .containsExactlyInAnyOrder("bin", "data", "password", "lock", "initdb.log", "postgres.log");
        }
    }

    @Test
    void saysWhatIsWrongWithADirectoryOfAnotherVersion() throws IOException {
        Files.writeString(data.resolve("postgres/data/PG_VERSION"), "15\n");

        assertThatThrownBy(() -> EmbeddedPostgres.start(data, RANDOM))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("was written by PostgreSQL 15 and the bundled one is 18");
    }

    @Test
    void saysThatThePasswordIsGone() throws IOException {
        Files.delete(data.resolve("postgres/password"));

        assertThatThrownBy(() -> EmbeddedPostgres.start(data, RANDOM))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("restore it from a backup");
    }

    @Test
    void showsTheEndOfTheLogWhenPostgresDoesNotStart() throws IOException {
        Files.writeString(data.resolve("postgres/data/postgresql.conf"), "no_such_setting = 1\n");

        assertThatThrownBy(() -> EmbeddedPostgres.start(data, RANDOM))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("postgres.log")
                .hasMessageContaining("unrecognized configuration parameter \"no_such_setting\"");

        Files.writeString(data.resolve("postgres/data/postgresql.conf"), "");
        EmbeddedPostgres.start(data, RANDOM).close();
    }

    static List<RunAs> identities() throws IOException {
        RunAs detected = RunAs.detect();
        // The server may be root in one run and find namespaces forbidden in the next, and the other way round.
        return RunAs.isRoot() ? List.of(detected, RunAs.NOBODY, detected) : List.of(detected);
    }

    @Test
    void worksUnderEveryIdentityThatPostgresMayHave() throws Exception {
        int rows = 0;
        for (RunAs identity : identities()) {
            try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM, identity)) {
                Sql.execute(postgres.address(), "INSERT INTO kept VALUES (1)");
                assertThat(Sql.query(postgres.address(), "SELECT count(*) FROM kept"))
                        .isEqualTo(Integer.toString(++rows));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("identities")
    void createsADatabaseUnderThatIdentity(RunAs identity) throws Exception {
        Directories.delete(data.resolve("postgres/data"));

        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(data, RANDOM, identity)) {
            assertThat(Sql.query(postgres.address(), "SELECT current_database()"))
                    .isEqualTo("countersign");
        }
    }

    @Test
    void worksForAnOrdinaryUser() throws Exception {
        boolean root = RunAs.isRoot();
        Path classes = reachable(Files.createTempDirectory("countersign-classes-"));
        Path home = reachable(Files.createTempDirectory("countersign-user-"));
        try {
            Path own = Files.createDirectory(home.resolve("data"));
            String classPath = root ? Copies.classPath(classes) : System.getProperty("java.class.path");
            List<String> asNobody = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
            if (root) {
                Directories.giveTo(65534, own);
            }
            try (ServerProcess server = ServerProcess.start(own, classPath, root ? asNobody : List.of())) {
                PostgresAddress address = server.address(own);
                assertThat(Sql.query(address, "SELECT 1")).isEqualTo("1");
            }
            assertThat(processesOn(own)).isEmpty();
        } finally {
            Directories.delete(classes);
            Directories.delete(home);
        }
    }

    private static List<ProcessHandle> processesOn(Path data) throws IOException {
        Path home = data.toRealPath().resolve("postgres");
        return new Cluster(home, new Binaries(home), RunAs.detect()).processes();
    }

    private static void awaitEnd(List<ProcessHandle> processes) throws Exception {
        CompletableFuture.allOf(processes.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new))
                .get(60, TimeUnit.SECONDS);
    }

    private static Path reachable(Path directory) throws IOException {
        return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"))
                .toRealPath();
    }
}
