package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.entities.EntityData;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.server.decision.Body;
import dev.countersign.server.entities.EntityStore;
import dev.countersign.server.entities.EntityStore.Written;
import dev.countersign.server.entities.StoredEntity;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /api/v1/entities/{type}} and {@code GET}, {@code PUT} and {@code DELETE /{id}}: what the caller's tenant says
 * of users, agents and things, and beneath it what packs carry, which nobody changes here.
 */
final class EntitiesHandler {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Callers callers;
    private final Judging judging;
    private final EntityStore store;

    EntitiesHandler(Callers callers, Judging judging, EntityStore store) {
        this.callers = callers;
        this.judging = judging;
        this.store = store;
    }

    /** By id; {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_READ, Role.ADMIN);
        if (caller != null) {
            String type = Parameters.id(ctx, "type");
            judging.by(ctx, caller, state -> {
                PackEntities beneath = state.policy().entities();
                Pages.send(
                        ctx,
                        "entities",
                        (after, limit) -> page(beneath, caller, type, after == null ? "" : after, limit),
                        view -> view);
            });
        }
    }

    private Future<List<ObjectNode>> page(PackEntities beneath, Caller caller, String type, String after, int limit) {
        return store.list(caller.inTenant(), type, after, limit).map(own -> {
            var all = new TreeMap<EntityKey, ObjectNode>();
            beneath.page(type, after, limit).forEach(carried -> all.put(carried.key(), view(carried)));
            own.forEach(entity -> all.put(entity.key(), view(entity)));
            return new ArrayList<>(all.values()).subList(0, Math.min(limit, all.size()));
        });
    }

    void get(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_READ, Role.ADMIN);
        if (caller != null) {
            EntityKey key = key(ctx);
            Waiting.read(ctx, store.find(caller.inTenant(), key), own -> send(ctx, 200, caller, key, own));
        }
    }

    private void send(RoutingContext ctx, int status, Caller caller, EntityKey key, @Nullable StoredEntity own) {
        judging.by(
                ctx,
                caller,
                state -> send(ctx, status, own, state.policy().entities().carried(key)));
    }

    private static void send(
            RoutingContext ctx, int status, @Nullable StoredEntity own, PackEntities.@Nullable Carried carried) {
        ObjectNode view = own != null ? view(own) : carried != null ? view(carried) : null;
        if (view == null) {
            unknown(ctx);
            return;
        }
        ctx.response().putHeader(HttpHeaders.ETAG, SettingView.etag(own == null ? 0 : own.version()));
        Bodies.send(ctx, status, view);
    }

    void put(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        EntityKey key = key(ctx);
        EntityData data;
        try {
            if (!key.valid()) {
                throw new BadCall(
                        "a type and an id have 1 to " + EntityKey.MAX_LENGTH + " characters, none of them NUL");
            }
            data = EntityData.of(body.json());
        } catch (BadCall e) {
            Problems.send(ctx, 422, "invalid_body", String.valueOf(e.getMessage()));
            return;
        }
        var precondition = new Precondition(ctx.request().headers());
        Waiting.change(
                ctx,
                store.put(caller.inTenant(), key, data, relations(caller), caller.keyId(), precondition),
                written -> written(
                        ctx, written, done -> send(ctx, done.before() == null ? 201 : 200, caller, key, done.now())));
    }

    void delete(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_WRITE, Role.ADMIN);
        if (caller != null) {
            EntityKey key = key(ctx);
            var precondition = new Precondition(ctx.request().headers());
            Waiting.change(
                    ctx,
                    store.delete(caller.inTenant(), key, relations(caller), caller.keyId(), precondition),
                    written -> written(ctx, written, done -> {
                        StoredEntity gone = done.before();
                        if (gone == null) {
                            unknown(ctx);
                        } else {
                            Bodies.send(ctx, 200, view(gone));
                        }
                    }));
        }
    }

    private static void written(RoutingContext ctx, Written written, Consumer<Written.Done> then) {
        if (written instanceof Written.Done done) {
            then.accept(done);
        } else if (written instanceof Written.Stale stale) {
            Precondition.failed(
                    ctx,
                    stale.version(),
                    stale.version() == 0
                            ? "the tenant has no such entity of its own"
                            : "the entity is at version " + stale.version() + ": read it again");
        } else {
            Problems.send(
                    ctx,
                    403,
                    "forbidden",
                    "only the role admin changes roles, groups, owner and delegates: send them as they are");
        }
    }

    /** Whether a caller may change what decides about others. */
    static boolean relations(Caller caller) {
        return caller.mayAny(Role.ADMIN);
    }

    private static EntityKey key(RoutingContext ctx) {
        return new EntityKey(Parameters.id(ctx, "type"), Parameters.id(ctx, "id"));
    }

    private static ObjectNode view(EntityKey key, EntityData data) {
        ObjectNode out = JSON.createObjectNode().put("type", key.type()).put("id", key.id());
        return out.setAll(data.toJson());
    }

    private static ObjectNode view(StoredEntity entity) {
        return view(entity.key(), entity.data())
                .put("source", "tenant")
                .put("version", entity.version())
                .put("updated_at", entity.updatedAt().toString())
                .put("updated_by", entity.updatedBy());
    }

    private static ObjectNode view(PackEntities.Carried carried) {
        return view(carried.key(), carried.data())
                .put("source", "pack")
                .put("pack", carried.pack())
                .put("version", 0);
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "the tenant has no such entity");
    }
}
