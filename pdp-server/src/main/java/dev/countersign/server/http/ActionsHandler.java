package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionClass;
import dev.countersign.server.actions.ActionJson;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.actions.StoredAction;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.policy.ActionChange;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyChanges.Result;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/actions}: the registry of the caller's tenant. */
final class ActionsHandler {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Callers callers;
    private final ActionStore actions;
    private final PolicyChanges changes;

    ActionsHandler(Callers callers, ActionStore actions, PolicyChanges changes) {
        this.callers = callers;
        this.actions = actions;
        this.changes = changes;
    }

    /** By name; {@code class}, {@code limit}, {@code after} (a name). */
    void list(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        try {
            String word = Parameters.text(ctx, "class");
            ActionClass only = Worded.of(ActionClass.class, word);
            if (word != null && only == null) {
                throw new BadCall("`class` is one of " + ActionClass.words());
            }
            Pages.send(
                    ctx,
                    "actions",
                    "name",
                    (after, limit) -> actions.list(caller.inTenant(), only, after, limit),
                    ActionsHandler::view);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    void get(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller != null) {
            Waiting.read(ctx, actions.find(caller.inTenant(), name(ctx)), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    send(ctx, 200, found);
                }
            });
        }
    }

    /** By version; {@code limit}, {@code after} (a version). */
    void history(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller != null) {
            Pages.history(
                    ctx,
                    "action",
                    (after, limit) -> actions.history(caller.inTenant(), name(ctx), after, limit),
                    () -> unknown(ctx));
        }
    }

    void put(RoutingContext ctx) {
        Caller caller = writer(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        String name = name(ctx);
        var precondition = new Precondition(ctx.request().headers());
        var mistakes = new ArrayList<JsonMistake>();
        // A large schema takes milliseconds, for which no loop that serves requests may stand still.
        var reading = ctx.vertx().executeBlocking(() -> ActionJson.read(name, body.json(), mistakes), false);
        Waiting.change(ctx, reading, action -> {
            if (!ActionJson.nameable(name)) {
                mistakes.add(0, unnameable());
            }
            if (mistakes.isEmpty()) {
                put(ctx, caller, action, precondition);
            } else {
                refuse(ctx, mistakes);
            }
        });
    }

    private void put(RoutingContext ctx, Caller caller, Action action, LongPredicate precondition) {
        change(ctx, caller, ActionChange.write(caller.inTenant(), action), precondition);
    }

    void delete(RoutingContext ctx) {
        Caller caller = writer(ctx);
        if (caller != null) {
            var precondition = new Precondition(ctx.request().headers());
            change(
                    ctx,
                    caller,
                    ActionChange.delete(caller.inTenant(), name(ctx)),
                    version -> version > 0 && precondition.test(version));
        }
    }

    private void change(RoutingContext ctx, Caller caller, ActionChange change, LongPredicate precondition) {
        Waiting.<Result<@Nullable StoredAction>>change(
                ctx, changes.make(caller, change, precondition), result -> changed(ctx, result));
    }

    private static void changed(RoutingContext ctx, Result<@Nullable StoredAction> result) {
        ChangeAnswer.<@Nullable StoredAction>send(
                ctx,
                result,
                now -> {
                    if (now == null) {
                        ctx.response().setStatusCode(204).end();
                    } else {
                        send(ctx, now.createdAt().equals(now.updatedAt()) ? 201 : 200, now);
                    }
                },
                version -> stale(ctx, version),
                mistake -> refuse(ctx, List.of(mistake)));
    }

    private static void stale(RoutingContext ctx, long version) {
        if (version > 0 || ctx.request().headers().contains(HttpHeaders.IF_MATCH)) {
            Precondition.failed(
                    ctx,
                    version,
                    version == 0
                            ? "this action is not registered"
                            : "this action is at version " + version + ": read it again");
        } else {
            unknown(ctx);
        }
    }

    private static void refuse(RoutingContext ctx, List<JsonMistake> mistakes) {
        Problems.mistakes(ctx, "action", mistakes);
    }

    private static JsonMistake unnameable() {
        return new JsonMistake(
                "",
                Code.J001,
                "the name of an action has 1 to " + ActionJson.LONGEST_NAME
                        + " characters, none of them a control character",
                null);
    }

    private static void send(RoutingContext ctx, int status, StoredAction stored) {
        ctx.response()
                .putHeader(HttpHeaders.ETAG, SettingView.etag(stored.action().version()));
        Bodies.send(ctx, status, view(stored));
    }

    private static ObjectNode view(StoredAction stored) {
        ObjectNode out = JSON.createObjectNode().put("name", stored.action().name());
        out.setAll(ActionJson.write(stored.action()));
        return out.put("version", stored.action().version())
                .put("created_at", stored.createdAt().toString())
                .put("created_by", stored.createdBy())
                .put("updated_at", stored.updatedAt().toString())
                .put("updated_by", stored.updatedBy());
    }

    private @Nullable Caller reader(RoutingContext ctx) {
        return callers.require(ctx, Role.POLICY_READ, Role.POLICY_WRITE, Role.ADMIN);
    }

    private @Nullable Caller writer(RoutingContext ctx) {
        return callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
    }

    private static String name(RoutingContext ctx) {
        return Parameters.id(ctx, "name");
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "the tenant has registered no such action");
    }
}
