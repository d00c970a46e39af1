package dev.countersign.api;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a call that an approval is good for: subject, action and resource whole, but for {@code subject.properties.act}, and those members of
 * the context that the decision point declared relevant. The nodes handed in are never changed, and shared instead of copied: whoever hands them in
 * leaves them unchanged from then on.
 */
public final class BoundCall {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<JsonPointer> ACTOR = List.of(JsonPointer.compile("/properties/act"));

    private final JsonNode subject;
    private final JsonNode action;
    private final JsonNode resource;
    private final JsonNode context;

    private BoundCall(JsonNode subject, JsonNode action, JsonNode resource, JsonNode context) {
        this.subject = subject;
        this.action = action;
        this.resource = resource;
        this.context = context;
    }

    /**
     * The bound parts of a call. From the subject {@code properties.act} is left out, and what remains of {@code properties} stays, be it {@code {}}.
     * From the context only the named members that are there are kept; no context is the same as {@code {}}.
     *
     * @param contextMembers the names of the members of the context that bind, in any order
     */
    public static BoundCall of(
            JsonNode subject,
            JsonNode action,
            JsonNode resource,
            @Nullable JsonNode context,
            Collection<String> contextMembers) {
        ObjectNode bound = NODES.objectNode();
        for (String name : contextMembers) {
            JsonNode value = context == null ? null : context.get(name);
            if (value != null) {
                bound.set(name, value);
            }
        }
        return new BoundCall(without(subject, ACTOR), action, resource, bound);
    }

    /**
     * The profile's {@code binding_hash}: SHA-256 in base64url without padding over the canonical text of
     * {@code {"subject", "resource", "action", "context"}}.
     *
     * @throws NotCanonicalException if a part has no canonical form; the pointer begins with the name of the part
     */
    public String bindingHash() throws NotCanonicalException {
        return CanonicalJson.sha256(parts());
    }

    /**
     * The digest that ties an approval to this call of one tenant through these actors: SHA-256 in base64url without padding over the canonical text of
     * {@code {"v": 1, "tenant", "actors", "subject", "action", "resource", "context"}}, the advisory arguments left out. Arguments are
     * {@code resource.properties} where {@code resource.type} is {@code "tool"}, else {@code action.properties}.
     *
     * @param actors the verified actors, in the order of the chain
     * @param advisory arguments that do not bind: a JSON Pointer into the arguments if it begins with {@code /}, else the plain name of one. An index
     *     counts in the array as it was sent, and the elements behind what is left out close up. What points nowhere leaves nothing out.
     * @throws NotCanonicalException if something that binds has no canonical form; the pointer is one into the object above
     */
    public String digest(String tenant, List<JsonNode> actors, Collection<String> advisory)
            throws NotCanonicalException {
        boolean tool = "tool".equals(resource.path("type").textValue());
        String arguments = tool ? "/resource/properties" : "/action/properties";
        ObjectNode digested = parts();
        digested.put("v", 1);
        digested.put("tenant", tenant);
        digested.set("actors", NODES.arrayNode().addAll(actors));
        return CanonicalJson.sha256(without(
                digested,
                advisory.stream()
                        .map(argument -> JsonPointer.compile(arguments + pointer(argument)))
                        .toList()));
    }

    /** The profile's structural comparison of subject, resource, action and bound context, as {@link CanonicalJson#same} makes it. */
    public boolean sameAs(BoundCall other) {
        return CanonicalJson.same(parts(), other.parts());
    }

    private ObjectNode parts() {
        ObjectNode parts = NODES.objectNode();
        parts.set("subject", subject);
        parts.set("resource", resource);
        parts.set("action", action);
        parts.set("context", context);
        return parts;
    }

    private static String pointer(String argument) {
        return argument.startsWith("/")
                ? argument
                : "/" + argument.replace("~", "~0").replace("/", "~1");
    }

    /** The value without what the pointers name; objects and arrays on the way there are copied, all else is shared. */
    private static JsonNode without(JsonNode value, List<JsonPointer> pointers) {
        if (pointers.isEmpty() || !value.isContainerNode()) {
            return value;
        }
        if (value.isArray()) {
            ArrayNode rest = NODES.arrayNode(value.size());
            for (int i = 0; i < value.size(); i++) {
                List<JsonPointer> within = within(Integer.toString(i), pointers);
                if (within.stream().noneMatch(JsonPointer::matches)) {
                    rest.add(without(value.get(i), within));
                }
            }
            return rest;
        }
        ObjectNode rest = NODES.objectNode();
        for (var member : value.properties()) {
            List<JsonPointer> within = within(member.getKey(), pointers);
            if (within.stream().noneMatch(JsonPointer::matches)) {
                rest.set(member.getKey(), without(member.getValue(), within));
            }
        }
        return rest;
    }

    private static List<JsonPointer> within(String step, List<JsonPointer> pointers) {
        return pointers.stream()
                .filter(pointer -> pointer.matchesProperty(step))
                .map(JsonPointer::tail)
                .toList();
    }
}
