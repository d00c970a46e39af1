package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Vocabulary;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.PolicyChanges.Result;
import dev.countersign.server.policy.SettingChange;
import dev.countersign.server.policy.TenantState;
import dev.countersign.server.settings.StoredSetting;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /api/v1/settings} and {@code GET}, {@code PUT} and {@code DELETE /{name}}: the values that the caller's tenant
 * gives to parameters and lists. Confined to one event loop.
 */
final class SettingsHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_SHOWN = 100;

    private final Callers callers;
    private final Judging judging;
    private final PolicyChanges changes;

    SettingsHandler(Callers callers, Judging judging, PolicyChanges changes) {
        this.callers = callers;
        this.judging = judging;
        this.changes = changes;
    }

    /** Everything that the tenant may set, and what it has set that nothing reads any more. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_READ, Role.ADMIN);
        if (caller != null) {
            judging.by(ctx, caller, state -> {
                var view = new SettingView(state.known(), state.settings());
                ObjectNode body = JSON.createObjectNode();
                ArrayNode all = body.putArray("settings");
                view.names().forEach(name -> all.add(view.of(name)));
                Bodies.send(ctx, 200, body);
            });
        }
    }

    void get(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_READ, Role.ADMIN);
        if (caller != null) {
            judging.by(ctx, caller, state -> {
                var view = new SettingView(state.known(), state.settings());
                String name = name(ctx);
                if (view.names().contains(name)) {
                    send(ctx, view, name);
                } else {
                    unknown(ctx, name, view.names());
                }
            });
        }
    }

    void put(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller != null && body != null) {
            judging.by(ctx, caller, state -> put(ctx, state, caller, body));
        }
    }

    private void put(RoutingContext ctx, TenantState state, Caller caller, Body body) {
        String name = name(ctx);
        if (!state.known().declared().containsKey(name)) {
            unknown(ctx, name, state.known().declared().keySet());
            return;
        }
        JsonNode given;
        try {
            given = new Members(body.json(), "value").json("value");
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
            return;
        }
        if (given == null || given.isNull()) {
            invalid(ctx, "`value` is missing; DELETE takes the tenant's own value away");
            return;
        }
        try {
            write(ctx, state, caller, name, state.known().value(name, given));
        } catch (IllegalArgumentException e) {
            invalid(ctx, String.valueOf(e.getMessage()));
        }
    }

    void delete(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
        if (caller != null) {
            judging.by(ctx, caller, state -> {
                String name = name(ctx);
                var view = new SettingView(state.known(), state.settings());
                if (view.names().contains(name)) {
                    write(ctx, state, caller, name, null);
                } else {
                    unknown(ctx, name, view.names());
                }
            });
        }
    }

    private void write(RoutingContext ctx, TenantState state, Caller caller, String name, @Nullable Object value) {
        var precondition = new Precondition(ctx.request().headers());
        Waiting.<Result<@Nullable StoredSetting>>change(
                ctx,
                changes.make(caller, new SettingChange(caller.inTenant(), name, value), precondition),
                written -> written(ctx, state, name, written));
    }

    private static void written(
            RoutingContext ctx, TenantState state, String name, Result<@Nullable StoredSetting> written) {
        ChangeAnswer.<@Nullable StoredSetting>send(
                ctx,
                written,
                now -> send(ctx, SettingView.after(state.known(), now), name),
                version -> Precondition.failed(
                        ctx,
                        version,
                        version == 0
                                ? "the tenant has no value of its own for `" + name + "`"
                                : "`" + name + "` is at version " + version + ": read it again"),
                mistake -> invalid(ctx, mistake.message()));
    }

    private static void send(RoutingContext ctx, SettingView view, String name) {
        ctx.response().putHeader(HttpHeaders.ETAG, SettingView.etag(view.version(name)));
        Bodies.send(ctx, 200, view.of(name));
    }

    private static void invalid(RoutingContext ctx, String detail) {
        Problems.send(ctx, 422, "invalid_setting", detail);
    }

    private static void unknown(RoutingContext ctx, String name, java.util.Collection<String> known) {
        String shown = name.length() <= LONGEST_SHOWN ? name : name.substring(0, LONGEST_SHOWN) + "...";
        // How near a name is takes time in proportion to its length.
        String near = name.length() <= LONGEST_SHOWN ? Vocabulary.nearest(name, new TreeSet<>(known)) : null;
        Problems.send(
                ctx,
                404,
                "not_found",
                "there is no setting `" + shown + "`" + (near == null ? "" : "; did you mean `" + near + "`?"));
    }

    private static String name(RoutingContext ctx) {
        return Objects.requireNonNull(ctx.pathParam("name"));
    }
}
