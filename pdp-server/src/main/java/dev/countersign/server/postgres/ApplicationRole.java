package dev.countersign.server.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The role that the server works as: {@code countersign_app}, or the owner itself where there can be no other.
 *
 * @param owner the role that migrates
 * @param application the role that works, on the same database
 */
record ApplicationRole(PostgresAddress owner, PostgresAddress application) {

    static final String NAME = "countersign_app";

    private static final Logger LOG = LoggerFactory.getLogger(ApplicationRole.class);

    /** Sees to it that the role is there and can log in; falls back to the owner, with a warning. */
    static ApplicationRole ensure(PostgresAddress owner) {
        if (owner.password().isEmpty()) {
            return fallback(owner, "it has no password to derive one for " + NAME + " from: give it one");
        }
        PostgresAddress application = owner.withLogin(NAME, derivedPassword(owner.password()));
        try (Connection connection = connect(owner)) {
            if (!canLogIn(application)) {
                createOrReset(connection, application);
            }
        } catch (SQLException failed) {
            throw new PostgresException(
                    "cannot reach PostgreSQL at " + owner + ": " + failed.getMessage()
                            + "; check the address, user and password, and that the server runs",
                    failed);
        }
        return canLogIn(application)
                ? new ApplicationRole(owner, application)
                : fallback(owner, "it could not give " + NAME + " a login: give it CREATEROLE");
    }

    private static ApplicationRole fallback(PostgresAddress owner, String why) {
        LOG.warn(
                "The server works as the database role {}, which owns the tables and so has more rights than it needs."
                        + " The reason and the remedy: {}",
                owner.user(),
                why);
        return new ApplicationRole(owner, owner);
    }

    private static void createOrReset(Connection connection, PostgresAddress application) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            // Two servers that start together must not both create it.
            statement.execute("SELECT pg_advisory_xact_lock(hashtext('" + NAME + "'))");
            try (ResultSet exists = statement.executeQuery("SELECT FROM pg_roles WHERE rolname = '" + NAME + "'")) {
                if (!exists.next()) {
                    statement.execute("CREATE ROLE " + NAME + " LOGIN NOINHERIT");
                }
            }
            // The driver sends the SCRAM verifier, so that the password itself is in no log of the server.
            connection
                    .unwrap(PGConnection.class)
                    .alterUserPassword(NAME, application.password().toCharArray(), "scram-sha-256");
            connection.commit();
        } catch (SQLException refused) {
            connection.rollback();
            LOG.warn("Cannot create the database role {}: {}", NAME, refused.getMessage());
        }
    }

    /**
     * The address to work with after migrating: the role's, unless an earlier migration ran without it and so granted
     * it nothing.
     */
    PostgresAddress usable(String schema) {
        if (application.equals(owner)) {
            return owner;
        }
        try (Connection connection = connect(owner);
                PreparedStatement query = connection.prepareStatement("SELECT has_schema_privilege(?, ?, 'USAGE')")) {
            query.setString(1, NAME);
            query.setString(2, schema);
            try (ResultSet granted = query.executeQuery()) {
                granted.next();
                return granted.getBoolean(1)
                        ? application
                        : fallback(
                                        owner,
                                        "the tables were made before " + NAME
                                                + " and grant it nothing: start with a new database")
                                .application();
            }
        } catch (SQLException failed) {
            throw new PostgresException("cannot read the rights of " + NAME + ": " + failed.getMessage(), failed);
        }
    }

    /** The role's name as SQL has it. */
    String quotedName() {
        return '"' + application.user().replace("\"", "\"\"") + '"';
    }

    private static boolean canLogIn(PostgresAddress address) {
        try (Connection connection = connect(address)) {
            return connection.isValid(10);
        } catch (SQLException refused) {
            return false;
        }
    }

    private static Connection connect(PostgresAddress address) throws SQLException {
        return DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
    }

    /** 256 bits that only who knows the owner's password can compute, and every server that does computes alike. */
    private static String derivedPassword(String ownerPassword) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(ownerPassword.getBytes(UTF_8), "HmacSHA256"));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(mac.doFinal(NAME.getBytes(UTF_8)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every Java platform has HmacSHA256", impossible);
        }
    }
}
