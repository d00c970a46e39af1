package dev.countersign.server.decision;

import dev.countersign.rules.facts.Worded;

/** The way in by which a decision was asked for. */
public enum Dialect implements Worded {
    /** An AuthZEN evaluation, single or in a batch. */
    AUTHZEN,
    /** The policy evaluation API of {@code POST /v1/policy/evaluate}. */
    POLICY_EVALUATE,
    /** The policy gate of {@code POST /v1/authorize/...}. */
    AUTHORIZE,
    /** An action that is requested or executed, {@code POST /actions/...} (seed 000). */
    ACTIONS,
    /** An approval that is asked for or applied, {@code /api/v1/approvals} (seeds 002 and 004). */
    APPROVALS;

    /** Every decision is recorded with it. */
    private final String word = Worded.super.word();

    @Override
    public String word() {
        return word;
    }
}
