package dev.countersign.server.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.Worded;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Entries as JSON, with the names of the table's columns. */
public final class ActionJson {
    /** The longest name of an action, in characters. */
    public static final int LONGEST_NAME = 256;

    private static final String SCHEMA = "arguments_schema";
    private static final List<String> RISKS = List.of("low", "medium", "high", "critical");
    private static final List<String> MEMBERS =
            List.of("class", "reversible", "risk", "owner", "description", SCHEMA, "advisory", "volatile_context");
    private static final int LONGEST_OWNER = 256;
    private static final int LONGEST_DESCRIPTION = 2_000;
    private static final int LONGEST_PART = 200;
    private static final int MOST_PARTS = 100;
    private static final Pattern POINTER = Pattern.compile("(/([^~/]|~[01])*)+");

    private ActionJson() {}

    /** Whether an action of that name can be registered: 1 to 256 characters, no control character among them. */
    public static boolean nameable(String name) {
        return !name.isEmpty()
                && name.codePointCount(0, name.length()) <= LONGEST_NAME
                && name.chars().noneMatch(Character::isISOControl);
    }

    /**
     * The entry that a body writes, at version 1.
     *
     * @param json an object
     * @param mistakes takes what is wrong with it
     * @return the entry; to be used only if there are no mistakes
     */
    public static Action read(String name, JsonNode json, List<JsonMistake> mistakes) {
        var reading = new Reading(json, mistakes);
        reading.names();
        JsonNode schema = json.hasNonNull(SCHEMA) ? json.get(SCHEMA) : null;
        if (schema != null) {
            mistakes.addAll(ArgumentsSchema.mistakes(schema, "/" + SCHEMA));
        }
        return new Action(
                name,
                reading.actionClass(),
                reading.reversible(),
                reading.risk(),
                reading.text("owner", LONGEST_OWNER),
                reading.text("description", LONGEST_DESCRIPTION),
                schema,
                reading.parts("advisory", true),
                reading.parts("volatile_context", false),
                1);
    }

    /** What {@link #read} reads again. */
    public static ObjectNode write(Action action) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("class", action.actionClass().word())
                .put("reversible", action.reversible())
                .put("risk", action.risk());
        if (action.owner() != null) {
            out.put("owner", action.owner());
        }
        if (action.description() != null) {
            out.put("description", action.description());
        }
        if (action.schema() != null) {
            out.set(SCHEMA, action.schema());
        }
        ArrayNode advisory = out.putArray("advisory");
        action.advisory().forEach(advisory::add);
        ArrayNode context = out.putArray("volatile_context");
        action.volatileContext().forEach(context::add);
        return out;
    }

    /** One reading of a body, which finds all its mistakes. */
    private record Reading(JsonNode json, List<JsonMistake> mistakes) {
        void names() {
            json.fieldNames().forEachRemaining(name -> {
                if (!MEMBERS.contains(name)) {
                    mistakes.add(new JsonMistake(
                            JsonMistake.pointer("", name),
                            Code.J001,
                            "an action has no such member",
                            "its members are " + String.join(", ", MEMBERS)));
                }
            });
        }

        ActionClass actionClass() {
            ActionClass found = Worded.of(ActionClass.class, json.path("class").textValue());
            if (found == null) {
                refuse("/class", "`class` is one of " + ActionClass.words());
            }
            return Objects.requireNonNullElse(found, ActionClass.ACTION);
        }

        boolean reversible() {
            if (!json.path("reversible").isBoolean()) {
                refuse("/reversible", "`reversible` is true or false");
            }
            return json.path("reversible").asBoolean();
        }

        String risk() {
            String risk = json.path("risk").textValue();
            if (risk == null || !RISKS.contains(risk)) {
                refuse("/risk", "`risk` is one of " + String.join(", ", RISKS));
                return "high";
            }
            return risk;
        }

        @Nullable
        String text(String name, int longest) {
            JsonNode value = json.path(name);
            if (value.isMissingNode() || value.isNull()) {
                return null;
            }
            if (!fits(value, longest)) {
                refuse("/" + name, "this is a text of 1 to " + longest + " characters");
                return null;
            }
            return value.textValue();
        }

        List<String> parts(String name, boolean pointers) {
            JsonNode value = json.path(name);
            if (value.isMissingNode() || value.isNull()) {
                return List.of();
            }
            if (!value.isArray() || value.size() > MOST_PARTS) {
                refuse("/" + name, "this is a list of at most " + MOST_PARTS + " texts");
                return List.of();
            }
            var parts = new LinkedHashSet<String>();
            for (int i = 0; i < value.size(); i++) {
                JsonNode part = value.get(i);
                String at = "/" + name + "/" + i;
                if (!fits(part, LONGEST_PART)) {
                    refuse(at, "this is a text of 1 to " + LONGEST_PART + " characters");
                } else if (pointers
                        && part.textValue().startsWith("/")
                        && !POINTER.matcher(part.textValue()).matches()) {
                    refuse(at, "this is no JSON Pointer (RFC 6901)");
                } else if (!parts.add(part.textValue())) {
                    refuse(at, "this stands here twice");
                }
            }
            return List.copyOf(parts);
        }

        private static boolean fits(JsonNode value, int longest) {
            String text = value.textValue();
            return text != null
                    && !text.isBlank()
                    && text.codePointCount(0, text.length()) <= longest
                    && text.indexOf('\0') < 0;
        }

        private void refuse(String pointer, String message) {
            mistakes.add(new JsonMistake(pointer, Code.J001, message, null));
        }
    }
}
