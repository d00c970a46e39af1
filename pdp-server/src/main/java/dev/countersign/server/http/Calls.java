package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.identity.Caller;
import org.jspecify.annotations.Nullable;

/** Calls out of bodies that name the parts of a call more shortly than AuthZEN does. */
final class Calls {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Calls() {}

    /** Whether a member, as {@link JsonNode#path} finds it, is not given. */
    static boolean absent(JsonNode member) {
        return member.isMissingNode() || member.isNull();
    }

    /** An entity of this type and id. */
    static ObjectNode entity(String type, String id) {
        return NODES.objectNode().put("type", type).put("id", id);
    }

    /** The caller itself as a subject. */
    static ObjectNode itself(Caller caller) {
        return entity(caller.subjectType(), caller.name());
    }

    /** An action, where a text is its name. */
    static @Nullable JsonNode action(@Nullable JsonNode given) {
        return given != null && given.isTextual() ? NODES.objectNode().put("name", given.textValue()) : given;
    }

    /** A resource, where a text is the id of one of the type {@code resource}, and none is the tool that the action names. */
    static JsonNode resource(JsonNode given, @Nullable JsonNode action) {
        if (absent(given)) {
            return entity("tool", action == null ? "" : action.path("name").asText());
        }
        return given.isTextual() ? entity("resource", given.textValue()) : given;
    }

    /** The call of these parts: here, and nowhere else, {@code params} become the arguments of a call. */
    static Call of(
            JsonNode subject,
            @Nullable JsonNode action,
            JsonNode resource,
            @Nullable JsonNode params,
            @Nullable JsonNode context)
            throws BadCall {
        if (params == null || params.isNull()) {
            return Call.of(subject, action, resource, context);
        }
        if (!params.isObject()) {
            throw new BadCall("`params` must be an object");
        }
        boolean tool = resource.path("type").asText().equals("tool");
        return tool
                ? Call.of(subject, action, with(resource, "resource", params), context)
                : Call.of(subject, with(action, "action", params), resource, context);
    }

    private static @Nullable JsonNode with(@Nullable JsonNode entity, String name, JsonNode params) throws BadCall {
        if (entity == null || !entity.isObject()) {
            return entity;
        }
        if (entity.has("properties")) {
            throw new BadCall("give the arguments as `params` or as `" + name + ".properties`, not both");
        }
        ObjectNode copy = NODES.objectNode();
        copy.setAll((ObjectNode) entity);
        return copy.set("properties", params);
    }
}
