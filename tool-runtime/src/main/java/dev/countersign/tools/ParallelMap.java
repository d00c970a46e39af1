package dev.countersign.tools;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A map over items whose calls run at the same time, up to a cap. Seed 000's {@code parallelMap}. */
public final class ParallelMap {
    private ParallelMap() {}

    /** How the call for one item ended. */
    public sealed interface Outcome<R> {}

    /** A call that gave a value. */
    public record Value<R>(R value) implements Outcome<R> {}

    /** A call that failed, with the failure free of the futures' own wrappers. */
    public record Failure<R>(Throwable cause) implements Outcome<R> {}

    /**
     * The outcome of {@code fn} for each item, in the order of the items. It never fails itself: a call that fails is
     * the outcome of its own item, the others go on.
     *
     * @param fn starts the call for an item; called on the caller's thread or on one that a call before ended on
     * @param concurrency how many calls are on their way at once at most; at least 1
     */
    public static <T, R> CompletionStage<List<Outcome<R>>> of(
            Collection<T> items, Function<T, CompletionStage<R>> fn, int concurrency) {
        if (concurrency < 1) {
            throw new IllegalArgumentException("concurrency must be at least 1");
        }
        return new Work<>(List.copyOf(items), fn, concurrency).start();
    }

    /** Starts calls in a loop that only one thread is in at a time, so calls that end at once never nest. */
    private static final class Work<T, R> {
        private final List<T> items;
        private final Function<T, CompletionStage<R>> fn;
        private final int concurrency;
        private final AtomicReferenceArray<Outcome<R>> outcomes;
        private final CompletableFuture<List<Outcome<R>>> all = new CompletableFuture<>();
        private final AtomicInteger asked = new AtomicInteger();
        private final AtomicInteger ended = new AtomicInteger();
        private int next;

        Work(List<T> items, Function<T, CompletionStage<R>> fn, int concurrency) {
            this.items = items;
            this.fn = fn;
            this.concurrency = concurrency;
            this.outcomes = new AtomicReferenceArray<>(items.size());
        }

        CompletionStage<List<Outcome<R>>> start() {
            goOn();
            return all;
        }

        private void goOn() {
            if (asked.getAndIncrement() != 0) {
                return;
            }
            int seen = 1;
            do {
                while (next < items.size() && next - ended.get() < concurrency) {
                    call(next++);
                }
                if (ended.get() == items.size()) {
                    all.complete(IntStream.range(0, items.size())
                            .mapToObj(outcomes::get)
                            .toList());
                }
                seen = asked.addAndGet(-seen);
            } while (seen != 0);
        }

        private void call(int index) {
            Attempt.start(() -> fn.apply(items.get(index))).whenComplete((value, failure) -> {
                outcomes.set(index, failure == null ? new Value<>(value) : new Failure<>(Causes.unwrap(failure)));
                ended.incrementAndGet();
                goOn();
            });
        }
    }
}
