package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.history.Past;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Lists by id, a page at a time: {@code limit}, {@code after} (an id), and in the answer {@code next}. */
final class Pages {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Pages() {}

    /** Where a page comes from. */
    interface Reading<T> {
        /** At most {@code limit} of them, from the one after {@code after} on. */
        Future<List<T>> page(@Nullable String after, int limit);
    }

    /**
     * Answers with the page that the query asks for.
     *
     * @param member the member that holds them
     * @param view how one is shown, with its {@code id}
     */
    static <T> void send(RoutingContext ctx, String member, Reading<T> reading, Function<T, ObjectNode> view) {
        send(ctx, member, "id", reading, view);
    }

    /** The same of what has its key in the member {@code key}. */
    static <T> void send(
            RoutingContext ctx, String member, String key, Reading<T> reading, Function<T, ObjectNode> view) {
        try {
            int limit = Parameters.limit(ctx);
            Waiting.read(ctx, reading.page(Parameters.text(ctx, "after"), limit), page -> {
                ObjectNode out = JSON.createObjectNode();
                ArrayNode all = out.putArray(member);
                page.forEach(one -> all.add(view.apply(one)));
                if (page.size() == limit) {
                    out.set("next", all.get(limit - 1).get(key));
                }
                Bodies.send(ctx, 200, out);
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** Where what became of something comes from. */
    interface Remembering {
        /** At most {@code limit} versions, from the one after {@code after} on. */
        Future<List<Past>> page(long after, int limit);
    }

    /**
     * Answers with a page of what became of something, by version.
     *
     * @param member the member that holds it as it was from each version on
     * @param unknown answers that there never was such a thing
     */
    static void history(RoutingContext ctx, String member, Remembering remembering, Runnable unknown) {
        try {
            long from = Parameters.number(ctx, "after");
            int limit = Parameters.limit(ctx);
            Waiting.read(ctx, remembering.page(from, limit), past -> {
                if (past.isEmpty() && from == 0) {
                    unknown.run();
                    return;
                }
                ObjectNode out = JSON.createObjectNode();
                ArrayNode all = out.putArray("history");
                past.forEach(each -> all.add(view(member, each)));
                if (past.size() == limit) {
                    out.put("next", past.get(limit - 1).version());
                }
                Bodies.send(ctx, 200, out);
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static ObjectNode view(String member, Past past) {
        ObjectNode out = JSON.createObjectNode().put("version", past.version());
        out.set(member, past.entry());
        out.put("changed_at", past.at().toString());
        if (past.by() != null) {
            out.put("changed_by", past.by());
        }
        return past.proposal() == null
                ? out
                : out.put("proposal", past.proposal().toString());
    }
}
