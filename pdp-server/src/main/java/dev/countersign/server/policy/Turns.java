package dev.countersign.server.policy;

import io.vertx.core.Future;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Lets what is done under one name happen one after the other, in the order in which it was asked for. */
final class Turns {
    private final Map<String, Future<?>> last = new HashMap<>();

    /** Does {@code work} once all that was asked for under {@code name} before is over, however it ended. */
    <T> Future<T> after(String name, Supplier<Future<T>> work) {
        Future<T> mine;
        synchronized (this) {
            Future<?> before = last.getOrDefault(name, Future.succeededFuture());
            mine = before.transform(ended -> work.get());
            last.put(name, mine);
        }
        mine.onComplete(done -> {
            synchronized (this) {
                last.remove(name, mine);
            }
        });
        return mine;
    }
}
