package dev.countersign.server.separation;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Whether a person may vote. */
public sealed interface Ruling {
    /**
     * The vote counts.
     *
     * @param inPlaceOf the person in whose place, whose vote it spends too; {@code null} for the voter's own place
     */
    record May(@Nullable UUID inPlaceOf) implements Ruling {}

    /**
     * The vote does not count.
     *
     * @param reason the first reason why not
     * @param missingRole the role that the person lacks, if that is the reason; else {@code null}
     */
    record MayNot(Reason reason, @Nullable String missingRole) implements Ruling {
        MayNot(Reason reason) {
            this(reason, null);
        }
    }

    /** Why somebody may not vote. */
    enum Reason {
        /** The person asked, or belongs to whoever asked, or was excluded when the request was made. */
        REQUESTERS_SIDE,
        /** No good key of the person may approve, or there is no such person. */
        NOT_A_REVIEWER,
        /** The person has not all roles of the stage, and can be in the place of nobody who has. */
        LACKS_ROLE,
        /** The person's vote is spent, by the person or by somebody in the person's place. */
        VOTED_ALREADY,
        /** The person has handed the place on this request on to another. */
        HANDED_ON,
        /** Without this person or whom the vote would stand for, the places that are left could not all be filled. */
        NEEDED_LATER
    }
}
