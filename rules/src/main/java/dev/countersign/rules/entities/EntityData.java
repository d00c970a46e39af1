package dev.countersign.rules.entities;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.StrictJson;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is stored of one entity, as it is written in requests and files: its attributes and its relations, all within
 * their bounds.
 *
 * @param attributes an object of at most 64 KiB of JSON, without members that have the name of a relation
 * @param roles its roles, each once
 * @param groups the groups that it is in, each once
 * @param owner the id of the user to whom it belongs, or {@code null}
 * @param delegates the ids of the users who may act for it, each once
 */
public record EntityData(
        ObjectNode attributes,
        List<String> roles,
        List<String> groups,
        @Nullable String owner,
        List<String> delegates) {
    /** The largest attributes, in bytes of JSON. */
    public static final int MAX_ATTRIBUTES = 64 * 1024;

    /** The most entries of a relation. */
    public static final int MAX_ENTRIES = 1_000;

    private static final String ATTRIBUTES = "attributes";
    private static final String ROLES = "roles";
    private static final String GROUPS = "groups";
    private static final String OWNER = "owner";
    private static final String DELEGATES = "delegates";

    /** The names that no attribute may have, as a relation would hide it. */
    private static final Set<String> RELATIONS = Set.of(ROLES, GROUPS, OWNER, DELEGATES);

    private static final Set<String> MEMBERS = Set.of(ATTRIBUTES, ROLES, GROUPS, OWNER, DELEGATES);

    /** An entity with its name, as a line of a file holds it. */
    public record Named(EntityKey key, EntityData data) {}

    /**
     * What {@code body} says of an entity; members that are not there are empty.
     *
     * @throws BadCall if a member is unknown, of another type or beyond its bounds; the message names it
     */
    public static EntityData of(JsonNode body) throws BadCall {
        return of(body, Set.of());
    }

    /**
     * The entity of one line: the same members, and {@code type} and {@code id}.
     *
     * @throws BadCall if the line is not such an object; the message says why, without the line's number
     */
    public static Named line(byte[] json) throws BadCall {
        JsonNode body;
        try {
            body = StrictJson.read(json);
        } catch (BadCall e) {
            throw new BadCall(String.valueOf(e.getMessage()).replace(" at line 1, column", " at column"));
        }
        var key = new EntityKey(name(body, "type"), name(body, "id"));
        return new Named(key, of(body, Set.of("type", "id")));
    }

    private static EntityData of(JsonNode body, Set<String> more) throws BadCall {
        if (!body.isObject()) {
            throw new BadCall("an entity is a JSON object");
        }
        for (Map.Entry<String, JsonNode> member : body.properties()) {
            if (!MEMBERS.contains(member.getKey()) && !more.contains(member.getKey())) {
                throw new BadCall("an entity has no member `" + shown(member.getKey()) + "`");
            }
        }
        return new EntityData(
                attributes(body.get(ATTRIBUTES)),
                texts(body, ROLES),
                texts(body, GROUPS),
                owner(body.get(OWNER)),
                texts(body, DELEGATES));
    }

    private static String name(JsonNode body, String member) throws BadCall {
        JsonNode value = body.get(member);
        if (value == null || !value.isTextual() || !EntityKey.valid(value.textValue())) {
            throw new BadCall("`" + member + "` is a text of 1 to " + EntityKey.MAX_LENGTH + " characters without NUL");
        }
        return value.textValue();
    }

    private static ObjectNode attributes(@Nullable JsonNode value) throws BadCall {
        if (value == null) {
            return JsonNodeFactory.instance.objectNode();
        }
        if (!(value instanceof ObjectNode object)) {
            throw new BadCall("`attributes` is an object");
        }
        for (String relation : RELATIONS) {
            if (object.has(relation)) {
                throw new BadCall("`attributes." + relation + "` would hide a relation: write `" + relation
                        + "` beside `attributes`");
            }
        }
        int bytes = object.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MAX_ATTRIBUTES) {
            throw new BadCall("`attributes` has at most " + MAX_ATTRIBUTES + " bytes of JSON, not " + bytes);
        }
        return object;
    }

    private static @Nullable String owner(@Nullable JsonNode value) throws BadCall {
        return value == null || value.isNull() ? null : entry(OWNER, value);
    }

    private static List<String> texts(JsonNode body, String member) throws BadCall {
        JsonNode value = body.get(member);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw new BadCall("`" + member + "` is a list of texts");
        }
        if (value.size() > MAX_ENTRIES) {
            throw new BadCall("`" + member + "` has at most " + MAX_ENTRIES + " entries, not " + value.size());
        }
        var out = new LinkedHashSet<String>();
        for (JsonNode entry : value) {
            out.add(entry(member, entry));
        }
        return List.copyOf(out);
    }

    private static String entry(String member, JsonNode value) throws BadCall {
        if (!value.isTextual() || !EntityKey.valid(value.textValue())) {
            throw new BadCall((member.equals(OWNER) ? "`owner` is" : "an entry of `" + member + "` is")
                    + " a text of 1 to " + EntityKey.MAX_LENGTH + " characters without NUL");
        }
        return value.textValue();
    }

    private static String shown(String name) {
        return name.length() <= 100 ? name : name.substring(0, 100) + "...";
    }

    /** What rules read of it: its attributes, and its relations beside them. */
    public ObjectNode properties() {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.setAll(attributes);
        return relations(out);
    }

    /** The same members as {@link #of} reads. */
    public ObjectNode toJson() {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.set(ATTRIBUTES, attributes);
        return relations(out);
    }

    /** Its relations alone. */
    public ObjectNode relations() {
        return relations(JsonNodeFactory.instance.objectNode());
    }

    private ObjectNode relations(ObjectNode out) {
        put(out, ROLES, roles);
        put(out, GROUPS, groups);
        if (owner != null) {
            out.put(OWNER, owner);
        }
        put(out, DELEGATES, delegates);
        return out;
    }

    private static void put(ObjectNode out, String name, List<String> texts) {
        var array = out.putArray(name);
        texts.forEach(array::add);
    }

    /** Whether the relations of both are the same. */
    public boolean sameRelations(EntityData other) {
        return roles.equals(other.roles)
                && groups.equals(other.groups)
                && Objects.equals(owner, other.owner)
                && delegates.equals(other.delegates);
    }

    /** Whether it has any relation. */
    public boolean related() {
        return owner != null || !roles.isEmpty() || !groups.isEmpty() || !delegates.isEmpty();
    }
}
