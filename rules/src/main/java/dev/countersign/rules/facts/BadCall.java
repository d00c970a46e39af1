package dev.countersign.rules.facts;

/** A request body that is not a well-formed call. The message names the member and is safe to show to the caller. */
public final class BadCall extends Exception {
    private static final long serialVersionUID = 1L;

    /** A refusal with this message. */
    public BadCall(String message) {
        super(message, null, false, false);
    }
}
