package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;

/** What becomes of an access request: one thing, for good (AuthZEN Access Request and Approval Profile, State Transitions). */
public final class AccessRequestLifecycle {
    /** The states. */
    public enum Status implements Worded {
        /** Reviews are waited for. */
        PENDING,
        /** Everybody who was asked for has approved it. */
        APPROVED,
        /** Somebody who may has refused it. */
        DENIED,
        /** The reviews did not come in time. */
        EXPIRED,
        /** It is wanted no more. */
        CANCELLED,
        /** The server could not go on with it. */
        FAILED
    }

    /** The table. */
    public static final Lifecycle<Status> TABLE = Lifecycle.of(Status.class)
            .move(Status.PENDING, Status.APPROVED, "the last review that was needed")
            .move(Status.PENDING, Status.DENIED, "a review that refuses")
            .move(Status.PENDING, Status.EXPIRED, "approve-by has passed")
            .move(Status.PENDING, Status.CANCELLED, "cancelled")
            .move(Status.PENDING, Status.FAILED, "a fault of the server");

    private AccessRequestLifecycle() {}
}
