package dev.countersign.tools;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.CompletionStage;

/**
 * Something that acts on the world when it is called. Implementations are safe for many threads and do not block the
 * one that calls.
 */
public interface Tool {
    /** The name that flows and rules know the tool by. */
    String name();

    /**
     * Whether doing a call twice is the same as doing it once. One that says {@code false} is repeated only after a
     * failure that certainly came before it acted.
     */
    boolean idempotent();

    /**
     * Acts, and gives a result. One attempt: repeats are the executor's.
     *
     * <p>A failure that the tool can name is a {@link ToolFailure}; anything else is classed by
     * {@link ErrorClass#of(Throwable)}, and leaves in doubt whether the tool acted unless no connection was made.
     *
     * @param run the execution that this attempt belongs to: the same id in every attempt
     */
    CompletionStage<JsonNode> call(JsonNode arguments, Run run);
}
