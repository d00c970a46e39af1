package dev.countersign.server.decisionlog;

import java.io.IOException;

/** The finding that a segment is not what was written, or holds an entry that the table cannot take. */
final class DamagedSegmentException extends IOException {
    DamagedSegmentException(String message) {
        super(message);
    }

    DamagedSegmentException(String message, Throwable cause) {
        super(message, cause);
    }
}
