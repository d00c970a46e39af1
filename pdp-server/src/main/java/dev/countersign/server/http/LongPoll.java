package dev.countersign.server.http;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.events.Followers;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Answers that wait until something has happened, on whatever server, or until their time is up. They are woken by
 * PostgreSQL; as a notification may be lost, they also look from time to time.
 */
final class LongPoll {
    private static final long MOST_SECONDS = 50;
    private static final long LOOK_MILLIS = 5_000;
    private static final long READ_SECONDS = 5;

    private final Followers waiting;

    /** @param waiting who waits for what */
    LongPoll(Followers waiting) {
        this.waiting = waiting;
    }

    /** How many seconds a request wants to wait: {@code wait}, 0 if it does not. */
    static long seconds(RoutingContext ctx) throws BadCall {
        long seconds = Parameters.number(ctx, "wait");
        if (seconds > MOST_SECONDS) {
            throw new BadCall("`wait` is a number of seconds, at most " + MOST_SECONDS);
        }
        return seconds;
    }

    /**
     * Goes on with what is read, once it is settled or the time is up. Where too many wait already, it does not wait.
     *
     * @param tenant whose it is
     * @param topic of what may happen
     * @param seconds how long to wait
     * @param good whether the client may still be told, which is asked before it is
     * @param read reads it
     */
    <T> void until(
            RoutingContext ctx,
            String tenant,
            String topic,
            long seconds,
            BooleanSupplier good,
            Supplier<Future<T>> read,
            Predicate<T> settled,
            Consumer<T> then) {
        if (seconds == 0) {
            Waiting.read(ctx, read.get(), then);
        } else {
            new Poll<>(ctx, tenant, topic, good, read, settled, then).start(seconds);
        }
    }

    private final class Poll<T> {
        private final RoutingContext ctx;
        private final Vertx vertx;
        private final Context loop;
        private final String tenant;
        private final String topic;
        private final BooleanSupplier good;
        private final Supplier<Future<T>> read;
        private final Predicate<T> settled;
        private final Consumer<T> then;
        private final Runnable wake = this::wake;
        private long look;
        private long deadline;
        private boolean reading;
        private boolean again;
        private boolean over;
        private boolean done;

        Poll(
                RoutingContext ctx,
                String tenant,
                String topic,
                BooleanSupplier good,
                Supplier<Future<T>> read,
                Predicate<T> settled,
                Consumer<T> then) {
            this.ctx = ctx;
            this.vertx = ctx.vertx();
            this.loop = vertx.getOrCreateContext();
            this.tenant = tenant;
            this.topic = topic;
            this.good = good;
            this.read = read;
            this.settled = settled;
            this.then = then;
        }

        void start(long seconds) {
            over = waiting.join(tenant, topic, wake) != Followers.Admission.ADMITTED;
            look = vertx.setPeriodic(LOOK_MILLIS, timer -> read());
            deadline = vertx.setTimer(TimeUnit.SECONDS.toMillis(seconds), timer -> {
                over = true;
                read();
            });
            ctx.response().closeHandler(closed -> finish());
            if (ctx.response().closed()) {
                finish();
            }
            read();
        }

        /** May be called from any thread. */
        private void wake() {
            loop.runOnContext(woken -> read());
        }

        private void read() {
            if (done) {
                return;
            }
            again = reading;
            if (!reading) {
                reading = true;
                read.get()
                        .timeout(READ_SECONDS, TimeUnit.SECONDS)
                        .onComplete(found -> loop.runOnContext(back -> take(found)));
            }
        }

        private void take(AsyncResult<T> found) {
            reading = false;
            if (done) {
                return;
            }
            if (!good.getAsBoolean()) {
                finish();
                Problems.send(ctx, 401, "unauthorized", Callers.NEEDED);
            } else if (found.failed() || over || settled.test(found.result())) {
                finish();
                Waiting.read(
                        ctx,
                        found.succeeded() ? Future.succeededFuture(found.result()) : Future.failedFuture(found.cause()),
                        then);
            } else if (again) {
                read();
            }
        }

        private void finish() {
            if (!done) {
                done = true;
                waiting.leave(tenant, topic, wake);
                vertx.cancelTimer(look);
                vertx.cancelTimer(deadline);
            }
        }
    }
}
