package dev.countersign.tools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.countersign.tools.Execution.Status;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs one tool: writes the execution down, calls the tool with retries, and writes down how it ended. Seed 000's
 * {@code toolExecutor}.
 */
public final class ToolExecutor {
    private final Tool tool;
    private final Retry retry;
    private final ExecutionLog log;
    private final InstantSource clock;

    public ToolExecutor(Tool tool, Retry retry, ExecutionLog log, InstantSource clock) {
        this.tool = tool;
        this.retry = retry;
        this.log = log;
        this.clock = clock;
    }

    /**
     * How an execution ended.
     *
     * @param execution the record as it was given to the log
     * @param result what the tool gave, if it succeeded
     * @param failure why it did not succeed
     * @param unrecorded why the end could not be written down: the log still says {@code started}
     */
    public record Outcome(
            Execution execution,
            @Nullable JsonNode result,
            @Nullable Throwable failure,
            @Nullable Throwable unrecorded) {}

    /**
     * Runs the tool. A failure of the tool is an outcome; the stage itself fails only if the start could not be written
     * down, and then nothing ran.
     *
     * <p>The status is {@code not_started} if nothing was ever sent to the tool, and {@code unknown}, never {@code failed}, if the deadline passed while an attempt was on its way, and
     * if a tool that is not idempotent failed in a way that leaves in doubt whether it acted. What comes in after the
     * deadline is dropped.
     */
    public CompletionStage<Outcome> run(JsonNode arguments, Run run) {
        Execution started = Execution.started(run, tool.name(), clock.instant());
        return Attempt.start(() -> log.started(started).thenCompose(written -> attempts(arguments, run, started)));
    }

    private CompletionStage<Outcome> attempts(JsonNode arguments, Run run, Execution started) {
        AtomicInteger attempts = new AtomicInteger();
        // What the last attempt failed with; nothing while it is on its way, or if its success came too late.
        AtomicReference<@Nullable Throwable> last = new AtomicReference<>();
        AtomicBoolean sent = new AtomicBoolean();
        return retry.run(
                        tool.name(),
                        run.deadline(),
                        failure -> tool.idempotent() || Causes.beforeItActed(failure),
                        () -> {
                            attempts.incrementAndGet();
                            last.set(null);
                            return Attempt.start(() -> tool.call(arguments, run))
                                    .whenComplete((result, failure) -> {
                                        // First, as whoever sees the failure looks whether anything was sent.
                                        if (failure == null || !Causes.unsent(failure)) {
                                            sent.set(true);
                                        }
                                        last.set(failure);
                                    });
                        })
                .handle((result, failure) -> failure == null
                        ? succeeded(started, attempts.get(), result)
                        : failed(started, attempts.get(), last.get(), sent.get(), run, Causes.unwrap(failure)))
                .thenCompose(this::record);
    }

    private Outcome succeeded(Execution started, int attempts, @Nullable JsonNode given) {
        JsonNode result = given == null ? NullNode.getInstance() : given;
        Execution end = started.ended(Status.SUCCEEDED, attempts, null, sha256(result), clock.instant());
        return new Outcome(end, result, null, null);
    }

    private Outcome failed(
            Execution started, int attempts, @Nullable Throwable last, boolean sent, Run run, Throwable failure) {
        boolean inDoubt = attempts > 0 && inDoubt(last, run);
        Status status = inDoubt ? Status.UNKNOWN : sent ? Status.FAILED : Status.NOT_STARTED;
        Execution end = started.ended(status, attempts, ErrorClass.of(failure), null, clock.instant());
        return new Outcome(end, null, failure, null);
    }

    private boolean inDoubt(@Nullable Throwable last, Run run) {
        if (last == null) {
            return true;
        }
        if (Causes.beforeItActed(last)) {
            return false;
        }
        // A tool whose own time limit is the deadline may report it before the timer does.
        boolean ranIntoDeadline =
                ErrorClass.of(last) == ErrorClass.TIMEOUT && !clock.instant().isBefore(run.deadline());
        return ranIntoDeadline || !tool.idempotent();
    }

    private CompletionStage<Outcome> record(Outcome outcome) {
        return Attempt.start(() -> log.ended(outcome.execution).thenApply(written -> outcome))
                .exceptionally(failure ->
                        new Outcome(outcome.execution, outcome.result, outcome.failure, Causes.unwrap(failure)));
    }

    private static String sha256(JsonNode result) {
        try {
            byte[] text = result.toString().getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // every Java has SHA-256
        }
    }
}
