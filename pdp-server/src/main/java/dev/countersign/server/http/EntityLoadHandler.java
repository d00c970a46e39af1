package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.entities.BulkLoad;
import dev.countersign.server.entities.EntityStore;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.live.KeyEndedException;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /api/v1/entities}: many entities, one JSON object a line, stored part by part while they come in. The answer
 * is a line of JSON for each part that is stored, and a last one that says how it went. A client that does not read them
 * misses lines in between and holds up nothing.
 */
final class EntityLoadHandler {
    static final String PATH = "/api/v1/entities";
    static final String MEDIA = "application/x-ndjson";

    /** The most bytes of one load. */
    static final long MAX_BYTES = 1L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(EntityLoadHandler.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** What is stored at once: it takes some ten milliseconds, for which other writers of entities wait. */
    private static final int PART_BYTES = 256 * 1024;

    private final Callers callers;
    private final EntityStore store;

    EntityLoadHandler(Callers callers, EntityStore store) {
        this.callers = callers;
        this.store = store;
    }

    /** Whether the body of a request is a load, which is too large to be held. */
    static boolean takes(RoutingContext ctx) {
        if (!ctx.request().method().equals(HttpMethod.POST)) {
            return false;
        }
        try {
            // By the path that routes go by: a load under another spelling would be read before it begins.
            String path = ctx.normalizedPath();
            return PATH.equals(path) || (PATH + "/").equals(path);
        } catch (IllegalArgumentException e) {
            return false; // a path that no route has
        }
    }

    void load(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
        if (caller == null) {
            return;
        }
        String type = ctx.request().headers().get(HttpHeaders.CONTENT_TYPE);
        if (type == null
                || !type.split(";", 2)[0].trim().toLowerCase(Locale.ROOT).equals(MEDIA)) {
            String detail = "the body must be one JSON object a line, with Content-Type: " + MEDIA;
            Problems.send(ctx, 415, "unsupported_media_type", detail);
            return;
        }
        if ("100-continue".equalsIgnoreCase(ctx.request().headers().get(HttpHeaders.EXPECT))) {
            ctx.response().writeContinue();
        }
        new Loading(ctx, new BulkLoad(store, caller.inTenant(), EntitiesHandler.relations(caller), caller.keyId()))
                .begin();
    }

    /** One load. Confined to its event loop; while a part is read and stored, no more is taken in. */
    private static final class Loading {
        private final RoutingContext ctx;
        private final HttpServerRequest request;
        private final HttpServerResponse response;
        private final BulkLoad load;
        private final Context loop;
        private Buffer pending = Buffer.buffer();
        /** Where the last whole line of what is pending ends. */
        private int wholeLines;

        private long bytes;
        private boolean skipping;
        private boolean busy;
        private boolean ended;
        private boolean over;

        Loading(RoutingContext ctx, BulkLoad load) {
            this.ctx = ctx;
            this.request = ctx.request();
            this.response = ctx.response();
            this.load = load;
            this.loop = ctx.vertx().getOrCreateContext();
        }

        void begin() {
            request.handler(this::take)
                    .endHandler(end -> {
                        ended = true;
                        advance();
                    })
                    .exceptionHandler(gone -> over = true);
        }

        private void take(Buffer some) {
            if (over) {
                return;
            }
            bytes += some.length();
            int end = lineEnd(some);
            wholeLines = end == 0 ? wholeLines : pending.length() + end;
            pending.appendBuffer(some);
            if (bytes > MAX_BYTES) {
                finish(413, "too_large", "a load has at most " + MAX_BYTES + " bytes: send the rest by another one");
            } else if (pending.length() >= PART_BYTES) {
                advance();
            }
        }

        private void advance() {
            if (busy || over) {
                return;
            }
            skip();
            int end = ended ? pending.length() : pending.length() < PART_BYTES ? 0 : wholeLines;
            if (end == 0 && ended) {
                finish();
                return;
            }
            if (end == 0) {
                if (pending.length() > BulkLoad.MAX_LINE) {
                    skipping = true;
                    left(Buffer.buffer());
                }
                request.resume();
                return;
            }
            byte[] part = pending.getBytes(0, end);
            left(pending.getBuffer(end, pending.length()));
            busy = true;
            request.pause();
            ctx.vertx()
                    .executeBlocking(() -> load.read(part), false)
                    .compose(load::write)
                    .onComplete(done -> loop.runOnContext(back -> {
                        busy = false;
                        if (done.failed()) {
                            failed(done.cause());
                        } else {
                            progress();
                            advance();
                        }
                    }));
        }

        /** Leaves out what belongs to a line that is too long. */
        private void skip() {
            if (!skipping) {
                return;
            }
            int end = 0;
            while (end < pending.length() && pending.getByte(end) != '\n') {
                end++;
            }
            boolean whole = end < pending.length();
            left(whole ? pending.getBuffer(end + 1, pending.length()) : Buffer.buffer());
            if (whole || ended) {
                skipping = false;
                load.tooLong();
            }
        }

        private void left(Buffer rest) {
            pending = rest;
            wholeLines = lineEnd(rest);
        }

        private static int lineEnd(Buffer text) {
            int end = text.length();
            while (end > 0 && text.getByte(end - 1) != '\n') {
                end--;
            }
            return end;
        }

        private void progress() {
            if (!over && !response.closed() && !response.writeQueueFull()) {
                head();
                response.write(counts().toString() + "\n");
            }
        }

        private void head() {
            if (!response.headWritten()) {
                Answers.count(ctx);
                response.setChunked(true).putHeader(HttpHeaders.CONTENT_TYPE, MEDIA);
            }
        }

        private ObjectNode counts() {
            return JSON.createObjectNode()
                    .put("lines", load.lines())
                    .put("stored", load.stored())
                    .put("refused", load.refused());
        }

        private void failed(Throwable cause) {
            if (cause instanceof KeyEndedException) {
                finish(401, "unauthorized", Callers.NEEDED);
                return;
            }
            LOG.warn("a load of entities ended at line {}: {}", load.lines(), cause.toString());
            finish(
                    503,
                    "database_away",
                    "the database does not answer; some of the lines up to " + load.lines()
                            + " may not be stored: send all of them again");
        }

        private void finish() {
            end(counts().put("done", true), null);
        }

        /** Ends a load that went wrong: with a problem, or as the last line where the answer has begun. */
        private void finish(int status, String kind, String detail) {
            if (over) {
                return;
            }
            if (!response.headWritten()) {
                over = true;
                request.resume();
                Problems.send(ctx, status, kind, detail);
                return;
            }
            end(counts().put("done", false), Problems.body(status, kind, detail));
        }

        private void end(ObjectNode last, @Nullable ObjectNode problem) {
            over = true;
            if (response.closed()) {
                return;
            }
            if (problem != null) {
                last.set("problem", problem);
            }
            ArrayNode mistakes = last.putArray("mistakes");
            load.mistakes()
                    .forEach(one -> mistakes.addObject().put("line", one.line()).put("message", one.message()));
            head();
            response.end(last.toString() + "\n");
            request.resume();
        }
    }
}
