package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.decision.Body;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.identity.Tenant;
import dev.countersign.server.identity.TenantStore;
import dev.countersign.server.identity.TenantStore.Administered;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/tenants}: the operator's plane. It makes and suspends tenants, and sees nothing of what is in them. */
final class TenantsHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ID = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

    private final Callers callers;
    private final TenantStore tenants;
    private final Supplier<ApiKey> newKey;

    TenantsHandler(Callers callers, TenantStore tenants, Supplier<ApiKey> newKey) {
        this.callers = callers;
        this.tenants = tenants;
        this.newKey = newKey;
    }

    /** By id; {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        if (callers.require(ctx, Role.OPERATOR) != null) {
            Pages.send(ctx, "tenants", tenants::list, TenantsHandler::view);
        }
    }

    void get(RoutingContext ctx) {
        if (callers.require(ctx, Role.OPERATOR) != null) {
            Waiting.read(ctx, tenants.find(id(ctx)), tenant -> found(ctx, tenant));
        }
    }

    /** A tenant comes with the key of a first administrator, who makes all others. */
    void create(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.OPERATOR);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "id", "name", "administrator");
            String id = members.required("id");
            if (!ID.matcher(id).matches()) {
                throw new Unfit("`id` has 1 to 63 of a-z, 0-9 and -, and a letter or digit at both ends");
            }
            String name = members.text("name");
            KeyStore.NewKey key = administrator(caller, id, members);
            Waiting.change(ctx, tenants.create(id, name == null ? id : name, key, caller.keyId()), made -> {
                if (made == null) {
                    Problems.send(ctx, 409, "exists", "there is a tenant `" + id + "` already");
                    return;
                }
                ctx.response().putHeader("Location", "/api/v1/tenants/" + id);
                administered(ctx, made, key.key());
            });
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /** Another administrator's key, for a tenant that has lost its own. */
    void administer(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.OPERATOR);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            KeyStore.NewKey key = administrator(caller, id(ctx), new Members(body.json(), "administrator"));
            Waiting.change(ctx, tenants.administer(id(ctx), key, caller.keyId()), made -> {
                if (made == null) {
                    unknown(ctx);
                } else {
                    administered(ctx, made, key.key());
                }
            });
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private KeyStore.NewKey administrator(Caller caller, String tenant, Members members) throws Unfit {
        PersonName person = members.person("administrator");
        if (person == null) {
            throw new Unfit("`administrator` is missing");
        }
        return new KeyStore.NewKey(
                newKey.get(), person.shown(), tenant, List.of(Role.ADMIN), person, null, caller.keyId());
    }

    private static void administered(RoutingContext ctx, Administered made, ApiKey key) {
        ObjectNode out = view(made.tenant());
        ObjectNode shown =
                KeysHandler.secret(KeysHandler.view(made.key(), made.key().createdAt()), key);
        // Who the tenant's people are is the tenant's own.
        shown.remove("person");
        out.set("key", shown);
        Bodies.sendSecret(ctx, out);
    }

    /** The name, and whether the tenant is suspended: then none of its keys is good. */
    void update(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.OPERATOR);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "name", "suspended");
            String name = members.required("name");
            Waiting.change(
                    ctx,
                    tenants.update(id(ctx), name, members.bool("suspended"), caller.keyId()),
                    tenant -> found(ctx, tenant));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static void found(RoutingContext ctx, @Nullable Tenant tenant) {
        if (tenant == null) {
            unknown(ctx);
        } else {
            Bodies.send(ctx, 200, view(tenant));
        }
    }

    private static ObjectNode view(Tenant tenant) {
        ObjectNode out = JSON.createObjectNode()
                .put("id", tenant.id())
                .put("name", tenant.name())
                .put("created_at", tenant.createdAt().toString())
                .put("suspended", tenant.suspendedAt() != null);
        if (tenant.suspendedAt() != null) {
            out.put("suspended_at", tenant.suspendedAt().toString()).put("suspended_by", tenant.suspendedBy());
        }
        return out;
    }

    private static String id(RoutingContext ctx) {
        return Parameters.id(ctx, "tenant");
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such tenant");
    }
}
