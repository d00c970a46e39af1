package dev.countersign.server.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a migrated, otherwise empty database of their own as a parameter of type {@link PostgresAddress}.
 *
 * <p>Asked for in a {@code @BeforeAll} method or a constructor, it is one database for the class, and every later
 * parameter in that class means the same one; asked for only in {@code @BeforeEach} and test methods, it is a new one for
 * each test. The address logs in as the role that the server works as; {@link AsOwner} asks for the tables' owner.
 *
 * <p>One embedded server serves all tests of a JVM and is deleted at the end. Docker is not used even where it answers:
 * the server that tests meet is then the same everywhere, and it is the one that the product ships.
 */
public final class PostgresExtension implements ParameterResolver {

    private static final Namespace NAMESPACE = Namespace.create(PostgresExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == PostgresAddress.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Server server = context.getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(Server.class, key -> Server.start(), Server.class);
        Database database = context.getStore(NAMESPACE)
                .computeIfAbsent(Database.class, key -> server.createDatabase(), Database.class);
        PostgresAddress login = parameter.isAnnotated(AsOwner.class) ? server.owner : server.application;
        return login.withDatabase(database.name);
    }

    private record Server(
            Path directory,
            EmbeddedPostgres postgres,
            PostgresAddress owner,
            PostgresAddress application,
            AtomicInteger databases)
            implements AutoCloseable {

        private static final String TEMPLATE = "migrated";

        static Server start() {
            try {
                Path directory = Files.createTempDirectory("countersign-postgres-");
                // PostgreSQL may run as nobody where the tests run as root.
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
                EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, new SecureRandom());
                PostgresAddress owner = postgres.address();
                execute(owner, "CREATE DATABASE " + TEMPLATE);
                PostgresAddress application = Migrations.migrate(owner.withDatabase(TEMPLATE));
                return new Server(directory, postgres, owner, application, new AtomicInteger());
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }

        Database createDatabase() {
            String name = "test_" + databases.incrementAndGet();
            execute(owner, "CREATE DATABASE " + name + " TEMPLATE " + TEMPLATE);
            return new Database(owner, name);
        }

        @Override
        public void close() throws IOException {
            postgres.close();
            Directories.delete(directory);
        }
    }

    private record Database(PostgresAddress owner, String name) implements AutoCloseable {
        @Override
        public void close() {
            execute(owner, "DROP DATABASE " + name + " WITH (FORCE)");
        }
    }

    private static void execute(PostgresAddress address, String sql) {
        try (Connection connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(sql + ": " + failed.getMessage(), failed);
        }
    }
}
