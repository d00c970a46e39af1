package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** The OpenAPI document, to which every answer that a test gets is held. */
final class Contract {
    private static final String ID = "https://countersign.invalid/openapi";
    private static final JsonNode DOCUMENT = read();
    private static final JsonSchemaFactory SCHEMAS = JsonSchemaFactory.getInstance(
            VersionFlag.V202012,
            builder -> builder.schemaLoaders(loaders -> loaders.schemas(Map.of(ID, DOCUMENT.toString()))));

    private Contract() {}

    private static JsonNode read() {
        try (InputStream in = Contract.class.getClassLoader().getResourceAsStream("openapi.yaml")) {
            return new YAMLMapper()
                    .readTree(new String(Objects.requireNonNull(in).readAllBytes(), UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode document() {
        return DOCUMENT;
    }

    /** An error of the test if the document knows the path and the answer is not as it says. */
    static void check(String method, String path, Reply reply) {
        String template = template(path);
        JsonNode operations = DOCUMENT.path("paths").path(template);
        if (operations.isMissingNode()) {
            return;
        }
        // Another method than the documented one is answered as its 405.
        String operation = operations.has(method.toLowerCase(java.util.Locale.ROOT))
                ? method.toLowerCase(java.util.Locale.ROOT)
                : operations.fieldNames().next();
        String where = "/paths/" + escaped(template) + "/" + operation + "/responses/" + reply.status();
        JsonNode response = DOCUMENT.at(where);
        if (response.has("$ref")) {
            where = response.get("$ref").asText().substring(1);
            response = DOCUMENT.at(where);
        }
        String type = reply.header("Content-Type");
        String media = type.contains(";") ? type.substring(0, type.indexOf(';')) : type;
        JsonNode content = response.path("content").path(media);
        if (content.isMissingNode()) {
            throw new AssertionError("openapi.yaml knows no " + reply.status() + " of " + media + " for " + method + " "
                    + path + ": " + reply.body());
        }
        response.path("headers").fieldNames().forEachRemaining(header -> {
            if (!header.equals("X-Request-ID") && reply.header(header).isEmpty()) {
                throw new AssertionError("the answer to " + method + " " + path + " lacks the header " + header);
            }
        });
        var schema = SCHEMAS.getSchema(SchemaLocation.of(ID + "#" + where + "/content/" + escaped(media) + "/schema"));
        for (JsonNode body : bodies(media, reply)) {
            var mistakes = schema.validate(body);
            if (!mistakes.isEmpty()) {
                throw new AssertionError(
                        method + " " + path + " is not as openapi.yaml says: " + mistakes + "\n" + body);
            }
        }
    }

    private static List<JsonNode> bodies(String media, Reply reply) {
        return media.endsWith("ndjson")
                ? reply.lines()
                : List.of(media.endsWith("json") ? reply.json() : TextNode.valueOf(reply.body()));
    }

    private static String template(String path) {
        String plain = path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (DOCUMENT.path("paths").has(plain)) {
            return plain;
        }
        for (var name : new TreeSet<>(DOCUMENT.path("paths").properties().stream()
                .map(Map.Entry::getKey)
                .toList())) {
            if (plain.matches(name.replaceAll("\\{[a-z]+}", "[^/]+"))) {
                return name;
            }
        }
        return plain;
    }

    private static String escaped(String member) {
        return member.replace("~", "~0").replace("/", "~1");
    }
}
