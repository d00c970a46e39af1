package dev.countersign.server.decision;

import java.util.Locale;

/** The way in by which a decision was asked for. */
public enum Dialect {
    /** An AuthZEN evaluation, single or in a batch. */
    AUTHZEN,
    /** The policy evaluation API of {@code POST /v1/policy/evaluate}. */
    POLICY_EVALUATE,
    /** The policy gate of {@code POST /v1/authorize/...}. */
    AUTHORIZE;

    /** The name in the log and in metrics. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
