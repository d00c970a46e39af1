package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.events.Event;
import dev.countersign.server.events.Followers;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Streams of what becomes of a task: each time another state of it, until it has ended. Confined to one loop. */
final class TaskStream {
    private static final String TYPE = "task";

    private final Followers waiting;
    private final Set<EventStream> streams = new HashSet<>();

    TaskStream(Followers waiting) {
        this.waiting = waiting;
    }

    /** Whether a request wants a stream. */
    static boolean wanted(RoutingContext ctx) {
        String accept = ctx.request().getHeader(HttpHeaders.ACCEPT);
        return accept != null && accept.toLowerCase(Locale.ROOT).contains("text/event-stream");
    }

    /** What is shown of a task, and whether that is the end. */
    record Shown(ObjectNode view, boolean ended) {}

    /**
     * Streams.
     *
     * @param tenant whose task it is
     * @param task its id
     * @param read reads it
     * @param good whether the client may still be told
     */
    void stream(RoutingContext ctx, String tenant, String task, Supplier<Future<Shown>> read, BooleanSupplier good) {
        var last = new Object() {
            String text = "";
            boolean over;
        };
        var stream = new EventStream(
                ctx.vertx(),
                ctx.response(),
                number -> read.get().map(shown -> {
                    String text = shown.view().toString();
                    if (text.equals(last.text)) {
                        // The end was sent with the look before.
                        last.over = shown.ended();
                        return List.<Event>of();
                    }
                    last.text = text;
                    return List.of(new Event(number + 1, TYPE, text));
                }),
                event -> true,
                () -> good.getAsBoolean() && !last.over,
                EventStream.Pace.RARE);
        Runnable wake = stream::wake;
        if (waiting.join(tenant, task, wake) != Followers.Admission.ADMITTED) {
            Problems.send(ctx, 429, "too_many_streams", "too many wait on this server already: ask from time to time");
            return;
        }
        streams.add(stream);
        stream.start(0, () -> {
            waiting.leave(tenant, task, wake);
            streams.remove(stream);
        });
    }

    /** Ends the streams of this loop, whose clients may go on elsewhere. */
    Future<?> close() {
        return Future.join(List.copyOf(streams).stream().map(EventStream::end).toList())
                .otherwiseEmpty();
    }
}
