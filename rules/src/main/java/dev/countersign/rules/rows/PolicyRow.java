package dev.countersign.rules.rows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.Worded;
import org.jspecify.annotations.Nullable;

/**
 * A policy as it is stored: one row of data. Whether it can be used is for {@link RowReader} to say.
 *
 * @param id a UUID as text, lower case
 * @param tenant the tenant, or {@code null} for a row of the operator, which holds for all tenants
 * @param owner whose row it is, or {@code null}: a row of scope user or agent counts only for its owner's own requests
 * @param name what people call it
 * @param description what it is for, or {@code null}
 * @param scope whose requests it is about
 * @param scopeRef which app, tool, workflow, agent or user; {@code "*"} of scope user is the tenant's default set;
 *     {@code null} of scope global and tenant
 * @param effect what it says
 * @param actionPattern the action, in which {@code *} stands for any run of characters
 * @param resourcePattern type and id of the resource, {@code type/id}, either with {@code *}; {@code null} or {@code "*"} is any
 * @param ruleExpr an object with {@code when} and {@code then}, both optional, or {@code null}
 * @param risk how much is at stake, or {@code null} for what the outcome suggests
 * @param reason a reason code, or a text for people, or {@code null}
 * @param enabled whether it counts
 * @param version how often it was written
 */
public record PolicyRow(
        String id,
        @Nullable String tenant,
        @Nullable String owner,
        String name,
        @Nullable String description,
        Scope scope,
        @Nullable String scopeRef,
        Kind effect,
        String actionPattern,
        @Nullable String resourcePattern,
        @Nullable JsonNode ruleExpr,
        @Nullable Risk risk,
        @Nullable String reason,
        boolean enabled,
        long version) {
    /** The scope reference that means every user without rows of their own. */
    public static final String EVERY = "*";

    /** Whose requests a row is about. */
    public enum Scope implements Worded {
        /** All tenants'; a row of the operator. */
        GLOBAL,
        /** The tenant's. */
        TENANT,
        /** Those of one app, {@code context.app}. */
        APP,
        /** Those for one tool. */
        TOOL,
        /** Those of one workflow, {@code context.workflow}. */
        WORKFLOW,
        /** Those of one agent. */
        AGENT,
        /** Those of one user. */
        USER;

        /** Whether it names one of many, so that a row must say which. */
        public boolean referring() {
            return this != GLOBAL && this != TENANT;
        }

        /** Whether rows of it belong to a person, who may loosen only what the tenant delegates. */
        public boolean personal() {
            return this == AGENT || this == USER;
        }
    }

    /** What a row says. */
    public enum Kind implements Worded {
        /** The call may run. */
        ALLOW,
        /** The call must not run. */
        DENY,
        /** The call may run once people approve it. */
        REQUIRE_APPROVAL,
        /** If the call may run, its mode is changed, or it counts against limits. */
        MODIFY;
    }

    /** How much is at stake. */
    public enum Risk implements Worded {
        /** Little. */
        LOW,
        /** Something. */
        MEDIUM,
        /** Much. */
        HIGH,
        /** All. */
        CRITICAL;
    }

    /** This row at another version. */
    public PolicyRow at(long other) {
        return new PolicyRow(
                id,
                tenant,
                owner,
                name,
                description,
                scope,
                scopeRef,
                effect,
                actionPattern,
                resourcePattern,
                ruleExpr,
                risk,
                reason,
                enabled,
                other);
    }

    /** The first version of a copy of this row, which is of the tenant's default set, that is one user's own. */
    public PolicyRow copiedFor(String copyId, String user) {
        return new PolicyRow(
                copyId,
                tenant,
                user,
                name,
                description,
                scope,
                user,
                effect,
                actionPattern,
                resourcePattern,
                ruleExpr,
                risk,
                reason,
                enabled,
                1);
    }

    /** Whether it is of the set that holds for every user who has no rows of their own. */
    public boolean byDefault() {
        return scope == Scope.USER && EVERY.equals(scopeRef);
    }

    /** Whether its action is a pattern, so that it is a candidate for more than one action. */
    public boolean pattern() {
        return Glob.isPattern(actionPattern);
    }
}
