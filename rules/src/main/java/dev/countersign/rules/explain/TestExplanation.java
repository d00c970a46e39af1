package dev.countersign.rules.explain;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What one test of a rule came to.
 *
 * @param text the test in canonical text
 * @param result what it came to
 * @param wanted what the rule needs it to come to: false under an odd number of negations, else true
 * @param against whether it is one of the tests that keep the rule from applying: it is not as wanted, and no
 *     alternative to it holds
 * @param seen the values it looked at, left to right; literals are left out
 */
public record TestExplanation(String text, Truth result, boolean wanted, boolean against, List<Seen> seen) {
    /**
     * A value that a test looked at.
     *
     * @param name the attribute's name, or {@code param("name")}
     * @param value JSON text, {@code absent}, or {@code unavailable} with the cause in brackets; long values are cut
     */
    public record Seen(String name, String value) {}

    /** One line for people: the test, what it came to, and what was seen. */
    public String line() {
        String values = seen.stream()
                .map(value -> value.name() + " is " + value.value())
                .collect(Collectors.joining(", "));
        return text + " is " + result.word() + (wanted ? "" : ", should be false") + ": " + values;
    }
}
