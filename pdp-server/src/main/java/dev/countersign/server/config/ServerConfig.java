package dev.countersign.server.config;

import dev.countersign.server.decision.DecisionLoop.Durability;
import dev.countersign.server.egress.EgressRules;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Everything an operator can set, from the command line and the environment.
 *
 * @param host the address to listen on
 * @param port the port to listen on; 0 for any
 * @param data the data directory: embedded PostgreSQL, demo keys, and the log unless it has a place of its own
 * @param logDir where the decision log's segments are
 * @param packs folders of packs that are active for every tenant
 * @param databaseUrl the PostgreSQL to use instead of the embedded one, or {@code null}
 * @param publicUrl the https base URL by which clients reach this server, or {@code null}
 * @param tls the certificate with which the server speaks HTTPS and nothing else, or {@code null} for plain HTTP
 * @param durability when an answer may leave
 * @param maxStaleness how long the keys and policies may go unconfirmed
 * @param checkpoints how long after a checkpoint the next is made, if there is something new
 * @param tools the file of the tools that the server runs itself, or {@code null}
 * @param egress where the server may call others
 * @param secretsKey what encrypts secrets in the database, or {@code null}
 * @param env the environment without {@code COUNTERSIGN_SECRETS_KEY}, from which packs take their outermost defaults
 */
public record ServerConfig(
        String host,
        int port,
        Path data,
        Path logDir,
        List<Path> packs,
        @Nullable String databaseUrl,
        @Nullable URI publicUrl,
        @Nullable TlsFiles tls,
        Durability durability,
        Duration maxStaleness,
        Duration checkpoints,
        @Nullable Path tools,
        EgressRules egress,
        @Nullable SecretKey secretsKey,
        Map<String, String> env) {
    /** An environment variable that the server itself reads. */
    public enum Variable {
        /** The PostgreSQL to use: {@code postgres://user:password@host:port/database}. Without it, an embedded one. */
        DATABASE_URL("DATABASE_URL"),
        /** The https URL by which clients reach the server; needed on any address but loopback. */
        PUBLIC_URL("PUBLIC_URL"),
        /** A PEM file with the server's certificate and its chain: with it, the server speaks HTTPS only. */
        TLS_CERT("TLS_CERT"),
        /** A PEM file with the certificate's private key, not encrypted. */
        TLS_KEY("TLS_KEY"),
        /** {@code process} (the default) or {@code disk}: when an answer may leave. */
        DURABILITY("COUNTERSIGN_DURABILITY"),
        /** The address to listen on; loopback by default. */
        HOST("COUNTERSIGN_HOST"),
        /** Seconds for which the keys and policies may go unconfirmed; 600 by default. */
        MAX_STALENESS("COUNTERSIGN_MAX_STALENESS"),
        /** Seconds from a checkpoint of the audit trail to the next; 300 by default. */
        CHECKPOINT_INTERVAL("COUNTERSIGN_CHECKPOINT_INTERVAL"),
        /** The file of the tools that the server runs itself; without it, it runs none. */
        TOOLS("COUNTERSIGN_TOOLS"),
        /** Hosts that the server may call, separated by commas; without it, it calls none. */
        EGRESS("COUNTERSIGN_EGRESS"),
        /**
         * 32 random bytes in base64: encrypts the keys that sign and the secrets of webhooks in the database. Without it, an
         * embedded database has a key in a file of its own, and those in a database of yours stay in clear.
         */
        SECRETS_KEY("COUNTERSIGN_SECRETS_KEY"),
        /** Options for the Java virtual machine; read by the launcher. */
        JAVA_OPTS("COUNTERSIGN_JAVA_OPTS"),
        /** The key that {@code countersign keys} calls a server with; the server does not read it. */
        KEY("COUNTERSIGN_KEY");

        private final String key;

        Variable(String key) {
            this.key = key;
        }

        /** Its name in the environment. */
        public String key() {
            return key;
        }
    }

    /** Keys and settings are confirmed every second, so that fewer seconds would refuse callers of a healthy server. */
    private static final long MIN_STALENESS = 3;

    private static final int SECRETS_KEY_BYTES = 32;

    /**
     * The configuration that a command line and an environment make.
     *
     * @throws IllegalArgumentException if something is unknown or does not fit; the message says what to do
     */
    public static ServerConfig of(
            int port, Path data, @Nullable Path logDir, List<Path> packs, Map<String, String> env) {
        refuseUnknown(env);
        String host = env.getOrDefault(Variable.HOST.key(), "127.0.0.1");
        var config = new ServerConfig(
                host,
                port,
                data,
                logDir == null ? data.resolve("log") : logDir,
                List.copyOf(packs),
                env.get(Variable.DATABASE_URL.key()),
                publicUrl(env.get(Variable.PUBLIC_URL.key())),
                tls(env.get(Variable.TLS_CERT.key()), env.get(Variable.TLS_KEY.key())),
                durability(env.getOrDefault(Variable.DURABILITY.key(), "process")),
                seconds(env, Variable.MAX_STALENESS, "600", MIN_STALENESS),
                seconds(env, Variable.CHECKPOINT_INTERVAL, "300", 1),
                env.containsKey(Variable.TOOLS.key()) ? Path.of(env.get(Variable.TOOLS.key())) : null,
                egress(env.getOrDefault(Variable.EGRESS.key(), "")),
                secretsKey(env.get(Variable.SECRETS_KEY.key())),
                env.entrySet().stream()
                        .filter(each -> !each.getKey().equals(Variable.SECRETS_KEY.key()))
                        .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)));
        if (!config.loopback() && config.publicUrl() == null) {
            throw new IllegalArgumentException("listening on " + host + " needs " + Variable.PUBLIC_URL.key()
                    + ", the https URL by which clients reach the server");
        }
        return config;
    }

    /** The URL of the server at {@code port}, as this machine sees it; an IPv6 address stands in brackets. */
    public String localUrl(int port) {
        return (tls == null ? "http://" : "https://") + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /** Where a database of the server's own has the key of its secrets; {@code null} for a database of the operator's. */
    public @Nullable Path secretsFile() {
        return databaseUrl == null ? data.resolve("secrets.key") : null;
    }

    /** Whether only this machine can reach the server. */
    public boolean loopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(Variable.HOST.key() + " names no address: " + host, e);
        }
    }

    private static void refuseUnknown(Map<String, String> env) {
        var known = Arrays.stream(Variable.values()).map(Variable::key).toList();
        var unknown = new TreeSet<String>();
        env.keySet().stream()
                .filter(name -> name.startsWith("COUNTERSIGN_") && !known.contains(name))
                .forEach(unknown::add);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "unknown environment variables: " + String.join(", ", unknown) + "; known: " + known);
        }
    }

    private static @Nullable URI publicUrl(@Nullable String text) {
        if (text == null) {
            return null;
        }
        try {
            var url = new URI(text);
            boolean plain = url.getRawQuery() == null && url.getRawFragment() == null && url.getHost() != null;
            if (!"https".equals(url.getScheme()) || !plain || text.endsWith("/")) {
                throw new IllegalArgumentException(
                        Variable.PUBLIC_URL.key() + " must be an https URL without query, fragment or final slash");
            }
            return url;
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(Variable.PUBLIC_URL.key() + " is not a URL: " + e.getMessage(), e);
        }
    }

    private static @Nullable TlsFiles tls(@Nullable String certificate, @Nullable String key) {
        if (certificate == null && key == null) {
            return null;
        }
        if (certificate == null || certificate.isBlank() || key == null || key.isBlank()) {
            throw new IllegalArgumentException(Variable.TLS_CERT.key() + " and " + Variable.TLS_KEY.key()
                    + " name the two PEM files of one certificate: set both, or neither for plain HTTP");
        }
        return new TlsFiles(Path.of(certificate), Path.of(key));
    }

    private static EgressRules egress(String text) {
        return EgressRules.parse(Arrays.stream(text.split(",", -1))
                .map(String::trim)
                .filter(part -> !part.isEmpty())
                .toList());
    }

    private static @Nullable SecretKey secretsKey(@Nullable String text) {
        if (text == null) {
            return null;
        }
        byte[] key;
        try {
            key = Base64.getDecoder().decode(text.strip());
        } catch (IllegalArgumentException e) {
            // Its message may quote the key.
            key = new byte[0];
        }
        if (key.length != SECRETS_KEY_BYTES) {
            throw new IllegalArgumentException(Variable.SECRETS_KEY.key() + " is not " + SECRETS_KEY_BYTES
                    + " bytes in base64; `openssl rand -base64 32` makes one");
        }
        return new SecretKeySpec(key, "AES");
    }

    private static Durability durability(String text) {
        for (Durability durability : Durability.values()) {
            if (durability.name().toLowerCase(Locale.ROOT).equals(text)) {
                return durability;
            }
        }
        throw new IllegalArgumentException(Variable.DURABILITY.key() + " is process or disk, not `" + text + "`");
    }

    private static Duration seconds(Map<String, String> env, Variable variable, String usual, long least) {
        String text = env.getOrDefault(variable.key(), usual);
        try {
            long seconds = Long.parseLong(text);
            if (seconds >= least) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException e) {
            // the message below says it
        }
        throw new IllegalArgumentException(
                variable.key() + " is a number of seconds from " + least + ", not `" + text + "`");
    }
}
