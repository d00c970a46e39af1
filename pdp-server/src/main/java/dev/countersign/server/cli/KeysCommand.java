package dev.countersign.server.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.config.ServerConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

@Command(
        name = "keys",
        description =
                "Manage the API keys of a running server: those of the tenant whose key calls, or the operator's.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The calling key is COUNTERSIGN_KEY, else the one that --as names in keys.json of the data directory."
        })
final class KeysCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Option(
            names = "--server",
            defaultValue = "http://127.0.0.1:8080",
            scope = ScopeType.INHERIT,
            description = "The server (default: ${DEFAULT-VALUE}).")
    private URI server = URI.create("http://127.0.0.1:8080");

    @Option(
            names = "--cacert",
            scope = ScopeType.INHERIT,
            description = "A PEM file of certificates to trust for https instead of Java's own.")
    private @Nullable Path trusted;

    @Option(
            names = "--data",
            defaultValue = ".countersign",
            scope = ScopeType.INHERIT,
            description = "Where keys.json is (default: ${DEFAULT-VALUE}).")
    private Path data = Path.of(".countersign");

    @Option(
            names = "--as",
            scope = ScopeType.INHERIT,
            description = "The key in keys.json to call with: admin or operator (default: admin; for rotate-signing,"
                    + " operator).")
    private @Nullable String as;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        var line = Objects.requireNonNull(spec).commandLine();
        line.usage(line.getErr());
        return Exit.USAGE;
    }

    @Command(name = "list", description = "All keys, without their secrets.", mixinStandardHelpOptions = true)
    Integer list() throws IOException, InterruptedException {
        ArrayNode all = JSON.createArrayNode();
        String next = "";
        do {
            JsonNode page = ask("GET", "?limit=200&after=" + encoded(next), null);
            page.path("keys").forEach(all::add);
            next = page.path("next").asText();
        } while (!next.isEmpty());
        return print(all);
    }

    @Command(name = "create", description = "Make a key; its secret is shown once.", mixinStandardHelpOptions = true)
    Integer create(
            @Parameters(paramLabel = "NAME", description = "What the key is called.") String name,
            @Option(names = "--role", required = true, description = "What it may do; repeatable.") List<String> roles,
            @Option(names = "--person", description = "Whose it is; without, it is a service's.") @Nullable
                    String person,
            @Option(names = "--expires-at", description = "From when on it is not good, as in 2027-01-31T00:00:00Z.")
                    @Nullable
                    String expires)
            throws IOException, InterruptedException {
        ObjectNode body = JSON.createObjectNode().put("name", name);
        roles.forEach(body.putArray("roles")::add);
        if (person != null) {
            body.put("person", person);
        }
        if (expires != null) {
            body.put("expires_at", expires);
        }
        return print(ask("POST", "", body));
    }

    @Command(
            name = "rotate",
            description = "Make a key in the place of another; its secret is shown once.",
            mixinStandardHelpOptions = true)
    Integer rotate(
            @Parameters(paramLabel = "ID", description = "The visible prefix of the old key.") String id,
            @Option(
                            names = "--overlap",
                            defaultValue = "86400",
                            description = "Seconds for which the old one stays good (default: ${DEFAULT-VALUE}).")
                    long overlap)
            throws IOException, InterruptedException {
        return print(
                ask("POST", "/" + id(id) + "/rotate", JSON.createObjectNode().put("overlap_seconds", overlap)));
    }

    @Command(name = "revoke", description = "End a key, now and for ever.", mixinStandardHelpOptions = true)
    Integer revoke(@Parameters(paramLabel = "ID", description = "The visible prefix of the key.") String id)
            throws IOException, InterruptedException {
        return print(ask("DELETE", "/" + id(id), null));
    }

    @Command(
            name = "rotate-signing",
            description = "Have the servers sign with another key, at once; the operator's key calls.",
            mixinStandardHelpOptions = true)
    Integer rotateSigning(
            @Option(
                            names = "--revoke",
                            description = "Refuse all that the keys before have signed, as they have leaked; without,"
                                    + " it is good until it runs out.")
                    boolean revoke)
            throws IOException, InterruptedException {
        return print(ask(
                "operator",
                "POST",
                "/api/v1/signing-keys/rotate",
                JSON.createObjectNode().put("revoke", revoke)));
    }

    private JsonNode ask(String method, String path, @Nullable JsonNode body) throws IOException, InterruptedException {
        return ask("admin", method, "/api/v1/keys" + path, body);
    }

    private JsonNode ask(String byDefault, String method, String path, @Nullable JsonNode body)
            throws IOException, InterruptedException {
        if (!"https".equals(server.getScheme()) && !loopback()) {
            throw new IllegalArgumentException("a key goes over https, or to this machine: " + server);
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + secret(as == null ? byDefault : as))
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString()))
                .build();
        HttpClient client = client();
        HttpResponse<String> answer;
        try {
            answer = client.send(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (SSLException e) {
            throw new IOException(
                    "the server at " + server + " is not trusted: " + e.getMessage()
                            + "; --cacert names who vouches for it",
                    e);
        } catch (IOException e) {
            throw new IOException(
                    "no server answers at " + server
                            + "; start one, or name it with --server, https where it has TLS_CERT",
                    e);
        }
        JsonNode said = answer.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(answer.body());
        if (answer.statusCode() >= 300) {
            throw new IOException(
                    answer.statusCode() + ": " + said.path("detail").asText(answer.body()));
        }
        return said;
    }

    private HttpClient client() throws IOException {
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(PATIENCE);
        return (trusted == null ? client : client.sslContext(Trust.of(trusted))).build();
    }

    private boolean loopback() throws IOException {
        return server.getHost() != null
                && InetAddress.getByName(server.getHost()).isLoopbackAddress();
    }

    private String secret(String name) throws IOException {
        String named = System.getenv(ServerConfig.Variable.KEY.key());
        if (named != null) {
            return checked(named.strip(), ServerConfig.Variable.KEY.key());
        }
        Path file = data.resolve("keys.json");
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no " + file + "; set " + ServerConfig.Variable.KEY.key() + " or --data");
        }
        JsonNode secret = JSON.readTree(file.toFile()).path(name);
        if (!secret.isTextual()) {
            throw new IOException("there is no key `" + name + "` in " + file);
        }
        return checked(secret.textValue().strip(), "the key `" + name + "` in " + file);
    }

    /** A secret that cannot be sent must not get into the message of whoever tries. */
    private static String checked(String secret, String where) {
        if (!secret.matches("csk_[a-z0-9]+_[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException(where + " is no API key: csk_..._...");
        }
        return secret;
    }

    /** The visible prefix, also of a whole key: a secret belongs into no path. */
    private static String id(String given) {
        return encoded(given.replaceFirst("^(csk_[a-z0-9]+)_.*$", "$1"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private Integer print(JsonNode said) throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(said));
        out.flush();
        return Exit.OK;
    }
}
