package dev.countersign.server.separation;

/** The requester's side is too large to be told, so that nobody can be said not to belong to it. */
public final class TangledSideException extends RuntimeException {
    private static final long serialVersionUID = 1;

    TangledSideException(String message) {
        super(message);
    }
}
