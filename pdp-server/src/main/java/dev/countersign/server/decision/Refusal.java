package dev.countersign.server.decision;

import dev.countersign.rules.facts.Worded;

/**
 * Why a call was denied although it presented an approval, and what its caller does about it (AuthZEN Access Request and
 * Approval Profile, Completion Semantics).
 */
public enum Refusal implements Worded {
    /** It has been used, its time is up, or it was revoked. */
    APPROVAL_EXPIRED("request"),
    /** It was given for another call, or not for all that rules ask approval for. */
    OUT_OF_SCOPE("request"),
    /** Rules deny the call whatever humans say. */
    POLICY_DENIED("none"),
    /** There is no such approval for this caller. */
    APPROVAL_UNVERIFIABLE("none");

    private final String next;

    Refusal(String next) {
        this.next = next;
    }

    /** The {@code next_action}. */
    public String next() {
        return next;
    }

    /** Whether the call may be asked for anew. */
    boolean requestable() {
        return next.equals("request");
    }
}
