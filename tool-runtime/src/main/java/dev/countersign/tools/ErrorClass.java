package dev.countersign.tools;

import com.fasterxml.jackson.core.JacksonException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The class of a failed tool call: what went wrong, as far as a caller can act on it. */
public enum ErrorClass {
    TIMEOUT(true),
    NETWORK(true),
    RATE_LIMIT(true),
    SERVER_ERROR(true),
    AUTH(false),
    NOT_FOUND(false),
    INVALID_REQUEST(false),
    UNKNOWN(false);

    private final boolean retryable;

    ErrorClass(boolean retryable) {
        this.retryable = retryable;
    }

    /** The class as the log and the wire have it, in lower case: {@code rate_limit}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether the same call may succeed a little later. */
    public boolean retryable() {
        return retryable;
    }

    /**
     * The class of a failure: that of the outermost throwable in its chain of causes that has one. A chain that holds an
     * interruption is {@link #UNKNOWN}, so that work which was told to stop is never repeated.
     */
    public static ErrorClass of(Throwable failure) {
        List<Throwable> chain = Causes.of(failure);
        if (chain.stream().anyMatch(ErrorClass::interrupted)) {
            return UNKNOWN;
        }
        for (Throwable cause : chain) {
            ErrorClass found = ofOne(cause);
            if (found != null) {
                return found;
            }
        }
        return UNKNOWN;
    }

    /** The class of an HTTP status: {@link #UNKNOWN} below 400. */
    static ErrorClass ofStatus(int status) {
        return switch (status) {
            case 408, 504 -> TIMEOUT;
            case 429 -> RATE_LIMIT;
            case 401, 403 -> AUTH;
            case 404, 410 -> NOT_FOUND;
            default -> status >= 500 ? SERVER_ERROR : status >= 400 ? INVALID_REQUEST : UNKNOWN;
        };
    }

    private static boolean interrupted(Throwable cause) {
        return cause instanceof InterruptedException
                || cause instanceof ClosedByInterruptException
                || (cause instanceof InterruptedIOException && !(cause instanceof SocketTimeoutException));
    }

    private static @Nullable ErrorClass ofOne(Throwable cause) {
        if (cause instanceof ToolFailure failure) {
            return failure.errorClass();
        }
        if (cause instanceof HttpTimeoutException
                || cause instanceof SocketTimeoutException
                || cause instanceof TimeoutException) {
            return TIMEOUT;
        }
        // Jackson's exceptions are IOExceptions, yet the same bad JSON would come again.
        if (cause instanceof JacksonException) {
            return UNKNOWN;
        }
        if (cause instanceof IOException) {
            return NETWORK;
        }
        return cause instanceof IllegalArgumentException ? INVALID_REQUEST : null;
    }
}
