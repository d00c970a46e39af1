package dev.countersign.rules.facts;

/**
 * The value of an attribute that exists but cannot be used: it has the wrong type, or its source failed. Unlike an
 * absent attribute ({@code null}), it is unknown to every test, {@code == null} included.
 */
public enum Unavailable {
    /** The only instance; compare with {@code ==}. */
    VALUE
}
