package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class RetryTest {
    private static final Instant LATE = HandTimer.START.plus(Duration.ofHours(1));
    private final HandTimer timer = new HandTimer();
    private int attempts;

    @Test
    void waits_grow_exponentially_up_to_the_longest_and_the_last_failure_is_the_answer() {
        CompletableFuture<String> answer = run(policy(6, 0), 0.7, LATE, failing(new IOException("reset")));
        List<Duration> waits = new ArrayList<>();
        while (!answer.isDone()) {
            waits.add(timer.pending().get(0));
            timer.advance(timer.pending().get(0));
        }
        assertThat(waits)
                .containsExactly(
                        Duration.ofMillis(100),
                        Duration.ofMillis(200),
                        Duration.ofMillis(400),
                        Duration.ofMillis(800),
                        Duration.ofMillis(1000));
        assertThat(attempts).isEqualTo(6);
        assertThat(failureOf(answer)).isInstanceOf(IOException.class).hasMessage("reset");
    }

    @Test
    void jitter_takes_a_random_share_off_each_wait_and_never_more_than_it_may() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<Duration> firstWaits = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            HandTimer own = new HandTimer();
            new Retry(policy(2, 0.5), own, own, random::nextDouble).run("test", LATE, failing(new IOException()));
            firstWaits.add(own.pending().get(0));
        }
        assertThat(firstWaits)
                .as("seed %d", seed)
                .allMatch(wait -> wait.toMillis() >= 50 && wait.toMillis() <= 100)
                .anyMatch(wait -> wait.toMillis() < 70)
                .anyMatch(wait -> wait.toMillis() > 80);
    }

    @Test
    void no_attempt_starts_before_its_wait_is_over() {
        run(policy(3, 0), 0, LATE, failing(new IOException()));
        timer.advance(Duration.ofMillis(99));
        assertThat(attempts).isEqualTo(1);
        timer.advance(Duration.ofMillis(1));
        assertThat(attempts).isEqualTo(2);
    }

    @Test
    void a_success_after_failures_is_the_answer_and_leaves_nothing_on_the_timer() {
        CompletableFuture<String> answer =
                run(policy(3, 0), 0, LATE, () -> ++attempts < 3 ? failed(new IOException()) : done("yes"));
        timer.advance(Duration.ofSeconds(1));
        assertThat(answer).isCompletedWithValue("yes");
        assertThat(timer.pending()).isEmpty();
    }

    @Test
    void what_is_not_retryable_fails_at_once() {
        for (Throwable failure : List.of(
                ToolFailure.answered("no", 401, null),
                ToolFailure.answered("no", 404, null),
                new IllegalArgumentException(),
                new IllegalStateException(),
                new InterruptedException())) {
            attempts = 0;
            CompletableFuture<String> answer = run(policy(3, 0), 0, LATE, failing(failure));
            assertThat(failureOf(answer)).isSameAs(failure);
            assertThat(attempts).isEqualTo(1);
        }
    }

    @Test
    void a_caller_may_forbid_the_repeat_of_a_retryable_failure() {
        CompletableFuture<String> answer = retry(policy(3, 0), 0)
                .run("test", LATE, ConnectException.class::isInstance, failing(new IOException("reset")))
                .toCompletableFuture();
        assertThat(failureOf(answer)).hasMessage("reset");
        assertThat(attempts).isEqualTo(1);
    }

    @Test
    void a_tool_that_asks_to_be_left_alone_is_left_alone_up_to_the_longest_wait() {
        assertThat(firstWaitAfterRetryAfter(Duration.ofMillis(700))).hasMillis(700);
        assertThat(firstWaitAfterRetryAfter(Duration.ofHours(2))).hasMillis(1000);
        assertThat(firstWaitAfterRetryAfter(Duration.ZERO)).hasMillis(100);
    }

    private Duration firstWaitAfterRetryAfter(Duration asked) {
        HandTimer own = new HandTimer();
        Supplier<CompletionStage<String>> busy = failing(ToolFailure.answered("busy", 429, asked));
        new Retry(policy(2, 0), own, own, () -> 0).run("test", LATE, busy);
        return own.pending().get(0);
    }

    @Test
    void a_repeat_that_could_not_start_before_the_deadline_is_not_waited_for() {
        Instant deadline = HandTimer.START.plusMillis(250);
        CompletableFuture<String> answer = run(policy(5, 0), 0, deadline, failing(new IOException("reset")));
        timer.advance(Duration.ofMillis(100));
        assertThat(failureOf(answer)).hasMessage("reset");
        assertThat(attempts).isEqualTo(2);
    }

    @Test
    void an_attempt_that_does_not_end_is_given_up_at_the_deadline() {
        CompletableFuture<String> never = new CompletableFuture<>();
        CompletableFuture<String> answer = run(policy(3, 0), 0, HandTimer.START.plusSeconds(2), () -> {
            attempts++;
            return never;
        });
        timer.advance(Duration.ofMillis(1999));
        assertThat(answer).isNotDone();
        timer.advance(Duration.ofMillis(1));
        assertThat(failureOf(answer)).isInstanceOf(Retry.DeadlinePassed.class).isInstanceOf(TimeoutException.class);
        never.completeExceptionally(new IOException());
        timer.advance(Duration.ofHours(1));
        assertThat(attempts).isEqualTo(1);
    }

    @Test
    void nothing_starts_after_the_deadline() {
        CompletableFuture<String> answer = run(policy(3, 0), 0, HandTimer.START, failing(new IOException()));
        assertThat(failureOf(answer)).isInstanceOf(Retry.DeadlinePassed.class);
        assertThat(attempts).isZero();
    }

    @Test
    void a_deadline_at_the_end_of_time_is_none() {
        assertThat(run(policy(3, 0), 0, Instant.MAX, () -> done("yes"))).isCompletedWithValue("yes");
    }

    @Test
    void a_timer_that_was_shut_down_fails_the_call_instead_of_losing_it() {
        CompletableFuture<String> stopping = run(policy(3, 0), 0, LATE, () -> {
            timer.shutdown();
            return failed(new IOException("reset"));
        });
        assertThat(failureOf(stopping)).hasMessage("reset");
        assertThat(failureOf(run(policy(3, 0), 0, LATE, () -> done("yes"))))
                .isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void a_policy_that_makes_no_sense_is_refused_with_the_reason() {
        Duration ms = Duration.ofMillis(1);
        assertThatThrownBy(() -> new Retry.Policy(0, ms, 2, 0, ms)).hasMessageContaining("attempts");
        assertThatThrownBy(() -> new Retry.Policy(1, Duration.ZERO, 2, 0, ms)).hasMessageContaining("firstWait");
        assertThatThrownBy(() -> new Retry.Policy(1, ms, Double.NaN, 0, ms)).hasMessageContaining("factor");
        assertThatThrownBy(() -> new Retry.Policy(1, ms, 2, 1.1, ms)).hasMessageContaining("jitter");
        assertThatThrownBy(() -> new Retry.Policy(1, ms.multipliedBy(2), 2, 0, ms))
                .hasMessageContaining("longestWait");
    }

    private static Retry.Policy policy(int attempts, double jitter) {
        return new Retry.Policy(attempts, Duration.ofMillis(100), 2, jitter, Duration.ofSeconds(1));
    }

    private Retry retry(Retry.Policy policy, double chance) {
        return new Retry(policy, timer, timer, () -> chance);
    }

    private CompletableFuture<String> run(
            Retry.Policy policy, double chance, Instant deadline, Supplier<CompletionStage<String>> attempt) {
        return retry(policy, chance).run("test", deadline, attempt).toCompletableFuture();
    }

    private Supplier<CompletionStage<String>> failing(Throwable failure) {
        return () -> {
            attempts++;
            return failed(failure);
        };
    }

    private static CompletionStage<String> failed(Throwable failure) {
        return CompletableFuture.failedFuture(new CompletionException(failure));
    }

    private static CompletionStage<String> done(String value) {
        return CompletableFuture.completedFuture(value);
    }

    private static Throwable failureOf(CompletableFuture<?> answer) {
        assertThat(answer).isCompletedExceptionally();
        return Causes.unwrap(Assertions.catchThrowable(answer::join));
    }
}
