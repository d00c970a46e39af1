package dev.countersign.rules.facts;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields that every rule may use without declaring them. The enum is their documentation: name, type, source, and
 * whether every request has them.
 */
public enum BuiltIn {
    /** The tenant of the authenticated caller; never from the body. */
    TENANT("tenant", Type.TEXT, null, true),
    /** The kind of subject, {@code agent} or {@code user} for instance. */
    SUBJECT_TYPE("subjectType", Type.TEXT, "subject.type", true),
    /** Who acts. */
    SUBJECT_ID("subjectId", Type.TEXT, "subject.id", true),
    /** What they want to do. */
    ACTION("action", Type.TEXT, "action.name", true),
    /** The kind of resource, {@code tool} for a tool call. */
    RESOURCE_TYPE("resourceType", Type.TEXT, "resource.type", true),
    /** What it is done to. */
    RESOURCE_ID("resourceId", Type.TEXT, "resource.id", true),
    /** The resource's id where the resource is a tool; absent elsewhere. */
    TOOL("tool", Type.TEXT, null, false),
    /** {@code context.mode}, and {@code auto} where the caller sends none. */
    MODE("mode", Type.TEXT, "context.mode", false),
    /** The instant of the decision, from the server's clock. */
    NOW("now", Type.TIME, null, true),
    /** The subject's roles, as the store of entities has them. */
    ROLES("roles", Type.LIST, "subject.properties.roles", false),
    /** The subject's groups, as the store of entities has them. */
    GROUPS("groups", Type.LIST, "subject.properties.groups", false),
    /** The id of the user to whom the subject belongs, as the store of entities has it. */
    OWNER("owner", Type.TEXT, "subject.properties.owner", false),
    /** The party that acts for the subject (RFC 8693), as the caller claims it. */
    ACTOR("actor", Type.TEXT, "subject.properties.act.sub", false),
    /** The agent: the subject's id where {@code subjectType} is {@code agent}, else the actor, as the caller claims it. */
    AGENT("agent", Type.TEXT, "subject.properties.act.sub", false),
    /**
     * The user: the subject's id where {@code subjectType} is {@code user}; of an {@code agent} its registered owner,
     * {@code subject.properties.owner}; absent elsewhere.
     */
    USER("user", Type.TEXT, "subject.properties.owner", false),
    /** The class of the action: {@code tool_call}, {@code data_access}, {@code action} or {@code egress}. */
    ACTION_CLASS("actionClass", Type.TEXT, "action.properties.class", false),
    /** Whether what the action does can be undone. */
    REVERSIBLE("reversible", Type.BOOL, "action.properties.reversible", false),
    /** Where the caller runs or where the data would go, in the operator's own words. */
    ZONE("zone", Type.TEXT, "context.zone", false),
    /** The host or address that an egress goes to. */
    DESTINATION("destination", Type.TEXT, "context.destination", false),
    /** How sure the planner is, from 0 to 1. */
    CONFIDENCE("confidence", Type.NUMBER, "context.confidence", false),
    /** The sum of money in the call's arguments. */
    AMOUNT("amount", Type.NUMBER, "arguments.amount", false),
    /** The ISO 4217 code that goes with the amount. */
    CURRENCY("currency", Type.TEXT, "arguments.currency", false),
    /** The jurisdiction whose rules apply. */
    JURISDICTION("jurisdiction", Type.TEXT, "context.jurisdiction", false),
    /** The application that hosts the agent. */
    APP("app", Type.TEXT, "context.app", false),
    /** The workflow in which the call is made. */
    WORKFLOW("workflow", Type.TEXT, "context.workflow", false),
    /** The run in which the call is made. */
    RUN_ID("runId", Type.TEXT, "context.run_id", false),
    /** The session in which the call is made. */
    SESSION_ID("sessionId", Type.TEXT, "context.session_id", false);

    final boolean required;

    @SuppressWarnings("ImmutableEnumChecker") // a record of immutable parts, which the checker cannot see through
    private final Attribute attribute;

    BuiltIn(String name, Type type, @Nullable String source, boolean required) {
        this.required = required;
        SourcePath path = source == null ? null : SourcePath.parse(source);
        this.attribute = new Attribute(
                name, type, path, this, path != null && path.relation() ? Precedence.STORE : Precedence.CALLER);
    }

    /** The attribute that rules see. */
    public Attribute attribute() {
        return attribute;
    }

    /** All built-in attributes, in the order of the documentation. */
    public static List<Attribute> all() {
        return Arrays.stream(values()).map(BuiltIn::attribute).toList();
    }
}
