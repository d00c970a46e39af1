package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An access request that one person approved alone.
 *
 * @param request which
 * @param person who
 * @param key the visible prefix of that person's key
 * @param reason why, in that person's words
 * @param at when
 * @param verdict what another person says of it; {@code null} while nobody has
 */
public record Emergency(
        UUID request,
        UUID person,
        String key,
        String reason,
        Instant at,
        @Nullable Verdict verdict) {
    /** What another person says afterwards. */
    public enum Word implements Worded {
        /** It was right. */
        JUSTIFIED,
        /** It was not. */
        UNJUSTIFIED
    }

    /**
     * What another person said afterwards.
     *
     * @param word whether it was right
     * @param person who says so
     * @param key the visible prefix of that person's key
     * @param note in that person's words
     * @param at when
     */
    public record Verdict(
            Word word, UUID person, String key, @Nullable String note, Instant at) {}
}
