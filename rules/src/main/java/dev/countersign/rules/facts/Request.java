package dev.countersign.rules.facts;

import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The one fact that rules match: a call, the tenant it is made in, the tenant's values, and the clock. The six fields
 * that every request has are plain fields, so that an engine may index them; every other attribute is read when a rule
 * first asks for it, and then kept. Confined to one thread.
 */
public final class Request {
    private static final Object UNREAD = new Object();

    private final String tenant;
    private final String subjectType;
    private final String subjectId;
    private final String action;
    private final String resourceType;
    private final String resourceId;
    private final Call call;
    private final Instant now;
    private final Values values;
    private final @Nullable Object[] slots;

    /** A request of {@code call} in {@code tenant} at {@code now}, judged with {@code values}. */
    public Request(String tenant, Call call, Instant now, Values values) {
        this.tenant = tenant;
        this.call = call;
        this.now = now;
        this.values = values;
        this.subjectType = call.subjectType();
        this.subjectId = call.subjectId();
        this.action = call.actionName();
        this.resourceType = call.resourceType();
        this.resourceId = call.resourceId();
        this.slots = new Object[values.layout().slots()];
        Arrays.fill(slots, UNREAD);
    }

    /** The tenant of the authenticated caller. */
    public String tenant() {
        return tenant;
    }

    /** The kind of subject. */
    public String subjectType() {
        return subjectType;
    }

    /** Who acts. */
    public String subjectId() {
        return subjectId;
    }

    /** What they want to do. */
    public String action() {
        return action;
    }

    /** The kind of resource. */
    public String resourceType() {
        return resourceType;
    }

    /** What it is done to. */
    public String resourceId() {
        return resourceId;
    }

    /** The call as it was sent. */
    public Call call() {
        return call;
    }

    /** The instant of the decision. */
    public Instant now() {
        return now;
    }

    /** The tenant's parameters and lists. */
    public Values values() {
        return values;
    }

    /**
     * The value of an attribute: as its type says, {@code null} if absent, or {@link Unavailable}.
     *
     * @param attribute the attribute
     * @param slot its slot in this request's layout
     */
    public @Nullable Object value(Attribute attribute, int slot) {
        Object value = slots[slot];
        if (value == UNREAD) {
            value = attribute.builtIn() == null ? attribute.read(call) : builtIn(attribute, attribute.builtIn());
            slots[slot] = value;
        }
        return value;
    }

    private @Nullable Object builtIn(Attribute attribute, BuiltIn field) {
        return switch (field) {
            case TENANT -> tenant;
            case SUBJECT_TYPE -> subjectType;
            case SUBJECT_ID -> subjectId;
            case ACTION -> action;
            case RESOURCE_TYPE -> resourceType;
            case RESOURCE_ID -> resourceId;
            case NOW -> now;
            case TOOL -> call.toolCall() ? resourceId : null;
            case AGENT -> subjectType.equals("agent") ? subjectId : attribute.read(call);
            case USER ->
                subjectType.equals("user") ? subjectId : subjectType.equals("agent") ? attribute.read(call) : null;
            case MODE -> {
                Object mode = attribute.read(call);
                yield mode == null ? "auto" : mode;
            }
            default -> attribute.read(call);
        };
    }
}
