package dev.countersign.rules.entities;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.facts.Unavailable;
import dev.countersign.rules.facts.Vocabulary;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The store of entities as a test case of a pack gives it: what the pack carries, over it the properties of the subject and
 * of the resource that the case writes, and the attributes of other entities that it sets by name.
 */
public final class GivenEntities {
    private static final String EVERY = "*";

    private final EntityNeeds needs;
    private final PackEntities carried;
    private final Map<String, Attribute> named = new TreeMap<>();

    /** The store for the cases of a pack with these names and entities. */
    public GivenEntities(Vocabulary vocabulary, PackEntities carried) {
        this.needs = EntityNeeds.of(vocabulary.attributes().values());
        this.carried = carried;
        vocabulary.attributes().forEach((name, attribute) -> {
            if (attribute.source() != null && attribute.source().reference() != null) {
                named.put(name, attribute);
            }
        });
    }

    /** The attributes that a case may set by name: those of entities that a call names. */
    public Set<String> names() {
        return Collections.unmodifiableSet(named.keySet());
    }

    /**
     * The call with what the store says.
     *
     * @param given values of attributes of entities that the call names, by name
     * @throws BadCall if the call does not name an entity of which a value is given
     */
    public Call call(Call call, Map<String, JsonNode> given) throws BadCall {
        Found subject = over(new EntityKey(call.subjectType(), call.subjectId()), call.subject());
        Found resource = call.toolCall()
                ? Found.Nothing.UNKNOWN
                : over(new EntityKey(call.resourceType(), call.resourceId()), call.resource());
        var references = new HashMap<Reference, Found>();
        for (Reference reference : needs.references()) {
            Object id = reference.id().read(call.with(new Stored(subject, resource, references)));
            Found found = id instanceof String text
                    ? carried.find(new EntityKey(reference.type(), text))
                    : id == Unavailable.VALUE ? Found.Nothing.UNAVAILABLE : Found.Nothing.UNKNOWN;
            references.put(reference, over(reference, id, found, given));
        }
        return call.with(new Stored(subject, resource, Map.copyOf(references)));
    }

    private Found over(EntityKey key, JsonNode part) {
        Found found = carried.find(key);
        if (!(part.get("properties") instanceof ObjectNode properties)) {
            return found;
        }
        ObjectNode all = properties(found);
        all.setAll(properties);
        return new Found.Entity(key, all, 0, null);
    }

    private Found over(Reference reference, @Nullable Object id, Found found, Map<String, JsonNode> given)
            throws BadCall {
        ObjectNode all = properties(found);
        boolean any = false;
        for (Map.Entry<String, JsonNode> value : given.entrySet()) {
            Attribute attribute = named.get(value.getKey());
            SourcePath path = attribute == null ? null : attribute.source();
            if (path != null && reference.equals(path.reference())) {
                any = true;
                put(all, path.steps(), value.getValue());
            }
        }
        SourcePath from = reference.id().source();
        if (any && !(id instanceof String) && from != null && from.reference() == null) {
            throw new BadCall(
                    "it names no `" + reference.name() + "` (" + from.text() + "), of which a value is given");
        }
        return any ? new Found.Entity(new EntityKey(reference.type(), String.valueOf(id)), all, 0, null) : found;
    }

    private static ObjectNode properties(Found found) {
        return found instanceof Found.Entity entity && entity.properties() instanceof ObjectNode object
                ? object
                : JsonNodeFactory.instance.objectNode();
    }

    private static void put(ObjectNode at, List<String> steps, JsonNode value) {
        String step = steps.get(0);
        List<String> rest = steps.subList(1, steps.size());
        if (rest.isEmpty()) {
            at.set(step, value);
        } else if (rest.get(0).equals(EVERY)) {
            at.set(step, value.isArray() ? elements(at.get(step), rest.subList(1, rest.size()), value) : value);
        } else {
            JsonNode next = at.get(step);
            put(next instanceof ObjectNode object ? object : at.putObject(step), rest, value);
        }
    }

    /** As many elements as values, each with its own; what else is known of an element stays. */
    private static ArrayNode elements(@Nullable JsonNode before, List<String> rest, JsonNode values) {
        ArrayNode out = JsonNodeFactory.instance.arrayNode();
        for (JsonNode value : values) {
            JsonNode old = before == null ? null : before.get(out.size());
            if (rest.isEmpty()) {
                out.add(value);
            } else if (rest.get(0).equals(EVERY)) {
                out.add(elements(
                        old,
                        rest.subList(1, rest.size()),
                        JsonNodeFactory.instance.arrayNode().add(value)));
            } else {
                ObjectNode element = old instanceof ObjectNode object ? object : JsonNodeFactory.instance.objectNode();
                boolean deeper = rest.contains(EVERY);
                put(element, rest, deeper ? JsonNodeFactory.instance.arrayNode().add(value) : value);
                out.add(element);
            }
        }
        return out;
    }
}
