package dev.countersign.rules.dialect;

import java.util.Map;

/** What a rule's consequence says, one verb each. */
public sealed interface Effect {
    /** The call may run, says this rule. */
    record Allow(String code) implements Effect {}

    /** The call must not run. */
    record Deny(String code) implements Effect {}

    /** The call may run once humans approve it, as the pack's template says. */
    record RequireApproval(String code, String template) implements Effect {}

    /**
     * Whoever runs the call must do this as well.
     *
     * @param type the kind of obligation
     * @param properties text, number or boolean members, in the order written
     */
    record Oblige(String type, Map<String, Object> properties) implements Effect {}

    /**
     * The call counts against a limit.
     *
     * @param name the limit's name
     * @param max the most that is allowed
     * @param per the window: {@code minute}, {@code hour}, {@code day}, {@code run} or {@code session}
     */
    record Limit(String name, double max, String per) implements Effect {}

    /** A piece of metadata is changed; only {@code mode} can be, to {@code draft} or {@code auto}. */
    record Transform(String name, String value) implements Effect {}

    /** Whether a rule with this effect narrows what may happen, so that not knowing whether it applies means deny. */
    default boolean restricting() {
        return this instanceof Deny
                || this instanceof RequireApproval
                || this instanceof Limit
                || this instanceof Transform;
    }
}
