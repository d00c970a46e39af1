package dev.countersign.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A tool that is one HTTP call. The execution id goes out as {@code Idempotency-Key}, the same in every attempt.
 *
 * <p>An answer of type JSON is the result as it is, numbers exact; no body is {@code null}; anything else is
 * {@code {"text": ...}}, read as UTF-8. A status other than 2xx, or an answer over 1 MiB or of broken JSON, is a
 * {@link ToolFailure}, whose message holds nothing that came in or went out.
 */
public final class HttpTool implements Tool {
    /** The longest answer that is read, in bytes. */
    public static final int MAX_ANSWER_BYTES = 1 << 20;

    private static final Set<String> OWN_HEADERS =
            Set.of("accept", "content-type", "content-length", "host", "idempotency-key", "transfer-encoding");
    private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");
    private static final Pattern HEADER_VALUE = Pattern.compile("[\\x20-\\x7e]+");
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,9}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private final Config config;
    private final Egress egress;
    private final InstantSource clock;

    public HttpTool(Config config, Egress egress, InstantSource clock) {
        this.config = config;
        this.egress = egress;
        this.clock = clock;
    }

    /** How the arguments travel. */
    public enum Method {
        /** In the query: an object of plain values, or of lists of them for a name that comes more than once. */
        GET,
        /** As the JSON body. */
        POST
    }

    /**
     * Where a tool is and how it is called.
     *
     * @param url absolute, without user, password and fragment; a GET adds to its query
     * @param secretHeaders header names and where their values come from, asked anew for every attempt and never kept
     * @param idempotent whether the far side treats a call that comes twice as one
     * @param timeout how long one attempt may take; the deadline of the run may make it shorter
     */
    public record Config(
            String name,
            URI url,
            Method method,
            Map<String, Supplier<String>> secretHeaders,
            boolean idempotent,
            Duration timeout) {
        public Config {
            secretHeaders = Map.copyOf(secretHeaders);
            if (url.getHost() == null || url.getRawUserInfo() != null || url.getRawFragment() != null) {
                throw new IllegalArgumentException("the tool '" + name
                        + "' needs an absolute URL with a host, and without user, password and fragment");
            }
            for (String header : secretHeaders.keySet()) {
                if (!HEADER_NAME.matcher(header).matches() || OWN_HEADERS.contains(header.toLowerCase(Locale.ROOT))) {
                    throw new IllegalArgumentException("the tool '" + name + "' cannot set the header " + header);
                }
            }
            if (timeout.toMillis() < 1) {
                throw new IllegalArgumentException("the tool '" + name + "' needs a timeout of at least 1 ms");
            }
        }
    }

    @Override
    public String name() {
        return config.name;
    }

    @Override
    public boolean idempotent() {
        return config.idempotent;
    }

    @Override
    public CompletionStage<JsonNode> call(JsonNode arguments, Run run) {
        return Attempt.start(() -> egress.send(request(arguments, run)).thenApply(this::result));
    }

    private EgressRequest request(JsonNode arguments, Run run) {
        boolean get = config.method == Method.GET;
        Map<String, String> headers = new HashMap<>(Map.of("Accept", "application/json"));
        headers.put("Idempotency-Key", run.executionId());
        config.secretHeaders.forEach((name, secret) -> headers.put(name, headerValue(name, secret.get())));
        if (!get) {
            headers.put("Content-Type", "application/json");
        }
        Duration left = Duration.between(clock.instant(), run.deadline());
        Duration timeout = left.compareTo(config.timeout) < 0 ? left : config.timeout;
        return new EgressRequest(
                config.method.name(),
                get ? withQuery(arguments) : config.url,
                headers,
                get ? new byte[0] : arguments.toString().getBytes(StandardCharsets.UTF_8),
                timeout.toMillis() < 1 ? Duration.ofMillis(1) : timeout,
                MAX_ANSWER_BYTES);
    }

    /** The HTTP client's own complaint would print the value. */
    private String headerValue(String name, String value) {
        if (!HEADER_VALUE.matcher(value).matches()) {
            throw ToolFailure.refused("the secret for the header " + name + " of the tool '" + config.name
                    + "' is empty or holds characters that a header cannot carry");
        }
        return value;
    }

    private URI withQuery(JsonNode arguments) {
        if (!arguments.isObject() && !arguments.isNull()) {
            throw ToolFailure.refused("the tool '" + config.name + "' takes its arguments as a JSON object");
        }
        StringJoiner query = new StringJoiner("&");
        if (config.url.getRawQuery() != null) {
            query.add(config.url.getRawQuery());
        }
        arguments.properties().forEach(argument -> {
            Iterable<JsonNode> values =
                    argument.getValue().isArray() ? argument.getValue() : List.of(argument.getValue());
            values.forEach(value -> addTo(query, argument.getKey(), value));
        });
        String base = config.url.toString();
        int mark = base.indexOf('?');
        return URI.create((mark < 0 ? base : base.substring(0, mark)) + (query.length() == 0 ? "" : "?" + query));
    }

    private void addTo(StringJoiner query, String name, JsonNode value) {
        if (value.isContainerNode()) {
            throw ToolFailure.refused("the tool '" + config.name
                    + "' sends its arguments in a query, which holds plain values and lists of them");
        }
        if (!value.isNull()) {
            query.add(URLEncoder.encode(name, StandardCharsets.UTF_8) + "="
                    + URLEncoder.encode(value.asText(), StandardCharsets.UTF_8));
        }
    }

    private JsonNode result(EgressResponse answer) {
        if (answer.status() < 200 || answer.status() > 299) {
            throw ToolFailure.answered(
                    "the tool '" + config.name + "' answered with status " + answer.status(),
                    answer.status(),
                    answer.header("Retry-After").map(this::retryAfter).orElse(null));
        }
        if (answer.body().length > MAX_ANSWER_BYTES) {
            throw ToolFailure.unreadable("the tool '" + config.name + "' answered with more than 1 MiB");
        }
        if (answer.body().length == 0) {
            return NullNode.getInstance();
        }
        if (!answer.header("Content-Type").map(HttpTool::isJson).orElse(false)) {
            return JSON.createObjectNode().put("text", new String(answer.body(), StandardCharsets.UTF_8));
        }
        try {
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException broken) {
            throw ToolFailure.unreadable("the tool '" + config.name + "' answered with broken JSON at line "
                    + broken.getLocation().getLineNr() + ", column "
                    + broken.getLocation().getColumnNr());
        } catch (IOException broken) {
            throw ToolFailure.unreadable("the tool '" + config.name + "' answered with text that is not UTF-8");
        }
    }

    private static boolean isJson(String contentType) {
        String type = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        return type.equals("application/json") || type.endsWith("+json");
    }

    /** RFC 9110, 10.2.3: seconds or a date; nothing for what is neither. */
    private @Nullable Duration retryAfter(String header) {
        if (SECONDS.matcher(header.strip()).matches()) {
            return Duration.ofSeconds(Long.parseLong(header.strip()));
        }
        try {
            Instant then = ZonedDateTime.parse(header.strip(), DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration left = Duration.between(clock.instant(), then);
            return left.isNegative() ? Duration.ZERO : left;
        } catch (DateTimeException neither) {
            return null;
        }
    }
}
