package dev.countersign.api;

import java.util.List;

/**
 * The refusal of a value that has no canonical form: a number that an IEEE double does not carry exactly, half of a surrogate pair, nesting without
 * end, or something that is not JSON. The message names the JSON Pointer (RFC 6901) of the value within what was to be written, and never the value
 * itself.
 */
public final class NotCanonicalException extends Exception {
    private static final long serialVersionUID = 1L;

    NotCanonicalException(List<String> path, String reason) {
        super("no canonical form at \"" + pointer(path) + "\": " + reason);
    }

    private static String pointer(List<String> path) {
        var pointer = new StringBuilder();
        for (String step : path) {
            pointer.append('/').append(step.replace("~", "~0").replace("/", "~1"));
        }
        return pointer.toString();
    }
}
