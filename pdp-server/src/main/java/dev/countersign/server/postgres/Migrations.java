package dev.countersign.server.postgres;

import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * The schema of the database, kept in {@code public} by the migrations in {@code db/migration}.
 *
 * <p>Migrations grant to {@code ${app_role}}, the role that the server works as, exactly what it needs.
 */
public final class Migrations {

    private static final String SCHEMA = "public";

    private Migrations() {}

    /**
     * Brings the schema up to date and returns the address that the server shall work with.
     *
     * <p>That is the same database as the role {@code countersign_app}, which is created here and whose password is
     * derived from the owner's, so that all servers on one database agree on it. Where the owner may not create roles,
     * has no password, or that role cannot log in, it is the owner's own address, and a warning is logged. Safe to call
     * from several servers at once; does nothing when the schema is up to date.
     *
     * @param owner owns the database, or may at least create tables in its schema {@code public}
     * @throws PostgresException when the database cannot be reached or a migration fails, in which case that migration
     *     has changed nothing
     */
    public static PostgresAddress migrate(PostgresAddress owner) {
        ApplicationRole role = ApplicationRole.ensure(owner);
        try {
            Flyway.configure(Migrations.class.getClassLoader())
                    .dataSource(owner.jdbcUrl(), owner.user(), owner.password())
                    .locations("classpath:db/migration")
                    .validateMigrationNaming(true)
                    .defaultSchema(SCHEMA)
                    .placeholders(Map.of("app_role", role.quotedName()))
                    .loggers("slf4j")
                    .load()
                    .migrate();
        } catch (FlywayException failed) {
            throw new PostgresException("cannot migrate the database " + owner + ": " + failed.getMessage(), failed);
        }
        return role.usable(SCHEMA);
    }
}
