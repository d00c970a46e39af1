package dev.countersign.rules.facts;

/** Whose word counts for an attribute that both the caller and the store of entities may know. */
public enum Precedence implements Worded {
    /** What the caller sends; the store's value where the caller sends none. */
    CALLER,
    /** What the store holds, and nothing else: what the caller sends is not looked at. */
    STORE;
}
