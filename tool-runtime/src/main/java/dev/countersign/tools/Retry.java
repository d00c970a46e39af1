package dev.countersign.tools;

import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Repeats a call that failed in a way that may pass: exponential backoff with jitter, up to a number of attempts and a
 * deadline. It holds no thread while it waits; later attempts start on the timer's thread. Seed 000's
 * {@code withRetry}.
 */
public final class Retry {
    private final Policy policy;
    private final ScheduledExecutorService timer;
    private final InstantSource clock;
    private final DoubleSupplier random;
    private final IntervalFunction backoff;

    /**
     * Retries under a policy.
     *
     * @param timer starts later attempts and ends calls at their deadline; an event loop will do
     * @param random numbers from 0 to 1, for the jitter; safe for the threads that the attempts end on
     */
    public Retry(Policy policy, ScheduledExecutorService timer, InstantSource clock, DoubleSupplier random) {
        this.policy = policy;
        this.timer = timer;
        this.clock = clock;
        this.random = random;
        this.backoff = IntervalFunction.ofExponentialBackoff(policy.firstWait, policy.factor, policy.longestWait);
    }

    /**
     * How often and how patiently to try.
     *
     * @param attempts all attempts, the first one too; at least 1
     * @param firstWait the wait after the first failure, before jitter; at least 1 ms
     * @param factor by how much each wait is longer than the one before; at least 1
     * @param jitter the share of a wait that is left to chance, 0 to 1: a wait of 100 ms with 0.5 lasts 50 to 100 ms
     * @param longestWait no wait is longer, not even one that the tool asked for
     */
    public record Policy(int attempts, Duration firstWait, double factor, double jitter, Duration longestWait) {
        /** Three attempts, waiting up to 200 and 400 ms, and up to 10 s where the tool asks for it. */
        public static final Policy DEFAULT = new Policy(3, Duration.ofMillis(200), 2, 0.5, Duration.ofSeconds(10));

        public Policy {
            require(attempts >= 1, "attempts must be at least 1");
            require(firstWait.toMillis() >= 1, "firstWait must be at least 1 ms");
            require(factor >= 1 && factor <= 100, "factor must be from 1 to 100");
            require(jitter >= 0 && jitter <= 1, "jitter must be from 0 to 1");
            require(longestWait.compareTo(firstWait) >= 0, "longestWait must not be shorter than firstWait");
        }

        private static void require(boolean holds, String message) {
            if (!holds) {
                throw new IllegalArgumentException(message);
            }
        }
    }

    /** The deadline of a call came before its end; of class {@code timeout}. */
    public static final class DeadlinePassed extends TimeoutException {
        private static final long serialVersionUID = 1L;

        DeadlinePassed() {
            super("the deadline of the call has passed");
        }
    }

    /** {@link #run(String, Instant, Predicate, Supplier)} that repeats after every failure of a retryable class. */
    public <T> CompletionStage<T> run(String name, Instant deadline, Supplier<CompletionStage<T>> attempt) {
        return run(name, deadline, failure -> true, attempt);
    }

    /**
     * What the first attempt that succeeds gives.
     *
     * <p>Fails with the last attempt's failure when the attempts are used up, when the failure's class is not retryable
     * or {@code mayRepeat} says no, and when the next attempt could not start before the deadline. Fails with
     * {@link DeadlinePassed} at the deadline, at once if it has passed already. An attempt that is on its way then is not
     * stopped, its end is ignored.
     *
     * @param name names the call in events
     * @param mayRepeat is asked only about failures of a retryable class
     */
    public <T> CompletionStage<T> run(
            String name, Instant deadline, Predicate<Throwable> mayRepeat, Supplier<CompletionStage<T>> attempt) {
        CompletableFuture<T> result = new CompletableFuture<>();
        ScheduledFuture<?> alarm;
        try {
            alarm = timer.schedule(
                    () -> result.completeExceptionally(new DeadlinePassed()),
                    Math.max(0, TimeUnit.MILLISECONDS.convert(Duration.between(clock.instant(), deadline))),
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopped) {
            return CompletableFuture.failedFuture(stopped);
        }
        RetryConfig config = RetryConfig.<T>custom()
                .maxAttempts(policy.attempts)
                .retryOnException(
                        failure -> ErrorClass.of(failure).retryable() && mayRepeat.test(Causes.unwrap(failure)))
                .intervalBiFunction((number, end) -> waitMillis(number, end, deadline))
                .build();
        Supplier<CompletionStage<T>> inTime = () -> clock.instant().isBefore(deadline)
                ? attempt.get()
                : CompletableFuture.failedFuture(new DeadlinePassed());
        io.github.resilience4j.retry.Retry.of(name, config)
                .executeCompletionStage(timer, inTime)
                .whenComplete((value, failure) -> {
                    alarm.cancel(false);
                    if (failure == null) {
                        result.complete(value);
                    } else {
                        result.completeExceptionally(Causes.unwrap(failure));
                    }
                });
        return result;
    }

    /** How long to wait after a failed attempt; negative for never. */
    private <T> long waitMillis(int attempt, Either<Throwable, T> end, Instant deadline) {
        double jittered = backoff.apply(attempt) * (1 - policy.jitter * random.getAsDouble());
        long asked = Causes.of(end.getLeft()).stream()
                .filter(ToolFailure.class::isInstance)
                .flatMap(failure -> ((ToolFailure) failure).retryAfter().stream())
                .mapToLong(Duration::toMillis)
                .findFirst()
                .orElse(0);
        long wait = Math.min(Math.max(Math.round(jittered), asked), policy.longestWait.toMillis());
        return clock.instant().plusMillis(wait).isBefore(deadline) && !timer.isShutdown() ? wait : -1;
    }
}
