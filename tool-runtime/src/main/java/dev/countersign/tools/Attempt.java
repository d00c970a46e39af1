package dev.countersign.tools;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** The start of a call whose every failure is the failure of its stage. */
final class Attempt {
    private Attempt() {}

    static <T> CompletionStage<T> start(Supplier<? extends CompletionStage<T>> call) {
        try {
            return Objects.requireNonNull(call.get(), "the call gave no stage");
        } catch (Throwable failure) { // an Error too: thrown on a timer's thread it would be lost
            return CompletableFuture.failedFuture(failure);
        }
    }
}
