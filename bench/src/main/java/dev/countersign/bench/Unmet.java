package dev.countersign.bench;

/** Something that a measurement needs is not there; the message says what, and how to get it. */
final class Unmet extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unmet(String message) {
        super(message);
    }
}
