package dev.countersign.server.http;

import dev.countersign.server.events.Event;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client that follows events (server-sent events, HTML Living Standard 9.2). It reads a page when it is woken, and now
 * and then in any case, and only once the client has taken what was sent before: so no client makes it hold more than a
 * page and what the connection buffers, and one that takes nothing for too long is cut off. Confined to its loop, but for
 * {@link #wake}.
 */
final class EventStream {
    private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

    /** How many events are read at once. */
    static final int PAGE = 50;

    private static final long READ_SECONDS = 5;

    /**
     * How often it looks whether all is well, and after how many looks it does what.
     *
     * @param lookMillis between two looks, at each of which it also reads
     * @param heartbeat looks without a word to the client, after which it gets a comment
     * @param patience looks at which the client had not taken what it was sent, after which it is cut off
     */
    record Pace(long lookMillis, int heartbeat, int patience) {
        /** A look a second, a heartbeat every 15 seconds, 20 seconds of patience. */
        static final Pace USUAL = new Pace(1_000, 15, 20);

        /** For what is woken and seldom changes: a look every five seconds, the rest as usual. */
        static final Pace RARE = new Pace(5_000, 3, 4);
    }

    /** Where events come from. */
    interface Source {
        /** The next {@link #PAGE} at most, after that number. */
        Future<List<Event>> after(long number);
    }

    private final Vertx vertx;
    private final Context loop;
    private final HttpServerResponse response;
    private final Source source;
    private final Predicate<Event> wanted;
    private final BooleanSupplier good;
    private final Pace pace;
    private Runnable ending = () -> {};
    private long after;
    private long timer;
    private int silent;
    private int stuck;
    private boolean reading;
    private boolean again;
    private boolean ended;

    /**
     * A stream that has not begun, of the loop that it is made on.
     *
     * @param wanted which events the client asked for
     * @param good whether the client may still be told
     */
    EventStream(
            Vertx vertx,
            HttpServerResponse response,
            Source source,
            Predicate<Event> wanted,
            BooleanSupplier good,
            Pace pace) {
        this.vertx = vertx;
        this.loop = vertx.getOrCreateContext();
        this.response = response;
        this.source = source;
        this.wanted = wanted;
        this.good = good;
        this.pace = pace;
    }

    /**
     * Begins.
     *
     * @param from the number of the event after which the stream goes on
     * @param whenEnded what to do once it has ended, whoever ended it
     */
    void start(long from, Runnable whenEnded) {
        after = from;
        ending = whenEnded;
        response.closeHandler(closed -> finish())
                .exceptionHandler(broken -> finish())
                .drainHandler(drained -> drained())
                .setChunked(true)
                .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                // A proxy that collects the answer would hold the events back.
                .putHeader("X-Accel-Buffering", "no");
        // An id without data is kept by the client: it can resume before the first event.
        write("retry: 1000\nid: " + from + "\n\n");
        timer = vertx.setPeriodic(pace.lookMillis(), look -> look());
        if (response.closed()) {
            // It was closed before there was anybody to hear of it.
            finish();
        }
        read();
    }

    /** There may be something new. May be called from any thread. */
    void wake() {
        loop.runOnContext(woken -> read());
    }

    /** Ends it; the client may come back for the rest. */
    Future<Void> end() {
        finish();
        return response.ended() || response.closed()
                ? Future.succeededFuture()
                : response.writeQueueFull() ? response.reset() : response.end();
    }

    private void finish() {
        if (!ended) {
            ended = true;
            vertx.cancelTimer(timer);
            ending.run();
        }
    }

    private void look() {
        if (!good.getAsBoolean()) {
            end();
        } else if (response.writeQueueFull()) {
            if (++stuck >= pace.patience()) {
                LOG.debug("a client that follows events takes none, and is cut off");
                finish();
                response.reset();
            }
        } else {
            stuck = 0;
            if (++silent >= pace.heartbeat()) {
                write(":\n\n");
            }
            read();
        }
    }

    private void drained() {
        stuck = 0;
        if (again) {
            read();
        }
    }

    private void read() {
        if (ended) {
            return;
        }
        again = reading || response.writeQueueFull();
        if (!again) {
            reading = true;
            source.after(after)
                    .timeout(READ_SECONDS, TimeUnit.SECONDS)
                    .onComplete(page -> loop.runOnContext(back -> take(page)));
        }
    }

    private void take(AsyncResult<List<Event>> read) {
        reading = false;
        if (ended) {
            return;
        }
        if (!good.getAsBoolean()) {
            end();
            return;
        }
        if (read.failed()) {
            // The next look reads again.
            LOG.debug("events could not be read: {}", read.cause().toString());
            return;
        }
        List<Event> page = read.result();
        send(page);
        if (again || page.size() == PAGE) {
            read();
        }
    }

    private void send(List<Event> page) {
        var frames = new StringBuilder();
        for (Event event : page) {
            after = event.number();
            if (wanted.test(event)) {
                frames.append("id: ")
                        .append(event.number())
                        .append("\nevent: ")
                        .append(event.type())
                        .append("\ndata: ")
                        .append(event.body())
                        .append("\n\n");
            }
        }
        if (!frames.isEmpty()) {
            write(frames.toString());
        }
    }

    private void write(String text) {
        silent = 0;
        response.write(text);
    }
}
