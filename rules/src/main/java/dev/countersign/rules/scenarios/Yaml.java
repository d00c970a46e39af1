package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A value in a YAML file, and the line it stands on.
 *
 * @param json the value, as JSON has it
 * @param path where it stands in the file
 * @param lines the lines of all values of the file, by path
 */
record Yaml(JsonNode json, String path, Map<String, Integer> lines) {
    private static final ObjectMapper MAPPER = YAMLMapper.builder(YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();

    /** Why a text is not one YAML document, and on which line. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        final int line;

        Malformed(int line, String message) {
            super(message, null, false, false);
            this.line = line;
        }
    }

    /** The one value of a document. Duplicate members, anchors and further documents are refused. */
    static Yaml parse(String text) throws Malformed {
        var lines = new HashMap<String, Integer>();
        try (JsonParser parser = MAPPER.createParser(text)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                throw new Malformed(1, "the file is empty");
            }
            JsonNode root = value((YAMLParser) parser, "", lines);
            if (parser.nextToken() != null) {
                throw new Malformed(line(parser), "a file holds one document");
            }
            return new Yaml(root, "", lines);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new Malformed(at == null ? 1 : Math.max(1, at.getLineNr()), message(e));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the parser says, without the excerpts of the text that it puts in between. */
    private static String message(JsonProcessingException e) {
        return e.getOriginalMessage()
                .lines()
                .filter(line -> !line.startsWith(" "))
                .collect(Collectors.joining("; "));
    }

    private static int line(JsonParser parser) {
        return parser.currentTokenLocation().getLineNr();
    }

    private static JsonNode value(YAMLParser parser, String path, Map<String, Integer> lines)
            throws IOException, Malformed {
        if (parser.isCurrentAlias() || parser.getObjectId() != null) {
            throw new Malformed(line(parser), "anchors and aliases are not read; name the part under `fixtures:`");
        }
        lines.putIfAbsent(path, line(parser));
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                String member = step(path, name);
                lines.put(member, line(parser));
                parser.nextToken();
                object.set(name, value(parser, member, lines));
            }
            return object;
        }
        if (parser.currentToken() == JsonToken.START_ARRAY) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                array.add(value(parser, step(path, String.valueOf(array.size())), lines));
            }
            return array;
        }
        return MAPPER.readTree(parser);
    }

    private static String step(String path, String name) {
        return path + '\0' + name;
    }

    /** The line, from 1; of a member the line of its name. */
    int line() {
        return lines.getOrDefault(path, 1);
    }

    /** The members of an object, none of anything else. */
    Map<String, Yaml> members() {
        var out = new LinkedHashMap<String, Yaml>();
        json.properties()
                .forEach(member ->
                        out.put(member.getKey(), new Yaml(member.getValue(), step(path, member.getKey()), lines)));
        return out;
    }

    /** The elements of an array, none of anything else. */
    List<Yaml> elements() {
        var out = new ArrayList<Yaml>();
        if (json.isArray()) {
            json.forEach(element -> out.add(new Yaml(element, step(path, String.valueOf(out.size())), lines)));
        }
        return out;
    }
}
