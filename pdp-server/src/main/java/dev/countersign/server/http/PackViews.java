package dev.countersign.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.packs.InForce;
import dev.countersign.server.packs.PackVersion;
import dev.countersign.server.packs.ShadowRecords;
import dev.countersign.server.policy.PackPublishing.Preview;
import dev.countersign.server.policy.TenantState;
import java.util.List;

/** How published packs are shown. */
final class PackViews {
    private static final ObjectMapper JSON = new ObjectMapper();

    private PackViews() {}

    static ObjectNode of(long version, List<ShadowRecords.Pair> pairs) {
        ObjectNode out = JSON.createObjectNode().put("version", version);
        out.put("compared", pairs.stream().mapToLong(ShadowRecords.Pair::count).sum());
        ArrayNode differences = out.putArray("differences");
        for (ShadowRecords.Pair pair : pairs) {
            if (!pair.answered().equals(pair.said())) {
                ObjectNode difference = differences
                        .addObject()
                        .put("answered", pair.answered())
                        .put("said", pair.said())
                        .put("count", pair.count());
                ArrayNode examples = difference.putArray("examples");
                pair.examples()
                        .forEach(example -> examples.addObject()
                                .put("decision", example.decision().toString())
                                .put("at", example.at().toString()));
            }
        }
        return out;
    }

    static ObjectNode of(Preview preview) {
        ObjectNode out = JSON.createObjectNode();
        if (preview instanceof Preview.Good good) {
            out.put("publishable", true)
                    .put("digest", good.pack().digest())
                    .put("widens", good.difference().widens());
            out.set("report", good.checked().report());
            out.set("diff", json(good.difference().json()));
        } else if (preview instanceof Preview.Conflict conflict) {
            out.put("publishable", false).put("problem", conflict.why());
            out.set("report", conflict.checked().report());
        } else if (preview instanceof Preview.Failed failed) {
            out.put("publishable", false).set("report", failed.checked().report());
        }
        return out;
    }

    static ObjectNode of(InForce pack, TenantState state) {
        ObjectNode out = JSON.createObjectNode().put("name", pack.name()).put("change", pack.change());
        out.put("active", pack.active()).put("shadow", pack.shadow()).put("latest", pack.latest());
        if (pack.at() != null) {
            out.put("changed_at", pack.at().toString()).put("changed_by", pack.by());
        }
        String problem = state.packs().unusable().get(pack.name());
        return problem == null ? out : out.put("problem", problem);
    }

    static ObjectNode of(PackVersion version) {
        ObjectNode out = JSON.createObjectNode()
                .put("name", version.name())
                .put("version", version.version())
                .put("declared", version.declared())
                .put("digest", version.digest())
                .put("published_at", version.at().toString())
                .put("published_by", version.by());
        return version.person() == null
                ? out
                : out.put("published_person", version.person().toString());
    }

    static ObjectNode whole(PackVersion version) {
        ObjectNode out = of(version);
        out.set("report", json(version.report()));
        out.set("diff", json(version.diff()));
        return out;
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a pack is stored with what is no JSON", e);
        }
    }
}
