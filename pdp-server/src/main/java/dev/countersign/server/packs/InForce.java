package dev.countersign.server.packs;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which versions of a published pack judge.
 *
 * @param name the pack's name
 * @param change the number of the last change; 0 if it never judged
 * @param active the version that answers; {@code null} for none
 * @param shadow the version that is evaluated beside and never answers; {@code null} for none
 * @param latest the latest version
 * @param at when that was changed; {@code null} if it never judged
 * @param by the visible prefix of the key that changed it
 */
public record InForce(
        String name,
        long change,
        @Nullable Long active,
        @Nullable Long shadow,
        long latest,
        @Nullable Instant at,
        @Nullable String by) {}
