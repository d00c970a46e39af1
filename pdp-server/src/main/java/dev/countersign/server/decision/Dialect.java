package dev.countersign.server.decision;

import dev.countersign.rules.facts.Worded;

/** The way in by which a decision was asked for. */
public enum Dialect implements Worded {
    /** An AuthZEN evaluation, single or in a batch. */
    AUTHZEN,
    /** The policy evaluation API of {@code POST /v1/policy/evaluate}. */
    POLICY_EVALUATE,
    /** The policy gate of {@code POST /v1/authorize/...}. */
    AUTHORIZE;

    /** Every decision is recorded with it. */
    private final String word = Worded.super.word();

    @Override
    public String word() {
        return word;
    }
}
