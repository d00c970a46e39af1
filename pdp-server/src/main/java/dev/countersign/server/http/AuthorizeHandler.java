package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionClass;
import dev.countersign.server.decision.AuthorizeAnswer;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.EnforcementMode;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.metrics.Metrics;
import io.vertx.ext.web.RoutingContext;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/authorize/...} (seed 003): {@code {principal?, token?, action, resource?, params?, context?, zone?,
 * enforcement_mode?}}, evaluating only. The path is the class of the action. The answer is the truth, whatever the caller's
 * gate does with it.
 */
final class AuthorizeHandler {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> MEMBERS =
            List.of("principal", "token", "action", "resource", "params", "context", "zone", "enforcement_mode");

    /** What is asked for, each at its own path. */
    enum Kind {
        /** To call a tool: {@code tool}, or else the action's name, is the tool. */
        TOOL_CALL("tool-call", "tool"),
        /** To read or write data: there must be a resource. */
        DATA_ACCESS("data-access", null),
        /** To act. */
        ACTION("action", null),
        /** To send something out, to {@code destination}. */
        EGRESS("egress", "destination");

        private final String path;
        private final @Nullable String own;

        Kind(String path, @Nullable String own) {
            this.path = "/v1/authorize/" + path;
            this.own = own;
        }

        /** Where it is asked. */
        String path() {
            return path;
        }

        /** The class of the actions that are asked about at this path. */
        ActionClass actionClass() {
            return ActionClass.valueOf(name());
        }

        private String[] members() {
            return Stream.concat(MEMBERS.stream(), Stream.ofNullable(own)).toArray(String[]::new);
        }
    }

    private final Callers callers;
    private final Judging judging;
    private final Deciding deciding;
    private final Map<Kind, Answering> answering = new EnumMap<>(Kind.class);

    AuthorizeHandler(Callers callers, Judging judging, DecisionLoop decisions, Deciding deciding, Metrics metrics) {
        this.callers = callers;
        this.judging = judging;
        this.deciding = deciding;
        for (Kind kind : Kind.values()) {
            answering.put(kind, new Answering(decisions, metrics, kind.path()));
        }
    }

    void authorize(RoutingContext ctx, Kind kind) {
        long began = System.nanoTime();
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller != null && body != null) {
            judging.by(ctx, caller, state -> authorize(ctx, kind, state.policy(), caller, body.json(), began));
        }
    }

    private void authorize(
            RoutingContext ctx, Kind kind, TenantPolicy policy, Caller caller, JsonNode body, long began) {
        try {
            EnforcementMode enforcement = enforcement(new Members(body, kind.members()));
            Call asked = call(kind, caller, body);
            registered(kind, policy.actions().find(asked.actionName()));
            Deciding.check(asked);
            judging.resolve(
                    ctx,
                    policy,
                    caller,
                    asked,
                    call -> deciding.decide(
                            ctx,
                            policy,
                            caller,
                            call,
                            null,
                            Dialect.AUTHORIZE,
                            enforcement,
                            decided -> Objects.requireNonNull(answering.get(kind))
                                    .send(ctx, AuthorizeAnswer.of(decided), began)));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static @Nullable EnforcementMode enforcement(Members members) throws Members.Unfit {
        JsonNode given = members.json("enforcement_mode");
        if (given == null || given.isNull()) {
            return null;
        }
        EnforcementMode mode = Worded.of(EnforcementMode.class, given.textValue());
        if (mode == null) {
            throw new Members.Unfit("`enforcement_mode` is shadow or enforce");
        }
        return mode;
    }

    private static Call call(Kind kind, Caller caller, JsonNode body) throws BadCall {
        JsonNode action = Calls.action(body.get("action"));
        Call call = Calls.of(
                principal(caller, body.path("principal")),
                action,
                resource(kind, body, action),
                body.get("params"),
                context(kind, body));
        return Call.of(call.subject(), classed(kind, call.action()), call.resource(), call.context());
    }

    /** The path says the class of the action, and so does the registry: a gate that asks at another is wrong about it. */
    private static void registered(Kind kind, @Nullable Action action) throws Members.Unfit {
        if (action != null && action.actionClass() != kind.actionClass()) {
            throw new Members.Unfit("the action `" + action.name() + "` is registered with the class "
                    + action.actionClass().word() + ", which this path is not for");
        }
    }

    private static JsonNode principal(Caller caller, JsonNode given) throws BadCall {
        if (Calls.absent(given)) {
            return Calls.itself(caller);
        }
        if (given.isTextual()) {
            return Calls.entity("agent", given.textValue());
        }
        for (String member : List.of("type", "id")) {
            if (!given.path(member).isTextual()) {
                throw new BadCall("`principal` is an agent's id, or an object with a `type` and an `id`, both strings");
            }
        }
        return given;
    }

    private static JsonNode resource(Kind kind, JsonNode body, @Nullable JsonNode action) throws BadCall {
        JsonNode given = body.path("resource");
        if (kind == Kind.DATA_ACCESS && Calls.absent(given)) {
            throw new BadCall("`resource` is missing: access to which data?");
        }
        if (kind != Kind.TOOL_CALL) {
            return Calls.resource(given, action);
        }
        JsonNode tool = body.path("tool");
        if (Calls.absent(tool)) {
            JsonNode named =
                    given.isTextual() ? Calls.entity("tool", given.textValue()) : Calls.resource(given, action);
            if (named.isObject() && !named.path("type").asText().equals("tool")) {
                throw new BadCall("the `resource` of a tool call has the type `tool`; or give its id as `tool`");
            }
            return named;
        }
        if (!tool.isTextual()) {
            throw new BadCall("`tool` must be a string");
        }
        if (!Calls.absent(given)) {
            throw new BadCall("give the tool as `tool` or as `resource`, not both");
        }
        return Calls.entity("tool", tool.textValue());
    }

    /** The token is opaque: rules may compare it, the record holds its digest. */
    private static @Nullable JsonNode context(Kind kind, JsonNode body) throws BadCall {
        JsonNode given = body.path("context");
        if (!Calls.absent(given) && !given.isObject()) {
            throw new BadCall("`context` must be an object");
        }
        ObjectNode context = NODES.objectNode();
        if (given instanceof ObjectNode members) {
            context.setAll(members);
        }
        put(context, body, "token");
        put(context, body, "zone");
        if (kind == Kind.EGRESS) {
            put(context, body, "destination");
        }
        return context.isEmpty() ? body.get("context") : context;
    }

    private static void put(ObjectNode context, JsonNode body, String name) throws BadCall {
        JsonNode value = body.path(name);
        if (Calls.absent(value)) {
            return;
        }
        if (!value.isTextual()) {
            throw new BadCall("`" + name + "` must be a string");
        }
        JsonNode there = context.path(name);
        if (!Calls.absent(there) && !value.equals(there)) {
            throw new BadCall("`" + name + "` and `context." + name + "` differ");
        }
        context.set(name, value);
    }

    private static JsonNode classed(Kind kind, JsonNode action) throws BadCall {
        ObjectNode properties = NODES.objectNode();
        if (action.get("properties") instanceof ObjectNode given) {
            properties.setAll(given);
        }
        JsonNode claimed = properties.path("class");
        String word = kind.actionClass().word();
        if (!Calls.absent(claimed) && !word.equals(claimed.textValue())) {
            throw new BadCall("`action.properties.class` is " + word
                    + " at this path, and the body says otherwise; `params` of what is no tool stand there too");
        }
        ObjectNode copy = NODES.objectNode();
        copy.setAll((ObjectNode) action);
        return copy.set("properties", properties.put("class", word));
    }
}
