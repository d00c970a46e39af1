package dev.countersign.rules.facts;

import java.util.Locale;

/** Whose word counts for an attribute that both the caller and the store of entities may know. */
public enum Precedence {
    /** What the caller sends; the store's value where the caller sends none. */
    CALLER,
    /** What the store holds, and nothing else: what the caller sends is not looked at. */
    STORE;

    /** The name that {@code pack.yaml} and documentation use. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
