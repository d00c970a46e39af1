package dev.countersign.server.http;

import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.live.KeyEndedException;
import dev.countersign.server.policy.PolicyChanges;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Requests that wait for PostgreSQL: they go on on their own loop, and say so if it does not answer. */
final class Waiting {
    private static final Logger LOG = LoggerFactory.getLogger(Waiting.class);

    /** A database may take a query and never come back. */
    private static final long READ_SECONDS = 5;

    /** A look and a change, each bounded by itself. */
    private static final long APPROVAL_SECONDS = 15;

    private Waiting() {}

    /** Goes on with what is read. */
    static <T extends @Nullable Object> void read(RoutingContext ctx, Future<T> reading, Consumer<T> then) {
        on(
                ctx,
                reading.timeout(READ_SECONDS, TimeUnit.SECONDS),
                then,
                "the database does not answer; decisions are made and kept all the same");
    }

    /** Goes on with what judges a tenant. */
    static <T> void policies(RoutingContext ctx, Future<T> reading, Consumer<T> then) {
        on(ctx, reading, then, "denied: the database does not answer, and what judges this tenant is not in memory");
    }

    /** Goes on with what an approval is worth. */
    static <T extends @Nullable Object> void approval(RoutingContext ctx, Future<T> looking, Consumer<T> then) {
        on(
                ctx,
                looking.timeout(APPROVAL_SECONDS, TimeUnit.SECONDS),
                then,
                "denied: the database does not answer, so nobody can tell what the approval is worth");
    }

    /** Goes on with what came of a change. */
    static <T extends @Nullable Object> void change(RoutingContext ctx, Future<T> changing, Consumer<T> then) {
        on(
                ctx,
                changing,
                then,
                "the database does not answer; the change may or may not have been made: read it again later");
    }

    /** The same future, done on the caller's own loop: what is confined to that may follow. */
    static <T extends @Nullable Object> Future<T> here(Vertx vertx, Future<T> future) {
        Context loop = vertx.getOrCreateContext();
        Promise<T> here = Promise.promise();
        future.onComplete(done -> loop.runOnContext(back -> {
            if (done.succeeded()) {
                here.complete(done.result());
            } else {
                here.fail(done.cause());
            }
        }));
        return here.future();
    }

    private static <T extends @Nullable Object> void on(
            RoutingContext ctx, Future<T> result, Consumer<T> then, String away) {
        // A change may become known on another loop.
        Context loop = ctx.vertx().getOrCreateContext();
        result.onComplete(done -> loop.runOnContext(back -> {
            if (done.cause() instanceof KeyEndedException) {
                Problems.send(ctx, 401, "unauthorized", Callers.NEEDED);
                return;
            }
            if (done.cause() instanceof PolicyChanges.Overtaken) {
                Problems.send(
                        ctx,
                        409,
                        "overtaken",
                        "other changes came in between again and again; nothing was changed: try again");
                return;
            }
            if (done.cause() instanceof PolicyChanges.Busy) {
                Problems.send(
                        ctx, 503, "busy", "too many changes wait to be compared; nothing was changed: try again later");
                return;
            }
            if (done.cause() instanceof LogUnavailableException) {
                Answering.unavailable(ctx);
                return;
            }
            if (done.failed()) {
                LOG.warn(
                        "a request to {} waited in vain: {}",
                        Routes.named(ctx),
                        done.cause().toString());
                Problems.send(ctx, 503, "database_away", away);
                return;
            }
            try {
                then.accept(done.result());
            } catch (RuntimeException e) {
                ctx.fail(e);
            }
        }));
    }
}
