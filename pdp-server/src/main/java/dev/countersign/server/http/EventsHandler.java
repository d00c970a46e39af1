package dev.countersign.server.http;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.events.Event;
import dev.countersign.server.events.EventRecords;
import dev.countersign.server.events.Followers;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/v1/events}: the events of the caller's tenant in their order, by the page or as a stream. */
final class EventsHandler {
    private static final Role[] ROLES = {Role.AUDIT_READ, Role.ADMIN};
    private static final long GOODBYE_SECONDS = 1;

    private final Callers callers;
    private final EventRecords records;
    private final Followers followers;
    private final Set<EventStream> streams = new HashSet<>();

    EventsHandler(Callers callers, EventRecords records, Followers followers) {
        this.callers = callers;
        this.records = records;
        this.followers = followers;
    }

    /** A page: {@code limit}, {@code after} (a cursor), {@code type}; or a stream, if the client accepts that. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, ROLES);
        if (caller == null) {
            return;
        }
        try {
            String tenant = caller.inTenant();
            String type = Parameters.text(ctx, "type");
            Long after = cursor("after", Parameters.text(ctx, "after"));
            if (!streaming(ctx)) {
                page(ctx, tenant, type, after == null ? 0 : after, Parameters.limit(ctx));
                return;
            }
            // A client that was cut off asks for the same path again, and says how far it came.
            Long seen = cursor("Last-Event-ID", ctx.request().getHeader("Last-Event-ID"));
            Long from = seen == null ? after : seen;
            if (from == null) {
                Waiting.read(ctx, records.last(tenant), last -> follow(ctx, tenant, type, last));
            } else {
                follow(ctx, tenant, type, from);
            }
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static boolean streaming(RoutingContext ctx) {
        String accept = ctx.request().getHeader(HttpHeaders.ACCEPT);
        return ctx.request().method().equals(HttpMethod.GET)
                && accept != null
                && accept.toLowerCase(Locale.ROOT).contains("text/event-stream");
    }

    private static @Nullable Long cursor(String name, @Nullable String text) throws BadCall {
        if (text == null || text.isEmpty()) {
            return null;
        }
        if (!text.matches("[0-9]{1,18}")) {
            throw new BadCall("`" + name + "` is the `next` of a page or the id of an event of the stream");
        }
        return Long.valueOf(text);
    }

    private void page(RoutingContext ctx, String tenant, @Nullable String type, long after, int limit) {
        Waiting.read(ctx, records.page(tenant, after, type, limit), events -> {
            var out = new StringBuilder("{\"events\":[");
            for (Event event : events) {
                out.append(out.charAt(out.length() - 1) == '[' ? "" : ",").append(event.body());
            }
            long next = events.isEmpty() ? after : events.get(events.size() - 1).number();
            ctx.response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                    .end(out.append("],\"next\":\"").append(next).append("\"}").toString());
        });
    }

    private void follow(RoutingContext ctx, String tenant, @Nullable String type, long from) {
        if (ctx.response().closed()) {
            return;
        }
        String authorization = ctx.request().getHeader(HttpHeaders.AUTHORIZATION);
        var stream = new EventStream(
                ctx.vertx(),
                ctx.response(),
                number -> records.page(tenant, number, null, EventStream.PAGE),
                event -> type == null || type.equals(event.type()),
                () -> callers.still(authorization, ROLES),
                EventStream.Pace.USUAL);
        Runnable wake = stream::wake;
        switch (followers.join(tenant, tenant, wake)) {
            case TENANT_FULL ->
                Problems.send(
                        ctx,
                        429,
                        "too_many_streams",
                        "the tenant follows events on this server as often as it may: end a stream, or read pages");
            case SERVER_FULL ->
                Problems.send(ctx, 503, "too_many_streams", "the server has as many streams as it bears: read pages");
            case ADMITTED -> {
                streams.add(stream);
                stream.start(from, () -> {
                    followers.leave(tenant, tenant, wake);
                    streams.remove(stream);
                });
            }
        }
    }

    /** Ends the streams of this loop, whose clients may go on elsewhere. */
    Future<?> close() {
        return Future.join(List.copyOf(streams).stream().map(EventStream::end).toList())
                .timeout(GOODBYE_SECONDS, TimeUnit.SECONDS)
                .otherwiseEmpty();
    }
}
