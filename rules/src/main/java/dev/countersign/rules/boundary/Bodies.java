package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.facts.Stored;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes values at spots into the body of an AuthZEN evaluation request. */
final class Bodies {
    /** Where a body shows what is to be stored of the entities that it names. */
    private static final String ENTITIES = "entities";

    private Bodies() {}

    /** The body in which these values stand at these spots, {@code null} for none; what is required is always there. */
    static ObjectNode of(List<Spot> spots, List<@Nullable Object> values) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("subject").put("type", "agent").put("id", "a-1");
        body.putObject("action").put("name", "run");
        body.putObject("resource").put("type", "tool").put("id", "t-1");
        int type = spots.indexOf(Spot.RESOURCE_TYPE);
        if (type >= 0) {
            put(body, Spot.RESOURCE_TYPE, values.get(type)); // first: it says where arguments stand
        }
        for (int i = 0; i < spots.size(); i++) {
            if (i != type) {
                put(body, spots.get(i), values.get(i));
            }
        }
        return body;
    }

    /** The call of such a body, for which the store of entities says what stands in it. */
    static Call call(List<Spot> spots, ObjectNode body) throws BadCall {
        Call call = Call.of(body);
        var references = new HashMap<Reference, Found>();
        for (Spot spot : spots) {
            Reference reference = spot.reference();
            if (reference != null) {
                JsonNode properties = body.path(ENTITIES).path(reference.name());
                references.put(reference, entity(properties));
            }
        }
        return call.with(new Stored(
                entity(call.subject().path("properties")),
                entity(call.resource().path("properties")),
                Map.copyOf(references)));
    }

    private static Found entity(JsonNode properties) {
        return properties.isObject()
                ? new Found.Entity(new EntityKey("any", "any"), properties, 0, null)
                : Found.Nothing.UNKNOWN;
    }

    private static void put(ObjectNode body, Spot spot, @Nullable Object value) {
        SourcePath.Root root = spot.root();
        if (root == null || !(value instanceof JsonNode node)) {
            return;
        }
        ObjectNode at = switch (root) {
            case SUBJECT -> object(body, "subject");
            case ACTION -> object(body, "action");
            case RESOURCE -> object(body, "resource");
            case CONTEXT -> object(body, "context");
            case ARGUMENTS -> {
                boolean tool = body.at("/resource/type").asText().equals("tool");
                yield object(object(body, tool ? "resource" : "action"), "properties");
            }
            case ENTITIES -> {
                Reference reference = spot.reference();
                yield object(object(body, ENTITIES), reference == null ? "" : reference.name());
            }
        };
        int last = spot.steps().size() - 1;
        for (String step : spot.steps().subList(0, last)) {
            at = object(at, step);
        }
        at.set(spot.steps().get(last), node);
    }

    private static ObjectNode object(ObjectNode in, String name) {
        return in.get(name) instanceof ObjectNode object ? object : in.putObject(name);
    }
}
