package dev.countersign.server.policy;

import io.vertx.core.Future;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Lets what is done under one name happen one after the other, in the order in which it was asked for. */
final class Turns {
    /** The most that wait under one name. */
    private static final int MOST = 100;

    /** As many wait as may. */
    static final class TooMany extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooMany() {
            super("too many wait for their turn", null, false, false);
        }
    }

    private final Map<String, Future<?>> last = new HashMap<>();
    private final Map<String, Integer> waiting = new HashMap<>();

    /** Does {@code work} once all that was asked for under {@code name} before is over, however it ended. */
    <T> Future<T> after(String name, Supplier<Future<T>> work) {
        Future<T> mine;
        synchronized (this) {
            if (waiting.merge(name, 1, Integer::sum) > MOST) {
                waiting.merge(name, -1, Integer::sum);
                return Future.failedFuture(new TooMany());
            }
            Future<?> before = last.getOrDefault(name, Future.succeededFuture());
            mine = before.transform(ended -> work.get());
            last.put(name, mine);
        }
        mine.onComplete(done -> {
            synchronized (this) {
                last.remove(name, mine);
                waiting.computeIfPresent(name, (same, count) -> count == 1 ? null : count - 1);
            }
        });
        return mine;
    }
}
