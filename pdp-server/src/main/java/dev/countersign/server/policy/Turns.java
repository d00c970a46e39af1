package dev.countersign.server.policy;

import io.vertx.core.Future;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Lets what is done under one name happen one after the other, in the order in which it was asked for. */
final class Turns {
    /** As many wait as may: nothing was done. */
    static final class TooMany extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooMany() {
            super("too many wait for their turn", null, false, false);
        }
    }

    private final int mostOfOne;
    private final int mostOfAll;
    private int all;
    private final Map<String, Future<?>> last = new HashMap<>();
    private final Map<String, Integer> waiting = new HashMap<>();

    /**
     * Turns of which so many wait at most.
     *
     * @param mostOfOne under one name
     * @param mostOfAll under all names together
     */
    Turns(int mostOfOne, int mostOfAll) {
        this.mostOfOne = mostOfOne;
        this.mostOfAll = mostOfAll;
    }

    /** Does {@code work} once all that was asked for under {@code name} before is over, however it ended. */
    <T> Future<T> after(String name, Supplier<Future<T>> work) {
        Future<T> mine;
        synchronized (this) {
            int before = waiting.getOrDefault(name, 0);
            if (before >= mostOfOne || all >= mostOfAll) {
                return Future.failedFuture(new TooMany());
            }
            waiting.put(name, before + 1);
            all++;
            mine = last.getOrDefault(name, Future.succeededFuture()).transform(ended -> work.get());
            last.put(name, mine);
        }
        mine.onComplete(done -> {
            synchronized (this) {
                all--;
                last.remove(name, mine);
                waiting.computeIfPresent(name, (same, count) -> count == 1 ? null : count - 1);
            }
        });
        return mine;
    }
}
