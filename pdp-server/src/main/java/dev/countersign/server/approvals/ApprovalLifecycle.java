package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;

/** What becomes of an approval: it is used once, or not at all, or nobody knows. */
public final class ApprovalLifecycle {
    /** The states. */
    public enum Status implements Worded {
        /** It can be used. */
        ACTIVE,
        /** A call was let run with it, and the report of that run is waited for. */
        RESERVED,
        /** It has been used. */
        CONSUMED,
        /** It was taken back. */
        REVOKED,
        /** It was not used in time. */
        EXPIRED,
        /** A call was let run with it, and nobody knows whether it ran: that is for a human to say. */
        IN_DOUBT
    }

    /** The table. */
    public static final Lifecycle<Status> TABLE = Lifecycle.of(Status.class)
            .move(Status.ACTIVE, Status.RESERVED, "an allow, to be reported")
            .move(
                    Status.ACTIVE,
                    Status.CONSUMED,
                    "an allow without a report, or a late report of a run that a human had freed")
            .move(Status.ACTIVE, Status.REVOKED, "revoked")
            .move(Status.ACTIVE, Status.EXPIRED, "use-by has passed")
            .move(Status.RESERVED, Status.CONSUMED, "a report that it ran")
            .move(Status.RESERVED, Status.ACTIVE, "a report that it did not start")
            .move(Status.RESERVED, Status.IN_DOUBT, "no report in time, or one that does not know")
            .move(Status.IN_DOUBT, Status.CONSUMED, "a late report, or a human: it ran")
            .move(Status.IN_DOUBT, Status.ACTIVE, "a human: it did not start");

    private ApprovalLifecycle() {}
}
