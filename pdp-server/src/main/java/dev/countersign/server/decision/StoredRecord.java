package dev.countersign.server.decision;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.SourcePath.Root;
import dev.countersign.rules.facts.Stored;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * What the store of entities said for a decision, as its record holds it: a list with one object for the subject, the
 * resource and each reference that rules may read, of the members that they may read. Credentials in it are digests, as
 * everywhere in the record, and so are members of more than 4,096 bytes.
 */
final class StoredRecord {
    private static final int LONGEST = 4_096;
    private static final String SUBJECT = "subject";
    private static final String RESOURCE = "resource";

    private StoredRecord() {}

    /** Writes the member {@code entities} for a call that needed any. */
    static void write(JsonGenerator json, Redaction redaction, EntityNeeds needs, Call call) throws IOException {
        Stored stored = call.stored();
        if (stored == null) {
            return;
        }
        json.writeArrayFieldStart("entities");
        one(json, redaction, SUBJECT, stored.subject(), found -> needs.used(Root.SUBJECT, found));
        one(json, redaction, RESOURCE, stored.resource(), found -> needs.used(Root.RESOURCE, found));
        for (Reference reference : needs.references()) {
            Found found = stored.of(reference);
            one(json, redaction, reference.name(), found, entity -> needs.used(reference, entity));
        }
        json.writeEndArray();
    }

    private static void one(
            JsonGenerator json, Redaction redaction, String as, Found found, Function<Found, ObjectNode> used)
            throws IOException {
        if (found == Found.Nothing.UNAVAILABLE && !as.equals(SUBJECT) && !as.equals(RESOURCE)) {
            json.writeStartObject();
            json.writeStringField("as", as);
            json.writeBooleanField("unavailable", true);
            json.writeEndObject();
        } else if (found instanceof Found.Entity entity) {
            json.writeStartObject();
            json.writeStringField("as", as);
            json.writeStringField("type", entity.key().type());
            json.writeStringField("id", entity.key().id());
            json.writeNumberField("version", entity.version());
            if (entity.pack() != null) {
                json.writeStringField("pack", entity.pack());
            }
            json.writeFieldName("properties");
            redaction.write(json, shortened(used.apply(found)));
            json.writeEndObject();
        } else if (found == Found.Nothing.UNKNOWN) {
            json.writeStartObject();
            json.writeStringField("as", as);
            json.writeBooleanField("unknown", true);
            json.writeEndObject();
        }
    }

    private static ObjectNode shortened(ObjectNode properties) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        properties.properties().forEach(member -> {
            String text = member.getValue().toString();
            out.set(
                    member.getKey(),
                    text.length() <= LONGEST
                            ? member.getValue()
                            : JsonNodeFactory.instance.objectNode().put("sha256", Sha256.hex(text)));
        });
        return out;
    }

    /** The call of a record, with what the store said when it was decided, as far as the record holds that. */
    static Call recorded(JsonNode entry, EntityNeeds needs, Call call) {
        JsonNode entities = entry.path("entities");
        if (!entities.isArray()) {
            return call;
        }
        var references = new HashMap<Reference, Found>();
        needs.references().forEach(reference -> references.put(reference, found(entities, reference.name())));
        return call.with(new Stored(found(entities, SUBJECT), found(entities, RESOURCE), Map.copyOf(references)));
    }

    private static Found found(JsonNode entities, String as) {
        for (JsonNode each : entities) {
            if (each.path("as").asText().equals(as)) {
                if (each.path("unknown").asBoolean()) {
                    return Found.Nothing.UNKNOWN;
                }
                if (each.has("properties")) {
                    return new Found.Entity(
                            new EntityKey(
                                    each.path("type").asText(), each.path("id").asText()),
                            each.path("properties"),
                            each.path("version").asLong(),
                            each.path("pack").textValue());
                }
            }
        }
        return Found.Nothing.UNAVAILABLE;
    }
}
