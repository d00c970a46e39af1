package dev.countersign.rules.dialect;

/** What attacks aim at: a class that leaves a mark as soon as anything initialises it. */
public final class Trap {
    /** A field whose first reading leaves the mark. */
    public static final String FIELD = System.setProperty("countersign.pwned", "trap") + "";

    private Trap() {}
}
