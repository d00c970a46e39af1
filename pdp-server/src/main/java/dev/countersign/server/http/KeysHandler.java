package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.decision.Body;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.KeyStore;
import dev.countersign.server.identity.KeyStore.Changed;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.identity.StoredKey;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code /api/v1/keys}: the keys of the caller's own plane, which are its tenant's, or for the operator the operator's. A
 * secret is shown once, to whoever has the key made.
 */
final class KeysHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration USUAL_OVERLAP = Duration.ofDays(1);
    private static final Duration LONGEST_OVERLAP = Duration.ofDays(30);
    private static final List<Role> OF_PERSONS = List.of(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS);

    private final Callers callers;
    private final KeyStore keys;
    private final Supplier<ApiKey> newKey;
    private final InstantSource clock;

    KeysHandler(Callers callers, KeyStore keys, Supplier<ApiKey> newKey, InstantSource clock) {
        this.callers = callers;
        this.keys = keys;
        this.newKey = newKey;
        this.clock = clock;
    }

    /** By id; {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        Caller caller = caller(ctx);
        if (caller != null) {
            Pages.send(ctx, "keys", (after, limit) -> keys.list(caller.tenant(), after, limit), this::view);
        }
    }

    void get(RoutingContext ctx) {
        Caller caller = caller(ctx);
        if (caller != null) {
            Waiting.read(ctx, keys.find(caller.tenant(), id(ctx)), key -> {
                if (key == null) {
                    unknown(ctx);
                } else {
                    Bodies.send(ctx, 200, view(key));
                }
            });
        }
    }

    void create(RoutingContext ctx) {
        Caller caller = caller(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            KeyStore.NewKey wanted = wanted(caller, new Members(body.json(), "name", "roles", "person", "expires_at"));
            Waiting.change(
                    ctx,
                    keys.create(wanted, caller.keyId()),
                    changed -> changed(ctx, changed, made -> created(ctx, made, wanted.key())));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private KeyStore.NewKey wanted(Caller caller, Members members) throws Unfit {
        String name = members.required("name");
        PersonName person = members.person("person");
        Instant expires = members.time("expires_at");
        if (expires != null && !expires.isAfter(clock.instant())) {
            throw new Unfit("`expires_at` is over");
        }
        List<Role> roles = roles(caller, members.texts("roles"));
        if (person != null && caller.tenant() == null) {
            throw new Unfit("the operator has no persons");
        }
        if (person == null && roles.stream().anyMatch(OF_PERSONS::contains)) {
            throw new Unfit("services never approve: a key with such a role needs a `person`");
        }
        return new KeyStore.NewKey(newKey.get(), name, caller.tenant(), roles, person, expires, caller.keyId());
    }

    private static List<Role> roles(Caller caller, List<String> words) throws Unfit {
        EnumSet<Role> known =
                caller.tenant() == null ? EnumSet.of(Role.OPERATOR) : EnumSet.complementOf(EnumSet.of(Role.OPERATOR));
        var roles = EnumSet.noneOf(Role.class);
        for (String word : words) {
            roles.add(Role.of(word)
                    .filter(known::contains)
                    .orElseThrow(() -> new Unfit("`roles` are of " + words(List.copyOf(known)))));
        }
        if (roles.isEmpty()) {
            throw new Unfit("`roles` is missing: one or more of " + words(List.copyOf(known)));
        }
        return List.copyOf(roles);
    }

    private static String words(List<Role> roles) {
        return String.join(", ", roles.stream().map(Role::word).toList());
    }

    /** {@code overlap_seconds}: how long the old key stays good, a day if it is not given. */
    void rotate(RoutingContext ctx) {
        Caller caller = caller(ctx);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var overlap = Duration.ofSeconds(new Members(body.json(), "overlap_seconds")
                    .number("overlap_seconds", USUAL_OVERLAP.toSeconds(), 0, LONGEST_OVERLAP.toSeconds()));
            ApiKey next = newKey.get();
            Waiting.change(
                    ctx,
                    keys.rotate(caller.tenant(), id(ctx), next, overlap, caller.keyId()),
                    changed -> changed(ctx, changed, made -> created(ctx, made, next)));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    void revoke(RoutingContext ctx) {
        Caller caller = caller(ctx);
        if (caller != null) {
            Waiting.change(
                    ctx,
                    keys.revoke(caller.tenant(), id(ctx), caller.keyId()),
                    changed -> changed(ctx, changed, key -> Bodies.send(ctx, 200, view(key))));
        }
    }

    private static void changed(RoutingContext ctx, Changed changed, Consumer<StoredKey> done) {
        if (changed instanceof Changed.Done it) {
            done.accept(it.key());
        } else if (changed == Changed.Refused.UNKNOWN) {
            unknown(ctx);
        } else if (changed == Changed.Refused.ENDED) {
            Problems.send(ctx, 409, "key_ended", "this key is expired or revoked: make another one");
        } else if (changed == Changed.Refused.FULL) {
            String detail = "there are " + KeyStore.MAX_GOOD + " good keys already: revoke those that nobody uses";
            Problems.send(ctx, 409, "too_many_keys", detail);
        } else if (changed == Changed.Refused.REPLACED) {
            Problems.send(
                    ctx,
                    409,
                    "key_replaced",
                    "another key has come in the place of this one already (its `replaces` says so): revoke that one first");
        } else {
            Problems.send(
                    ctx,
                    409,
                    "last_key",
                    "no other key that may manage keys lasts as long as this one: make another one with its role first");
        }
    }

    private void created(RoutingContext ctx, StoredKey made, ApiKey key) {
        ctx.response().putHeader("Location", "/api/v1/keys/" + made.id());
        Bodies.sendSecret(ctx, secret(view(made), key));
    }

    /** The view of a key that was just made, with its secret. */
    static ObjectNode secret(ObjectNode view, ApiKey key) {
        return view.put("secret", key.secret());
    }

    private ObjectNode view(StoredKey key) {
        return view(key, clock.instant());
    }

    static ObjectNode view(StoredKey key, Instant now) {
        ObjectNode out = JSON.createObjectNode().put("id", key.id()).put("name", key.name());
        ArrayNode roles = out.putArray("roles");
        key.roles().forEach(role -> roles.add(role.word()));
        StoredKey.Person person = key.person();
        if (person != null) {
            out.putObject("person").put("id", person.id().toString()).put("name", person.name());
        }
        out.put("state", key.state(now).name().toLowerCase(Locale.ROOT));
        out.put("created_at", key.createdAt().toString());
        put(out, "created_by", key.createdBy());
        put(out, "expires_at", key.expiresAt());
        put(out, "revoked_at", key.revokedAt());
        put(out, "revoked_by", key.revokedBy());
        put(out, "replaces", key.replaces());
        return out;
    }

    private static void put(ObjectNode out, String name, @Nullable Object value) {
        if (value != null) {
            out.put(name, value.toString());
        }
    }

    private @Nullable Caller caller(RoutingContext ctx) {
        return callers.require(ctx, Role.ADMIN, Role.OPERATOR);
    }

    private static String id(RoutingContext ctx) {
        return Parameters.id(ctx, "id");
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such key here");
    }
}
