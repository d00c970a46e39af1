package dev.countersign.server.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.vertx.pgclient.SslMode;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL database is and as whom to log in.
 *
 * @param host a name or an address; an IPv6 address has no brackets
 * @param port 1 to 65535
 * @param database the database's name
 * @param user the role to log in as
 * @param password the role's password, empty when the server asks for none; {@link #toString} hides it
 * @param sslMode whether the connection is encrypted and the server's certificate checked
 */
public record PostgresAddress(String host, int port, String database, String user, String password, SslMode sslMode) {

    private static final Pattern URL = Pattern.compile("postgres(?:ql)?://"
            + "(?<user>[^:@/?#]+)(?::(?<password>[^:@/?#]*))?@"
            + "(?:\\[(?<ipv6>[0-9a-fA-F:.]+)]|(?<host>[^:@/?#\\[\\],]+))(?::(?<port>[0-9]{1,5}))?"
            + "/(?<database>[^/?#]+)(?:\\?(?<query>[^#]*))?");

    /** Checks the port and that host, database and user are there. */
    public PostgresAddress {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("the port must be 1 to 65535");
        }
        if (host.isEmpty() || database.isEmpty() || user.isEmpty()) {
            throw new IllegalArgumentException("host, database and user must not be empty");
        }
    }

    /**
     * Reads {@code postgres://user:password@host:port/database?sslmode=...} or the same with {@code postgresql://}.
     *
     * <p>User, password and database are percent-decoded; the port is 5432 and {@code sslmode} is {@code prefer} when
     * absent. Every other parameter is refused rather than ignored.
     *
     * @throws IllegalArgumentException when it is none of those; the message repeats nothing of the input, which may
     *     hold a password
     */
    public static PostgresAddress parse(String databaseUrl) {
        Matcher url = URL.matcher(databaseUrl);
        if (!url.matches()) {
            throw new IllegalArgumentException("DATABASE_URL must look like"
                    + " postgres://user:password@host:5432/database?sslmode=require, with reserved characters"
                    + " (such as @ : / ? # %) in user, password and database percent-encoded");
        }
        String host = url.group("ipv6") == null ? url.group("host") : url.group("ipv6");
        int port = url.group("port") == null ? 5432 : Integer.parseInt(url.group("port"));
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("the port in DATABASE_URL must be 1 to 65535");
        }
        return new PostgresAddress(
                host,
                port,
                decode(url.group("database")),
                decode(url.group("user")),
                url.group("password") == null ? "" : decode(url.group("password")),
                sslMode(url.group("query")));
    }

    private static SslMode sslMode(@Nullable String query) {
        if (query == null || query.isEmpty()) {
            return SslMode.PREFER;
        }
        for (SslMode mode : SslMode.VALUES) {
            if (query.equals("sslmode=" + mode.value)) {
                return mode;
            }
        }
        throw new IllegalArgumentException("the only parameter that DATABASE_URL may have is sslmode, one of disable,"
                + " allow, prefer, require, verify-ca and verify-full");
    }

    private static String decode(String encoded) {
        try {
            return URLDecoder.decode(encoded.replace("+", "%2B"), UTF_8);
        } catch (IllegalArgumentException malformed) {
            // The cause would repeat a part of the input, which may be the password.
            throw new IllegalArgumentException(
                    "DATABASE_URL holds a % that two hexadecimal digits do not follow; write %25 for a % itself");
        }
    }

    /** The JDBC URL, without user and password. */
    public String jdbcUrl() {
        return "jdbc:postgresql://" + authority() + "/"
                + URLEncoder.encode(database, UTF_8).replace("+", "%20") + "?sslmode=" + sslMode.value;
    }

    /** What the JDBC driver wants beside {@link #jdbcUrl}: user and password, and at most 10 s to log in. */
    public Properties jdbcProperties() {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("loginTimeout", "10");
        properties.setProperty("ApplicationName", "countersign");
        return properties;
    }

    /** The same server and role, another database. */
    public PostgresAddress withDatabase(String other) {
        return new PostgresAddress(host, port, other, user, password, sslMode);
    }

    /** The same database, another role. */
    public PostgresAddress withLogin(String otherUser, String otherPassword) {
        return new PostgresAddress(host, port, database, otherUser, otherPassword, sslMode);
    }

    private String authority() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }

    /** The address without the password, fit for a log. */
    @Override
    public String toString() {
        return user + "@" + authority() + "/" + database + " (sslmode " + sslMode.value + ")";
    }
}
