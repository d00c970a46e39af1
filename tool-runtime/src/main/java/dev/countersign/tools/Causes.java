package dev.countersign.tools;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What a chain of causes tells. */
final class Causes {
    private static final int LONGEST = 16;

    private Causes() {}

    /** The throwable and its causes, outermost first; at most 16 of them, so a circle of causes ends as well. */
    static List<Throwable> of(Throwable failure) {
        List<Throwable> chain = new ArrayList<>();
        for (@Nullable Throwable next = failure; next != null && chain.size() < LONGEST; next = next.getCause()) {
            chain.add(next);
        }
        return chain;
    }

    /** The failure without the wrappers that futures put around it. */
    static Throwable unwrap(Throwable failure) {
        return Causes.of(failure).stream()
                .filter(cause -> !(cause instanceof CompletionException || cause instanceof ExecutionException))
                .findFirst()
                .orElse(failure);
    }

    /**
     * Whether the failure certainly came before the tool acted: it answered that it refused the request, or no
     * connection to it was made. A doubt is {@code false}.
     */
    static boolean beforeItActed(Throwable failure) {
        return certain(failure, ToolFailure::beforeItActed);
    }

    /** Whether the failure certainly came before anything was sent to the tool. A doubt is {@code false}. */
    static boolean unsent(Throwable failure) {
        return certain(failure, known -> known.beforeItActed() && known.status().isEmpty());
    }

    private static boolean certain(Throwable failure, Predicate<ToolFailure> says) {
        for (Throwable cause : of(failure)) {
            if (cause instanceof ToolFailure known) {
                return says.test(known);
            }
            if (cause instanceof ConnectException
                    || cause instanceof UnknownHostException
                    || cause instanceof NoRouteToHostException
                    || cause instanceof HttpConnectTimeoutException) {
                return true;
            }
        }
        return false;
    }
}
