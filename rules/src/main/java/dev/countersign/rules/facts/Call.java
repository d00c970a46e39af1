package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * The four parts of an AuthZEN evaluation request (Authorization API 1.0, section 6.1), checked for shape: subject,
 * resource and action are complete, every {@code properties} and the context are objects if they are there. Members
 * that the standard does not name are kept and ignored.
 *
 * @param subject object with string {@code type} and {@code id}
 * @param action object with string {@code name}
 * @param resource object with string {@code type} and {@code id}
 * @param context object, or {@code null} if the request has none
 * @param stored what the store of entities said for this call, never a body; {@code null} if it was not asked
 * @param registered what the registry of actions says of this call's action, never a body; {@code null} if the action is
 *     not registered
 */
public record Call(
        JsonNode subject,
        JsonNode action,
        JsonNode resource,
        @Nullable JsonNode context,
        @Nullable Stored stored,
        @Nullable Registered registered) {
    /**
     * The call that a request body asks about.
     *
     * @throws BadCall if a required member is missing or a member has the wrong type
     */
    public static Call of(JsonNode body) throws BadCall {
        if (!body.isObject()) {
            throw new BadCall("the request must be a JSON object");
        }
        return of(body.get("subject"), body.get("action"), body.get("resource"), body.get("context"));
    }

    /**
     * A call of these four parts.
     *
     * @throws BadCall if a required member is missing or a member has the wrong type
     */
    public static Call of(
            @Nullable JsonNode subject,
            @Nullable JsonNode action,
            @Nullable JsonNode resource,
            @Nullable JsonNode context)
            throws BadCall {
        return new Call(
                entity("subject", subject, "type", "id"),
                entity("action", action, "name"),
                entity("resource", resource, "type", "id"),
                object("context", context),
                null,
                null);
    }

    /** The same call, with what the store of entities said for it. */
    public Call with(Stored answer) {
        return new Call(subject, action, resource, context, answer, registered);
    }

    /** The same call, with what the registry of actions says of its action. */
    public Call with(Registered entry) {
        return new Call(subject, action, resource, context, stored, entry);
    }

    private static JsonNode entity(String name, @Nullable JsonNode node, String... required) throws BadCall {
        if (node == null || node.isNull()) {
            throw new BadCall("`" + name + "` is missing");
        }
        if (!node.isObject()) {
            throw new BadCall("`" + name + "` must be an object");
        }
        for (String member : required) {
            JsonNode value = node.get(member);
            if (value == null || value.isNull()) {
                throw new BadCall("`" + name + "." + member + "` is missing");
            }
            if (!value.isTextual()) {
                throw new BadCall("`" + name + "." + member + "` must be a string");
            }
        }
        object(name + ".properties", node.get("properties"));
        return node;
    }

    private static @Nullable JsonNode object(String name, @Nullable JsonNode node) throws BadCall {
        if (node == null || node.isNull()) {
            return null;
        }
        if (!node.isObject()) {
            throw new BadCall("`" + name + "` must be an object");
        }
        return node;
    }

    /** The subject's type. */
    public String subjectType() {
        return subject.get("type").textValue();
    }

    /** The subject's id. */
    public String subjectId() {
        return subject.get("id").textValue();
    }

    /** The action's name. */
    public String actionName() {
        return action.get("name").textValue();
    }

    /** The resource's type. */
    public String resourceType() {
        return resource.get("type").textValue();
    }

    /** The resource's id. */
    public String resourceId() {
        return resource.get("id").textValue();
    }

    /** Whether the resource is a tool, so that its properties are the arguments of the call. */
    public boolean toolCall() {
        return resourceType().equals("tool");
    }

    /** The arguments of the call: the properties of the tool where it is a tool call, else those of the action. */
    public @Nullable JsonNode arguments() {
        return (toolCall() ? resource : action).get("properties");
    }

    @Nullable
    JsonNode root(SourcePath.Root root) {
        return switch (root) {
            case SUBJECT -> subject;
            case ACTION -> action;
            case RESOURCE -> resource;
            case CONTEXT -> context;
            case ARGUMENTS -> arguments();
            case ENTITIES -> null;
        };
    }
}
