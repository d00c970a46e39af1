package dev.countersign.server.decision;

import java.time.Instant;

/**
 * An instant in whole milliseconds with its text: many decisions share a millisecond, and writing one is dear.
 *
 * @param instant the instant
 * @param text the instant in RFC 3339, in UTC
 */
public record Moment(Instant instant, String text) {
    /** The moment that is {@code epochMilli} milliseconds after 1970 began. */
    public static Moment of(long epochMilli) {
        Instant instant = Instant.ofEpochMilli(epochMilli);
        return new Moment(instant, instant.toString());
    }
}
