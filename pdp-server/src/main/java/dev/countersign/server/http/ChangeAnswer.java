package dev.countersign.server.http;

import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.server.policy.PolicyChanges.Result;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The answer to a change of what judges requests: that it waits for another person is the same for all of them. */
final class ChangeAnswer {
    private ChangeAnswer() {}

    /**
     * Answers with what came of a change.
     *
     * @param done answers with what it leaves behind
     * @param stale answers that it is for another version than the one given, 0 for none
     * @param refused answers why it cannot be made as things stand
     */
    static <V extends @Nullable Object> void send(
            RoutingContext ctx, Result<V> result, Consumer<V> done, LongConsumer stale, Consumer<JsonMistake> refused) {
        if (result instanceof Result.Done<V> made) {
            done.accept(made.now());
        } else if (result instanceof Result.Stale<V> other) {
            stale.accept(other.version());
        } else if (result instanceof Result.Refused<V> not) {
            refused.accept(not.mistake());
        } else if (result instanceof Result.Proposed<V> waits) {
            ProposalsHandler.proposed(ctx, waits.proposal());
        } else {
            ProposalsHandler.full(ctx);
        }
    }
}
