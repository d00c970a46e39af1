package dev.countersign.rules.scenarios;

/**
 * One way in which a case failed.
 *
 * @param kind whether the rules or the engine are at fault
 * @param what what was compared: a key of {@code expect}, or {@code engine}
 * @param expected what should have been, for people
 * @param got what was, for people
 */
public record Failure(Kind kind, String what, String expected, String got) {
    /** Who is at fault. */
    public enum Kind {
        /** The rules do not say what the case expects. */
        EXPECTATION,
        /** The engine and the reference interpreter do not agree, or the engine failed: a fault of the product. */
        ENGINE
    }

    /** The failure in one line. */
    public String line() {
        return switch (what) {
            case "matched" -> "expected a rule `" + expected + "` to match, matched: " + got;
            case "not_matched" -> "expected no rule `" + expected + "` to match, matched: " + got;
            case "engine" ->
                "engine and interpreter disagree (please report this): interpreter says " + expected + ", engine says "
                        + got;
            default -> "expected " + what + " " + expected + ", got " + got;
        };
    }
}
