package dev.countersign.server.live;

/** The key that asks for a change is no longer good, though this server let it in: nothing was changed. */
public final class KeyEndedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    KeyEndedException() {
        super("the key that asks for the change is not good any more", null, false, false);
    }
}
