package dev.countersign.tools;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A tool that does nothing, for trying flows out: it fails as it is told to, then answers. */
public final class StubTool implements Tool {
    private final String name;
    private final boolean idempotent;
    private final List<ErrorClass> failures;
    private final UnaryOperator<JsonNode> answer;
    private final AtomicInteger calls = new AtomicInteger();

    private StubTool(String name, boolean idempotent, List<ErrorClass> failures, UnaryOperator<JsonNode> answer) {
        this.name = name;
        this.idempotent = idempotent;
        this.failures = failures;
        this.answer = answer;
    }

    /** A stub that always gives the same result; idempotent. */
    public static StubTool fixed(String name, JsonNode result) {
        return new StubTool(name, true, List.of(), arguments -> result.deepCopy());
    }

    /** A stub that gives its arguments back; idempotent. */
    public static StubTool echo(String name) {
        return new StubTool(name, true, List.of(), JsonNode::deepCopy);
    }

    /** This stub, failing in its first calls, whoever makes them, with these classes in this order. */
    public StubTool failingFirst(List<ErrorClass> classes) {
        return new StubTool(name, idempotent, List.copyOf(classes), answer);
    }

    /** This stub, as one that must not be called twice. */
    public StubTool notIdempotent() {
        return new StubTool(name, false, failures, answer);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean idempotent() {
        return idempotent;
    }

    @Override
    public CompletionStage<JsonNode> call(JsonNode arguments, Run run) {
        int before = calls.getAndUpdate(made -> Math.min(made + 1, failures.size()));
        return before < failures.size()
                ? CompletableFuture.failedFuture(failure(failures.get(before)))
                : CompletableFuture.completedFuture(answer.apply(arguments));
    }

    private Exception failure(ErrorClass wanted) {
        return switch (wanted) {
            case TIMEOUT -> new TimeoutException("the stub '" + name + "' timed out");
            case NETWORK -> new IOException("the stub '" + name + "' lost its connection");
            case RATE_LIMIT -> answered(429);
            case SERVER_ERROR -> answered(500);
            case AUTH -> answered(401);
            case NOT_FOUND -> answered(404);
            case INVALID_REQUEST -> answered(400);
            case UNKNOWN -> new IllegalStateException("the stub '" + name + "' failed");
        };
    }

    private ToolFailure answered(int status) {
        return ToolFailure.answered("the stub '" + name + "' answered with status " + status, status, null);
    }
}
