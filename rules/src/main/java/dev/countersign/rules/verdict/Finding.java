package dev.countersign.rules.verdict;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;

/** What one rule said: one of its effects. */
public record Finding(Rule rule, Effect effect) {
    /** The reason code of what allows, denies or asks for approval; empty of what does neither. */
    public String code() {
        if (effect instanceof Effect.Allow allow) {
            return allow.code();
        }
        if (effect instanceof Effect.Deny deny) {
            return deny.code();
        }
        return effect instanceof Effect.RequireApproval asked ? asked.code() : "";
    }
}
