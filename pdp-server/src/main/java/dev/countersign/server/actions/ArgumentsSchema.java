package dev.countersign.server.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.re2j.Pattern;
import com.networknt.schema.AbsoluteIri;
import com.networknt.schema.JsonNodePath;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import com.networknt.schema.regex.RegularExpression;
import com.networknt.schema.resource.DisallowSchemaLoader;
import com.networknt.schema.resource.InputStreamSource;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.dialect.Regex;
import dev.countersign.rules.facts.Attribute;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A JSON Schema (draft 2020-12) of the arguments of an action, ready to be asked. It loads nothing from anywhere, takes time
 * in proportion to schema and arguments, and refuses arguments for which that would be too long. Immutable; any thread.
 */
final class ArgumentsSchema {
    /** The longest schema, in bytes of its JSON. */
    static final int MAX_BYTES = 1 << 16;

    private static final Logger LOG = LoggerFactory.getLogger(ArgumentsSchema.class);

    /** Where the arguments as a whole stand. */
    private static final List<String> WHOLE = List.of("");

    /** Parts of the schema times parts of the arguments: what is asked on an event loop, so some 100 ms at worst. */
    private static final long MAX_WORK = 200_000;

    private static final int MOST_NAMED = 5;
    private static final int MOST_MISTAKES = 20;
    private static final int LONGEST_POINTER = 200;
    /** Telling all that is wrong takes far longer than telling that something is. */
    private static final int MOST_TOLD_ALL = 1_000;

    private static final SchemaValidatorsConfig CONFIG = SchemaValidatorsConfig.builder()
            .pathType(PathType.JSON_POINTER)
            .regularExpressionFactory(ArgumentsSchema::automaton)
            .build();
    private static final JsonSchemaFactory ALONE = JsonSchemaFactory.getInstance(
            VersionFlag.V202012,
            builder -> builder.enableSchemaCache(false)
                    .schemaLoaders(loaders -> loaders.add(DisallowSchemaLoader.getInstance())));

    /** The draft's own schema, which the library carries. */
    private static final class Meta {
        static final JsonSchema SCHEMA = JsonSchemaFactory.getInstance(
                        VersionFlag.V202012, builder -> builder.schemaLoaders(loaders -> loaders.add(Meta::carried)))
                .getSchema(SchemaLocation.of(SchemaScreen.DRAFT), CONFIG);

        /** Leaves what is on the class path to the next loader, and lets nothing come to the one for URLs. */
        private static @Nullable InputStreamSource carried(AbsoluteIri iri) {
            if (!iri.toString().startsWith("classpath:")) {
                throw new IllegalStateException("the library does not carry " + iri);
            }
            return null;
        }
    }

    private final @Nullable JsonSchema schema;
    private final int cost;
    private final int textPerCost;

    private ArgumentsSchema(@Nullable JsonSchema schema, int cost, boolean patterns) {
        this.schema = schema;
        this.cost = cost;
        this.textPerCost = patterns ? 8 : 1_024;
    }

    private static RegularExpression automaton(String text) {
        Pattern pattern = Objects.requireNonNull(Regex.bounded(text), "screened before");
        return value ->
                value.length() <= Attribute.MAX_TEXT && pattern.matcher(value).find();
    }

    /**
     * What is wrong with a schema; nothing if it can be used.
     *
     * @param at its pointer in what holds it
     */
    static List<JsonMistake> mistakes(JsonNode schema, String at) {
        if (schema.toString().getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            return List.of(new JsonMistake(
                    at, Code.J001, "the schema has more than " + MAX_BYTES + " bytes", "say less of the arguments"));
        }
        var wrong = Meta.SCHEMA.validate(schema);
        if (!wrong.isEmpty()) {
            return wrong.stream()
                    .limit(MOST_MISTAKES)
                    .map(message -> new JsonMistake(
                            at + message.getInstanceLocation(),
                            Code.J001,
                            "this is no JSON Schema (draft 2020-12): " + message.getError(),
                            null))
                    .toList();
        }
        List<JsonMistake> refused = new SchemaScreen(at).walk(schema).mistakes();
        if (refused.isEmpty() && !of(schema).usable()) {
            return List.of(new JsonMistake(at, Code.J001, "the schema cannot be made ready", null));
        }
        return refused.stream().limit(MOST_MISTAKES).toList();
    }

    /** The schema; one that cannot be used is one that no arguments fit. */
    static ArgumentsSchema of(JsonNode schema) {
        var screen = new SchemaScreen("").walk(schema);
        if (!screen.mistakes().isEmpty()) {
            return new ArgumentsSchema(null, 0, false);
        }
        try {
            JsonSchema made = ALONE.getSchema(schema, CONFIG);
            made.initializeValidators();
            return new ArgumentsSchema(made, screen.cost(), screen.patterns());
        } catch (RuntimeException e) {
            LOG.warn("a schema of arguments cannot be made ready: {}", e.toString());
            return new ArgumentsSchema(null, 0, false);
        }
    }

    /** How many parts it has, once each reference is replaced by what it refers to. */
    int cost() {
        return cost;
    }

    /** Whether it can be used. */
    boolean usable() {
        return schema != null;
    }

    /**
     * Where arguments break the schema: the first few places as JSON Pointers, the member included that is missing or should
     * not be there; empty if they fit. An empty pointer stands for the arguments as a whole.
     *
     * @param arguments an object; {@code null} is an empty one
     */
    List<String> unfit(@Nullable JsonNode arguments) {
        JsonNode asked = arguments == null || arguments.isNull() ? JsonNodeFactory.instance.objectNode() : arguments;
        long weight = weight(asked);
        if (schema == null || weight * cost > MAX_WORK) {
            return WHOLE;
        }
        try {
            Set<ValidationMessage> found = schema.validate(
                    asked, context -> context.getExecutionConfig().setFailFast(weight > MOST_TOLD_ALL));
            return found.stream()
                    .map(ArgumentsSchema::place)
                    .distinct()
                    .sorted()
                    .limit(MOST_NAMED)
                    .toList();
        } catch (RuntimeException e) {
            LOG.error("arguments could not be held against their schema: {}", e.toString());
            return WHOLE;
        }
    }

    private long weight(JsonNode node) {
        long weight = 1;
        if (node.isTextual()) {
            weight += node.textValue().length() / textPerCost;
        }
        for (var member : node.properties()) {
            weight += 1 + member.getKey().length() / textPerCost + weight(member.getValue());
        }
        if (node.isArray()) {
            for (JsonNode element : node) {
                weight += weight(element);
            }
        }
        return weight;
    }

    private static String place(ValidationMessage message) {
        JsonNodePath at = message.getInstanceLocation();
        String property = message.getProperty();
        String pointer = property == null
                ? at.toString()
                : at + "/" + property.replace("~", "~0").replace("/", "~1");
        if (pointer.length() <= LONGEST_POINTER) {
            return pointer;
        }
        int end =
                Character.isHighSurrogate(pointer.charAt(LONGEST_POINTER - 1)) ? LONGEST_POINTER - 1 : LONGEST_POINTER;
        return pointer.substring(0, end);
    }
}
