package dev.countersign.server.decision;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Call;
import java.util.ArrayList;
import java.util.List;

/**
 * Who acts for the subject of a call, as the caller claims it ({@code subject.properties.act}, RFC 8693). Nobody has verified
 * that: it lets nothing run. But rules may read it, so an approval is for the actors that were denied, and none of them
 * reviews.
 */
public final class Actors {
    private static final int MOST = 20;

    private Actors() {}

    /** The names in the chain, the nearest first. */
    public static List<String> of(Call call) {
        var names = new ArrayList<String>(0);
        JsonNode act = call.subject().path("properties").path("act");
        for (int depth = 0; act.isObject() && depth < MOST; depth++) {
            for (String member : List.of("sub", "id")) {
                if (act.path(member).isTextual()) {
                    names.add(act.path(member).textValue());
                }
            }
            act = act.path("act");
        }
        return List.copyOf(names);
    }
}
