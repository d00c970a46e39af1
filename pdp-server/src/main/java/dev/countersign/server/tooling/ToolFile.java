package dev.countersign.server.tooling;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonMappingException.Reference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.tools.Egress;
import dev.countersign.tools.HttpTool;
import dev.countersign.tools.StubTool;
import dev.countersign.tools.Tool;
import dev.countersign.tools.Tools;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The file in which an operator lists the tools that the server runs itself, by the action that each is for:
 *
 * <pre>
 * tools:
 *   notify: {url: https://hooks.example.com/notify, method: POST, idempotent: true, timeout_seconds: 10,
 *            headers: {Authorization: NOTIFY_AUTHORIZATION}}
 *   pay: {stub: echo}
 * </pre>
 *
 * The values of headers are secrets: the file names the environment variables that hold them.
 */
public final class ToolFile {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .build();

    /** Narrow, so that a secret that stands in the place of its name is not repeated as one. */
    private static final Pattern VARIABLE = Pattern.compile("[A-Z_][A-Z0-9_]*");

    private static final long LONGEST_SECONDS = 60;

    private ToolFile() {}

    /** One tool as it is written. */
    record Entry(
            @Nullable URI url,
            @Nullable String method,
            @Nullable Boolean idempotent,
            @Nullable Long timeout_seconds,
            @Nullable Map<String, String> headers,
            @Nullable String stub,
            @Nullable JsonNode result) {}

    /** The file. */
    record Listed(Map<String, Entry> tools) {}

    /**
     * The tools of a file.
     *
     * @param file {@code null} for none
     * @param egress the way out for tools that are HTTP calls
     * @param env where the values of headers are
     * @throws IllegalArgumentException if the file has a mistake; the message says which
     */
    public static Tools read(@Nullable Path file, Egress egress, Map<String, String> env, InstantSource clock) {
        if (file == null) {
            return new Tools(List.of());
        }
        try {
            Listed listed = YAML.readValue(Files.readString(file), Listed.class);
            var tools = new ArrayList<Tool>();
            if (listed != null && listed.tools() != null) {
                listed.tools().forEach((name, entry) -> tools.add(tool(name, entry, egress, env, clock)));
            }
            return new Tools(tools);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + ", line " + e.getLocation().getLineNr() + ": " + mistake(e));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + " cannot be read: there is no such file", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    /** What is wrong, without what stands there: it may be a secret in the wrong place. */
    private static String mistake(JacksonException e) {
        if (e instanceof JsonMappingException mapping && !(e.getCause() instanceof StreamReadException)) {
            String place =
                    mapping.getPath().stream().map(Reference::getFieldName).collect(Collectors.joining("."));
            return e instanceof UnrecognizedPropertyException unknown
                    ? "`" + place + "` is none of " + unknown.getKnownPropertyIds()
                    : "`" + place + "` does not have a value that fits";
        }
        var broken = e.getCause() instanceof StreamReadException cause ? cause : e;
        return String.valueOf(broken.getOriginalMessage()).lines().findFirst().orElse("it is not YAML");
    }

    private static Tool tool(
            String name, @Nullable Entry entry, Egress egress, Map<String, String> env, InstantSource clock) {
        if (entry == null || (entry.stub() == null) == (entry.url() == null)) {
            throw new IllegalArgumentException(
                    "the tool `" + name + "` needs a `url`, or `stub: echo` or `stub: fixed`");
        }
        if (entry.stub() != null) {
            return stub(name, entry.stub(), entry.result());
        }
        long seconds = entry.timeout_seconds() == null ? 10 : entry.timeout_seconds();
        if (seconds < 1 || seconds > LONGEST_SECONDS) {
            throw new IllegalArgumentException("the tool `" + name + "`: `timeout_seconds` is 1 to " + LONGEST_SECONDS);
        }
        return new HttpTool(
                new HttpTool.Config(
                        name,
                        entry.url(),
                        method(name, entry.method()),
                        secrets(name, entry.headers() == null ? Map.of() : entry.headers(), env),
                        Boolean.TRUE.equals(entry.idempotent()),
                        Duration.ofSeconds(seconds)),
                egress,
                clock);
    }

    private static Tool stub(String name, String kind, @Nullable JsonNode result) {
        return switch (kind) {
            case "echo" -> StubTool.echo(name).notIdempotent();
            case "fixed" -> {
                if (result == null) {
                    throw new IllegalArgumentException("the tool `" + name + "`: `stub: fixed` needs a `result`");
                }
                yield StubTool.fixed(name, result).notIdempotent();
            }
            default -> throw new IllegalArgumentException("the tool `" + name + "`: `stub` is echo or fixed");
        };
    }

    private static HttpTool.Method method(String name, @Nullable String given) {
        try {
            return given == null ? HttpTool.Method.POST : HttpTool.Method.valueOf(given.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the tool `" + name + "`: `method` is GET or POST", e);
        }
    }

    private static Map<String, Supplier<String>> secrets(
            String name, Map<String, String> headers, Map<String, String> env) {
        var secrets = new LinkedHashMap<String, Supplier<String>>();
        headers.forEach((header, variable) -> {
            if (variable == null || !VARIABLE.matcher(variable).matches()) {
                throw new IllegalArgumentException("the tool `" + name + "`: the header `" + header
                        + "` needs the name of an environment variable, of capitals, digits and _");
            }
            String value = env.get(variable);
            if (value == null || value.isBlank()) {
                throw new IllegalArgumentException("the tool `" + name + "`: the environment has no `" + variable
                        + "`, which holds the header `" + header + "`");
            }
            secrets.put(header, () -> value);
        });
        return secrets;
    }
}
