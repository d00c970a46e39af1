package dev.countersign.server.egress;

import java.io.IOException;

/**
 * A destination that the operator's rules do not allow. Nothing was sent. The message says which rule refused and what the
 * operator can do; it names the host and port, never the path.
 */
public final class RefusedDestinationException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedDestinationException(String message) {
        super(message);
    }
}
