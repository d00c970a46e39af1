package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.tools.Execution.Status;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ToolExecutorTest {
    private static final JsonNode ARGUMENTS =
            JsonNodeFactory.instance.objectNode().put("to", "HK-1").put("amount", 5);
    private static final Run RUN = new Run("e-1", HandTimer.START.plusSeconds(30), "d-1", "a-1");

    private final HandTimer timer = new HandTimer();
    private final List<Execution> written = new ArrayList<>();
    private final Log log = new Log();

    /** A log in memory that can be told to fail. */
    private final class Log implements ExecutionLog {
        private RuntimeException failAtStart;
        private RuntimeException failAtEnd;

        @Override
        public CompletionStage<?> started(Execution execution) {
            return write(execution, failAtStart);
        }

        @Override
        public CompletionStage<?> ended(Execution execution) {
            return write(execution, failAtEnd);
        }

        private CompletionStage<?> write(Execution execution, RuntimeException failure) {
            if (failure != null) {
                return CompletableFuture.failedFuture(failure);
            }
            written.add(execution);
            return CompletableFuture.completedFuture(null);
        }
    }

    /** A tool whose attempts end as they are listed; the last one comes again and again. */
    private final class Scripted implements Tool {
        private final boolean idempotent;
        private final List<Supplier<CompletionStage<JsonNode>>> ends;
        private final List<Run> runs = new ArrayList<>();
        private List<Status> writtenBefore = List.of();

        @SafeVarargs
        Scripted(boolean idempotent, Supplier<CompletionStage<JsonNode>>... ends) {
            this.idempotent = idempotent;
            this.ends = List.of(ends);
        }

        @Override
        public String name() {
            return "transfer";
        }

        @Override
        public boolean idempotent() {
            return idempotent;
        }

        @Override
        public CompletionStage<JsonNode> call(JsonNode arguments, Run run) {
            runs.add(run);
            writtenBefore = written.stream().map(Execution::status).toList();
            return ends.get(Math.min(runs.size(), ends.size()) - 1).get();
        }
    }

    @Test
    void the_start_is_written_before_the_tool_runs_and_the_end_with_the_digest_of_the_result() throws Exception {
        Scripted tool = new Scripted(true, failing(new IOException("reset")), () -> done(ARGUMENTS));
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(1));
        ToolExecutor.Outcome outcome = running.join();

        byte[] text = "{\"to\":\"HK-1\",\"amount\":5}".getBytes(StandardCharsets.UTF_8);
        String digest =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        Execution start =
                new Execution("e-1", "transfer", Status.STARTED, 0, null, null, "d-1", "a-1", HandTimer.START, null);
        Execution end = new Execution(
                "e-1",
                "transfer",
                Status.SUCCEEDED,
                2,
                null,
                digest,
                "d-1",
                "a-1",
                HandTimer.START,
                HandTimer.START.plusMillis(200));
        assertThat(written).containsExactly(start, end);
        assertThat(end.duration()).hasMillis(200);
        assertThat(start.duration()).isZero();
        assertThat(tool.writtenBefore).containsExactly(Status.STARTED);
        assertThat(tool.runs).containsExactly(RUN, RUN);
        assertThat(outcome).isEqualTo(new ToolExecutor.Outcome(end, ARGUMENTS, null, null));
    }

    @Test
    void nothing_runs_while_the_start_cannot_be_written() {
        Scripted tool = new Scripted(true, () -> done(ARGUMENTS));
        log.failAtStart = new IllegalStateException("the database is away");
        assertThat(run(tool))
                .isCompletedExceptionally()
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withMessageContaining("the database is away");
        assertThat(tool.runs).isEmpty();
    }

    @Test
    void a_result_is_not_lost_when_its_end_cannot_be_written() {
        log.failAtEnd = new IllegalStateException("the database is away");
        ToolExecutor.Outcome outcome =
                run(new Scripted(true, () -> done(ARGUMENTS))).join();
        assertThat(outcome.result()).isEqualTo(ARGUMENTS);
        assertThat(outcome.unrecorded()).isSameAs(log.failAtEnd);
        assertThat(written).extracting(Execution::status).containsExactly(Status.STARTED);
    }

    static Stream<Throwable> failuresBeforeItActed() {
        return Stream.of(
                new ConnectException("refused"),
                new UnknownHostException("nowhere"),
                ToolFailure.answered("busy", 429, null),
                ToolFailure.answered("busy", 503, Duration.ofSeconds(1)));
    }

    @ParameterizedTest
    @MethodSource("failuresBeforeItActed")
    void a_tool_that_must_not_act_twice_is_repeated_when_it_certainly_did_not_act(Throwable failure) {
        Scripted tool = new Scripted(false, failing(failure), () -> done(ARGUMENTS));
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(2));
        assertThat(running.join().execution().status()).isEqualTo(Status.SUCCEEDED);
        assertThat(tool.runs).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("failuresBeforeItActed")
    void a_tool_that_certainly_never_acted_has_failed_or_if_nothing_reached_it_not_started(Throwable failure) {
        CompletableFuture<ToolExecutor.Outcome> running = run(new Scripted(false, failing(failure)));
        timer.advance(Duration.ofSeconds(5));
        Execution end = running.join().execution();
        assertThat(end.status()).isEqualTo(failure instanceof ToolFailure ? Status.FAILED : Status.NOT_STARTED);
        assertThat(end.attempts()).isEqualTo(3);
        assertThat(end.errorClass()).isEqualTo(ErrorClass.of(failure));
    }

    static Stream<Throwable> failuresInDoubt() {
        return Stream.of(
                new IOException("Connection reset"),
                new HttpTimeoutException("late"),
                ToolFailure.answered("half-way", 500, null),
                ToolFailure.answered("gateway", 502, null),
                ToolFailure.answered("busy", 503, null),
                ToolFailure.answered("gateway", 504, null),
                ToolFailure.answered("moved", 303, null),
                ToolFailure.answered("late", 408, null),
                ToolFailure.unreadable("too long"),
                new NumberFormatException("in the answer"),
                new StackOverflowError());
    }

    @ParameterizedTest
    @MethodSource("failuresInDoubt")
    void a_tool_that_may_have_acted_is_not_repeated_and_its_outcome_is_unknown(Throwable failure) {
        Scripted tool = new Scripted(false, failing(failure));
        ToolExecutor.Outcome outcome = run(tool).join();
        assertThat(outcome.execution().status()).isEqualTo(Status.UNKNOWN);
        assertThat(outcome.failure()).isSameAs(failure);
        assertThat(tool.runs).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("failuresInDoubt")
    void a_tool_that_may_act_twice_has_failed_when_its_attempts_are_used_up(Throwable failure) {
        Scripted tool = new Scripted(true, failing(failure));
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(5));
        assertThat(running.join().execution().status()).isEqualTo(Status.FAILED);
        assertThat(tool.runs).hasSize(ErrorClass.of(failure).retryable() ? 3 : 1);
    }

    @Test
    void a_refused_request_has_failed() {
        for (int status : List.of(400, 401, 403, 404, 409, 422)) {
            Scripted tool = new Scripted(false, failing(ToolFailure.answered("no", status, null)));
            Execution end = run(tool).join().execution();
            assertThat(end.status()).isEqualTo(Status.FAILED);
            assertThat(end.attempts()).isEqualTo(1);
        }
    }

    @Test
    void a_request_that_was_refused_before_it_was_sent_has_not_started() {
        Execution end = run(new Scripted(true, failing(ToolFailure.refused("the destination is private"))))
                .join()
                .execution();
        assertThat(end.status()).isEqualTo(Status.NOT_STARTED);
        assertThat(end.errorClass()).isEqualTo(ErrorClass.INVALID_REQUEST);
    }

    @Test
    void a_tool_that_one_attempt_reached_was_started_whatever_came_after() {
        Throwable away = new ConnectException("refused");
        Scripted tool = new Scripted(true, failing(new IOException("Connection reset")), failing(away), failing(away));
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(5));
        assertThat(tool.runs).hasSize(3);
        assertThat(running.join().execution().status()).isEqualTo(Status.FAILED);
    }

    @Test
    void an_attempt_on_its_way_at_the_deadline_leaves_the_outcome_unknown_even_if_it_may_be_repeated() {
        CompletableFuture<JsonNode> slow = new CompletableFuture<>();
        CompletableFuture<ToolExecutor.Outcome> running = run(new Scripted(true, () -> slow));
        timer.advance(Duration.ofSeconds(29));
        assertThat(running).isNotDone();
        timer.advance(Duration.ofSeconds(1));
        slow.complete(ARGUMENTS);
        Execution end = running.join().execution();
        assertThat(end.status()).isEqualTo(Status.UNKNOWN);
        assertThat(end.errorClass()).isEqualTo(ErrorClass.TIMEOUT);
        assertThat(end.duration()).hasSeconds(30);
        assertThat(written).extracting(Execution::status).containsExactly(Status.STARTED, Status.UNKNOWN);
    }

    @Test
    void a_repeat_on_its_way_at_the_deadline_leaves_the_outcome_unknown_whatever_came_before() {
        Scripted tool = new Scripted(false, failing(new ConnectException("refused")), CompletableFuture::new);
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(30));
        assertThat(running.join().execution().status()).isEqualTo(Status.UNKNOWN);
        assertThat(running.join().execution().attempts()).isEqualTo(2);
    }

    @Test
    void a_tool_whose_own_time_limit_is_the_deadline_leaves_the_outcome_unknown_too() {
        Scripted tool = new Scripted(true, () -> {
            CompletableFuture<JsonNode> limited = new CompletableFuture<>();
            timer.schedule(() -> limited.completeExceptionally(new HttpTimeoutException("late")), 30, TimeUnit.SECONDS);
            return limited;
        });
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(30));
        assertThat(running.join().execution().status()).isEqualTo(Status.UNKNOWN);
    }

    @Test
    void a_deadline_inside_the_tool_is_not_taken_for_the_end_of_an_attempt_that_never_was() {
        Retry inner = new Retry(Retry.Policy.DEFAULT, timer, timer, () -> 0);
        Scripted tool = new Scripted(
                false, () -> inner.run("inner", HandTimer.START.plusSeconds(1), CompletableFuture<JsonNode>::new));
        CompletableFuture<ToolExecutor.Outcome> running = run(tool);
        timer.advance(Duration.ofSeconds(1));
        assertThat(running.join().execution().status()).isEqualTo(Status.UNKNOWN);
    }

    @Test
    void a_run_whose_deadline_has_passed_does_not_start() {
        timer.advance(Duration.ofSeconds(30));
        Scripted tool = new Scripted(false, () -> done(ARGUMENTS));
        Execution end = run(tool).join().execution();
        assertThat(end.status()).isEqualTo(Status.NOT_STARTED);
        assertThat(end.attempts()).isZero();
        assertThat(tool.runs).isEmpty();
    }

    @Test
    void a_tool_that_throws_or_gives_no_stage_is_written_down_like_any_other() {
        Scripted throwing = new Scripted(true, () -> {
            throw new IllegalStateException("bug");
        });
        Scripted silent = new Scripted(true, () -> null);
        for (Scripted tool : List.of(throwing, silent)) {
            Execution end = run(tool).join().execution();
            assertThat(end.status()).isEqualTo(Status.FAILED);
            assertThat(end.errorClass()).isEqualTo(ErrorClass.UNKNOWN);
        }
    }

    private CompletableFuture<ToolExecutor.Outcome> run(Tool tool) {
        Retry retry = new Retry(Retry.Policy.DEFAULT, timer, timer, () -> 0);
        return new ToolExecutor(tool, retry, log, timer).run(ARGUMENTS, RUN).toCompletableFuture();
    }

    private static Supplier<CompletionStage<JsonNode>> failing(Throwable failure) {
        return () -> CompletableFuture.failedFuture(failure);
    }

    private static CompletionStage<JsonNode> done(JsonNode result) {
        return CompletableFuture.completedFuture(result);
    }
}
