package dev.countersign.server.policy;

/** What came of a decision about a proposal. */
public sealed interface Decision {
    /** It is decided. */
    record Done(Proposal now) implements Decision {}

    /** Nothing was decided. */
    enum Refused implements Decision {
        /** There is no such proposal in this plane. */
        UNKNOWN,
        /** It was decided before. */
        ENDED,
        /** Who does not publish may only take back what they proposed. */
        NOT_YOURS,
        /** Only another person may confirm it. */
        SAME_PERSON,
        /** What it changes has changed otherwise: it can be made no more. */
        OUTDATED,
        /** It would let other things through than it said when it was made; it says so now. */
        DIFFERS
    }

    /** It is not as the caller saw it; nothing was decided. */
    record Unseen(Proposal now) implements Decision {}
}
