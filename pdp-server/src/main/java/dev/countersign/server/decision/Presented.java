package dev.countersign.server.decision;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The approval that a call presents, once it has been looked up. */
public sealed interface Presented {
    /** The id that was presented; {@code null} if it is none that can be. */
    @Nullable
    String id();

    /**
     * An approval that is good for this very call and caller.
     *
     * @param id its id
     * @param until until when it can be used
     * @param discharges what it approves
     * @param executionId by which the caller will report; {@code null} if it will not
     */
    record Good(
            String id,
            Instant until,
            Set<Asked> discharges,
            @Nullable String executionId) implements Presented {}

    /**
     * One that counts for nothing.
     *
     * @param id as it was presented
     * @param why why
     */
    record Worthless(@Nullable String id, Refusal why) implements Presented {}
}
