package dev.countersign.tools;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A tool call that failed in a way the tool can name. Its message says what to do next and never holds a secret, an
 * argument or a part of an answer.
 */
public final class ToolFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorClass errorClass;
    private final int status;
    private final @Nullable Duration retryAfter;
    private final boolean beforeItActed;

    private ToolFailure(
            String message, ErrorClass errorClass, int status, @Nullable Duration retryAfter, boolean beforeItActed) {
        super(message);
        this.errorClass = errorClass;
        this.status = status;
        this.retryAfter = retryAfter;
        this.beforeItActed = beforeItActed;
    }

    /** A tool that answered with an HTTP status other than success, and perhaps said when to come back. */
    public static ToolFailure answered(String message, int status, @Nullable Duration retryAfter) {
        // A 4xx refuses the request. A 408 may come from a gateway whose upstream already works on it, and a 5xx may
        // come half-way; a 503 that names a time to come back is a server that turns work away.
        boolean refused = status == 503 ? retryAfter != null : status >= 400 && status < 500 && status != 408;
        return new ToolFailure(message, ErrorClass.ofStatus(status), status, retryAfter, refused);
    }

    /** A request that was refused here, before anything was sent: of class {@code invalid_request}. */
    public static ToolFailure refused(String message) {
        return new ToolFailure(message, ErrorClass.INVALID_REQUEST, 0, null, true);
    }

    /** A success whose answer cannot be used: the tool acted, what it said is lost; of class {@code unknown}. */
    public static ToolFailure unreadable(String message) {
        return new ToolFailure(message, ErrorClass.UNKNOWN, 0, null, false);
    }

    /** The class of the failure. */
    public ErrorClass errorClass() {
        return errorClass;
    }

    /** The HTTP status that the tool answered with, if it answered with one. */
    public OptionalInt status() {
        return status == 0 ? OptionalInt.empty() : OptionalInt.of(status);
    }

    /** How long the tool asked to be left alone. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** Whether the tool certainly did nothing. */
    boolean beforeItActed() {
        return beforeItActed;
    }
}
