package dev.countersign.server.postgres;

import org.jspecify.annotations.Nullable;

/** A failure to run, reach or migrate PostgreSQL; the message says what to do and never holds a password. */
public final class PostgresException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PostgresException(String message) {
        super(message);
    }

    PostgresException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
