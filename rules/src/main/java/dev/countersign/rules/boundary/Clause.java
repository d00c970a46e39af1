package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Conditions that are looked at together: a rule that both judges have, a rule that one of them has, or a bare condition.
 *
 * @param pack the pack whose vocabulary it is written in
 * @param side the judge whose layout and values it is evaluated with: 0 before, 1 after
 * @param conditions what must hold, all of it
 * @param before the rule of the judge before, or {@code null}
 * @param after the rule of the judge after, or {@code null}
 */
record Clause(
        String pack,
        int side,
        List<Expr> conditions,
        @Nullable CompiledRule before,
        @Nullable CompiledRule after) {
    /** Holds in every request. */
    static final Clause ALWAYS = new Clause("", 0, List.of(), null, null);

    static Clause common(CompiledRule before, CompiledRule after) {
        return new Clause(before.rule().pack(), 0, before.rule().conditions(), before, after);
    }

    static Clause before(CompiledRule rule) {
        return new Clause(rule.rule().pack(), 0, rule.rule().conditions(), rule, null);
    }

    static Clause after(CompiledRule rule) {
        return new Clause(rule.rule().pack(), 1, rule.rule().conditions(), null, rule);
    }

    /** Whether a rule with this status makes both judges deny, whatever the others say. */
    boolean denies(int status) {
        return before != null
                && after != null
                && (status == Condition.TRUE && before.rule().effects().stream().anyMatch(Effect.Deny.class::isInstance)
                        || status == Condition.UNKNOWN && before.rule().restricting());
    }

    /** The status as far as it matters: a rule that only allows and cannot be judged is left out, as if it were false. */
    int coarse(int status) {
        CompiledRule rule = before == null ? after : before;
        return status == Condition.UNKNOWN && rule != null && !rule.rule().restricting() ? Condition.FALSE : status;
    }
}
