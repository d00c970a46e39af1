package dev.countersign.server.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.rows.PolicyRow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Rows as JSON, with the names of the table's columns. */
public final class RowJson {
    private static final List<String> MEMBERS = List.of(
            "owner",
            "name",
            "description",
            "scope",
            "scope_ref",
            "effect",
            "action_pattern",
            "resource_pattern",
            "rule_expr",
            "risk",
            "reason",
            "enabled");

    private RowJson() {}

    /**
     * The row that a body writes.
     *
     * @param json an object
     * @param mistakes takes what is wrong with it
     * @return the row; what is missing or wrong stands in it as an empty text or a default
     */
    public static PolicyRow read(
            String id, @Nullable String tenant, long version, JsonNode json, List<JsonMistake> mistakes) {
        var reading = new Reading(json, mistakes);
        reading.names();
        PolicyRow.Scope scope =
                reading.word("scope", words(PolicyRow.Scope.values(), PolicyRow.Scope::word), PolicyRow.Scope.TENANT);
        PolicyRow.Kind effect =
                reading.word("effect", words(PolicyRow.Kind.values(), PolicyRow.Kind::word), PolicyRow.Kind.DENY);
        String scopeRef = reading.text("scope_ref");
        String owner = reading.text("owner");
        boolean user = scope == PolicyRow.Scope.USER && scopeRef != null && !scopeRef.equals(PolicyRow.EVERY);
        JsonNode expr = json.get("rule_expr");
        return new PolicyRow(
                id,
                tenant,
                owner == null && user ? scopeRef : owner,
                reading.required("name"),
                reading.text("description"),
                scope,
                scopeRef,
                effect,
                json.hasNonNull("action_pattern") ? reading.required("action_pattern") : "*",
                reading.text("resource_pattern"),
                expr == null || expr.isNull() ? null : expr,
                json.hasNonNull("risk")
                        ? reading.word(
                                "risk", words(PolicyRow.Risk.values(), PolicyRow.Risk::word), PolicyRow.Risk.MEDIUM)
                        : null,
                reading.text("reason"),
                reading.flag("enabled"),
                version);
    }

    private static <E> Map<String, E> words(E[] values, Function<E, String> word) {
        return Arrays.stream(values)
                .collect(Collectors.toMap(word, Function.identity(), (a, b) -> a, java.util.LinkedHashMap::new));
    }

    /** What {@link #read} reads again, with its id and version. */
    public static ObjectNode write(PolicyRow row) {
        ObjectNode out = JsonNodeFactory.instance.objectNode().put("id", row.id());
        put(out, "owner", row.owner());
        out.put("name", row.name());
        put(out, "description", row.description());
        out.put("scope", row.scope().word());
        put(out, "scope_ref", row.scopeRef());
        out.put("effect", row.effect().word());
        out.put("action_pattern", row.actionPattern());
        put(out, "resource_pattern", row.resourcePattern());
        if (row.ruleExpr() != null) {
            out.set("rule_expr", row.ruleExpr());
        }
        put(out, "risk", row.risk() == null ? null : row.risk().word());
        put(out, "reason", row.reason());
        return out.put("enabled", row.enabled()).put("version", row.version());
    }

    private static void put(ObjectNode out, String name, @Nullable String value) {
        if (value != null) {
            out.put(name, value);
        }
    }

    /** One reading of a body, which finds all its mistakes. */
    private record Reading(JsonNode json, List<JsonMistake> mistakes) {
        void names() {
            var unknown = new ArrayList<String>();
            json.fieldNames().forEachRemaining(name -> {
                if (!MEMBERS.contains(name)) {
                    unknown.add(name);
                }
            });
            unknown.forEach(name -> mistakes.add(new JsonMistake(
                    JsonMistake.pointer("", name),
                    Code.J001,
                    "a policy has no such member",
                    "its members are " + String.join(", ", MEMBERS))));
        }

        @Nullable
        String text(String name) {
            JsonNode value = json.path(name);
            if (value.isTextual()) {
                return value.textValue();
            }
            if (!value.isMissingNode() && !value.isNull()) {
                refuse(name, "this is a text");
            }
            return null;
        }

        String required(String name) {
            String text = text(name);
            if (text == null && !json.hasNonNull(name)) {
                refuse(name, "`" + name + "` is missing");
            }
            return text == null ? "?" : text;
        }

        <E> E word(String name, Map<String, E> words, E otherwise) {
            E value = words.get(json.path(name).asText());
            if (value == null || !json.path(name).isTextual()) {
                refuse(name, "`" + name + "` is one of " + String.join(", ", words.keySet()));
                return otherwise;
            }
            return value;
        }

        boolean flag(String name) {
            JsonNode value = json.path(name);
            if (!value.isMissingNode() && !value.isBoolean()) {
                refuse(name, "this is true or false");
            }
            return !value.isBoolean() || value.booleanValue();
        }

        private void refuse(String name, String message) {
            mistakes.add(new JsonMistake(JsonMistake.pointer("", name), Code.J001, message, null));
        }
    }
}
