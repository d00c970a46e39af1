package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ParallelMapTest {
    @Test
    void results_keep_the_order_of_the_items_and_never_more_run_than_the_cap_allows() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            int size = random.nextInt(40);
            int cap = 1 + random.nextInt(8);
            List<Integer> items = IntStream.range(0, size).boxed().toList();
            List<Runnable> running = new ArrayList<>();
            AtomicInteger most = new AtomicInteger();
            CompletableFuture<List<ParallelMap.Outcome<String>>> all = ParallelMap.of(
                            items,
                            item -> {
                                CompletableFuture<String> call = new CompletableFuture<>();
                                if (random.nextInt(5) == 0) {
                                    call.complete("r" + item);
                                } else {
                                    running.add(() -> call.complete("r" + item));
                                }
                                most.accumulateAndGet(running.size(), Math::max);
                                return call;
                            },
                            cap)
                    .toCompletableFuture();
            while (!running.isEmpty()) {
                assertThat(all).as("seed %d", seed).isNotDone();
                running.remove(random.nextInt(running.size())).run();
            }
            assertThat(all)
                    .as("seed %d", seed)
                    .isCompletedWithValue(items.stream()
                            .map(item -> (ParallelMap.Outcome<String>) new ParallelMap.Value<>("r" + item))
                            .toList());
            assertThat(most.get()).as("seed %d", seed).isLessThanOrEqualTo(cap);
        }
    }

    @Test
    void as_many_run_as_the_cap_allows() {
        AtomicInteger started = new AtomicInteger();
        ParallelMap.of(
                List.of(1, 2, 3, 4, 5),
                item -> {
                    started.incrementAndGet();
                    return new CompletableFuture<Integer>();
                },
                3);
        assertThat(started).hasValue(3);
    }

    @Test
    void the_cap_holds_when_calls_end_on_many_threads() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            AtomicInteger running = new AtomicInteger();
            AtomicInteger most = new AtomicInteger();
            List<Integer> items = IntStream.range(0, 5_000).boxed().toList();
            List<ParallelMap.Outcome<Integer>> all = ParallelMap.of(
                            items,
                            item -> {
                                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                                return CompletableFuture.supplyAsync(
                                        () -> {
                                            running.decrementAndGet();
                                            return item;
                                        },
                                        threads);
                            },
                            5)
                    .toCompletableFuture()
                    .get(60, TimeUnit.SECONDS);
            assertThat(all).isEqualTo(items.stream().map(ParallelMap.Value::new).toList());
            assertThat(most.get()).isBetween(1, 5);
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void a_failure_is_the_outcome_of_its_own_item_alone() {
        IOException reset = new IOException("reset");
        IllegalStateException bug = new IllegalStateException("bug");
        List<ParallelMap.Outcome<Integer>> all = ParallelMap.of(
                        List.of(1, 2, 3),
                        item -> {
                            if (item == 2) {
                                throw bug;
                            }
                            return CompletableFuture.completedFuture(item)
                                    .thenCompose(value -> value == 1
                                            ? CompletableFuture.<Integer>failedFuture(reset)
                                            : CompletableFuture.completedFuture(value));
                        },
                        1)
                .toCompletableFuture()
                .join();
        assertThat(all)
                .containsExactly(
                        new ParallelMap.Failure<>(reset), new ParallelMap.Failure<>(bug), new ParallelMap.Value<>(3));
    }

    @Test
    void many_calls_that_end_at_once_do_not_pile_up_on_the_stack() {
        List<Integer> items = IntStream.range(0, 200_000).boxed().toList();
        assertThat(ParallelMap.of(items, CompletableFuture::completedFuture, 2)
                        .toCompletableFuture()
                        .join())
                .hasSize(200_000);
    }

    @Test
    void no_items_give_no_outcomes_and_a_cap_below_one_is_refused() {
        assertThat(ParallelMap.of(List.<Integer>of(), CompletableFuture::completedFuture, 1)
                        .toCompletableFuture())
                .isCompletedWithValue(List.of());
        assertThatThrownBy(() -> ParallelMap.of(List.of(1), CompletableFuture::completedFuture, 0))
                .hasMessageContaining("concurrency");
    }
}
