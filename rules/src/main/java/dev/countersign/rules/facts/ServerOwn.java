package dev.countersign.rules.facts;

import java.util.List;

/** What every rule base holds beside what its packs declare: the server's own names, which no pack may declare. */
public final class ServerOwn {
    /** Stands where a pack's name stands for what a pack declares; no pack may have it. */
    public static final String PACK = "countersign";

    /** The actions that a tenant delegates: only for these does an {@code allow} of a user's or an agent's own row count. */
    public static final NamedList DELEGATED = new NamedList(
            PACK,
            "policies.delegated",
            List.of(),
            null,
            "Actions that users and agents may allow themselves by policies of their own; an entry may hold *.");

    /**
     * Stands for a stored condition that cannot be read any more. No request has it, so a test on it is always unknown,
     * and what names it is the answer's {@code missing}.
     */
    public static final Attribute UNREADABLE = new Attribute("rule_expr", Type.BOOL, null, null, Precedence.CALLER);

    private ServerOwn() {}
}
