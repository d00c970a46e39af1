package dev.countersign.server.decisionlog;

import java.io.IOException;

/**
 * The refusal of a log that cannot be written at the moment. None of the entries that were waiting is in the log, so none
 * of their answers may be given: reply 503. A later attempt starts a new segment and may succeed.
 */
public final class LogUnavailableException extends IOException {
    /** Why it cannot be written. */
    public LogUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    LogUnavailableException(String message) {
        super(message);
    }
}
