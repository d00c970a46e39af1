package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.decision.Body;
import dev.countersign.server.egress.EgressRules;
import dev.countersign.server.egress.RefusedDestinationException;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Issuer;
import dev.countersign.server.issuers.IssuerStore;
import dev.countersign.server.issuers.IssuerStore.Changed;
import dev.countersign.server.issuers.IssuerStore.Refusal;
import dev.countersign.server.issuers.KeySets;
import dev.countersign.server.issuers.Subject;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code /api/v1/issuers}: the issuers whose tokens let callers into the caller's own tenant, and the persons behind their
 * subjects.
 */
final class IssuersHandler {
    static final String PATH = "/api/v1/issuers";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_VALUES = 100;
    private static final int LONGEST_VALUE = 200;
    private static final List<Role> ROLES = List.copyOf(EnumSet.complementOf(EnumSet.of(Role.OPERATOR)));

    private final Callers callers;
    private final IssuerStore issuers;
    private final KeySets keys;
    private final EgressRules egress;

    /**
     * @param keys what is known of their keys
     * @param egress where keys may be read from
     */
    IssuersHandler(Callers callers, IssuerStore issuers, KeySets keys, EgressRules egress) {
        this.callers = callers;
        this.issuers = issuers;
        this.keys = keys;
        this.egress = egress;
    }

    /** By id; {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        Caller caller = caller(ctx);
        if (caller != null) {
            Pages.send(ctx, "issuers", (after, limit) -> issuers.list(caller.inTenant(), after, limit), this::view);
        }
    }

    void get(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.read(ctx, issuers.find(caller.inTenant(), id), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    Bodies.send(ctx, 200, view(found));
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
            var members =
                    new Members(body.json(), "issuer", "audience", "jwks_uri", "algorithms", "roles_claim", "role_map");
            String issuer = members.required("issuer");
            String audience = members.required("audience");
            Issuer.Terms terms = terms(members);
            Waiting.change(
                    ctx,
                    issuers.create(caller.inTenant(), issuer, audience, terms, caller.keyId()),
                    changed -> changed(ctx, changed, made -> {
                        ctx.response().putHeader("Location", PATH + "/" + made.id());
                        Bodies.send(ctx, 201, view(made));
                    }));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    /** The whole of what may be changed: the issuer and the audience stay what they are. */
    void put(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        Body body = id == null ? null : Bodies.object(ctx);
        if (caller == null || id == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "jwks_uri", "algorithms", "roles_claim", "role_map", "disabled");
            Issuer.Terms terms = terms(members);
            boolean disabled = members.bool("disabled");
            Waiting.change(
                    ctx,
                    issuers.update(caller.inTenant(), id, terms, disabled, caller.keyId()),
                    changed -> changed(ctx, changed, left -> Bodies.send(ctx, 200, view(left))));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    void delete(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.change(
                    ctx,
                    issuers.delete(caller.inTenant(), id, caller.keyId()),
                    changed -> changed(ctx, changed, gone -> Bodies.send(ctx, 200, view(gone))));
        }
    }

    /** By {@code sub}; {@code limit}, {@code after} (a {@code sub}). */
    void subjects(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.read(ctx, issuers.find(caller.inTenant(), id), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    Pages.send(
                            ctx,
                            "subjects",
                            "sub",
                            (after, limit) -> issuers.subjects(caller.inTenant(), id, after, limit),
                            IssuersHandler::view);
                }
            });
        }
    }

    void subject(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.read(ctx, issuers.subject(caller.inTenant(), id, Parameters.id(ctx, "sub")), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    Bodies.send(ctx, 200, view(found));
                }
            });
        }
    }

    void putSubject(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        Body body = id == null ? null : Bodies.object(ctx);
        if (caller == null || id == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "person", "approves");
            members.required("person");
            PersonName person = members.person("person");
            boolean approves = members.json("approves") != null && members.bool("approves");
            String sub = Parameters.id(ctx, "sub");
            if (!Subject.fit(sub) || person == null) {
                throw new Unfit(
                        "a subject has 1 to " + Subject.LONGEST + " characters, none of them a control character");
            }
            Waiting.change(
                    ctx,
                    issuers.put(caller.inTenant(), id, sub, person, approves, caller.keyId()),
                    changed -> changed(ctx, changed, left -> Bodies.send(ctx, 200, view(left))));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    void deleteSubject(RoutingContext ctx) {
        Caller caller = caller(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.change(
                    ctx,
                    issuers.remove(caller.inTenant(), id, Parameters.id(ctx, "sub"), caller.keyId()),
                    changed -> changed(ctx, changed, gone -> Bodies.send(ctx, 200, view(gone))));
        }
    }

    private Issuer.Terms terms(Members members) throws Unfit {
        return new Issuer.Terms(
                jwksUri(members.required("jwks_uri")),
                algorithms(members.texts("algorithms")),
                members.required("roles_claim"),
                roleMap(members.json("role_map")));
    }

    private URI jwksUri(String text) throws Unfit {
        try {
            var uri = new URI(text);
            egress.check(uri);
            return uri;
        } catch (URISyntaxException e) {
            throw new Unfit("`jwks_uri` is no URL");
        } catch (RefusedDestinationException e) {
            throw new Unfit("`jwks_uri`: " + e.getMessage());
        }
    }

    private static List<String> algorithms(List<String> words) throws Unfit {
        if (words.isEmpty() || !Issuer.ALGORITHMS.containsAll(words)) {
            throw new Unfit("`algorithms` are one or more of " + String.join(", ", new TreeSet<>(Issuer.ALGORITHMS)));
        }
        return List.copyOf(new TreeSet<>(words));
    }

    private static Map<String, List<Role>> roleMap(@Nullable JsonNode map) throws Unfit {
        if (map == null || !map.isObject() || map.isEmpty() || map.size() > MOST_VALUES) {
            throw new Unfit("`role_map` is an object of 1 to " + MOST_VALUES
                    + " members: for values of the roles claim, lists of roles");
        }
        var roles = new LinkedHashMap<String, List<Role>>();
        for (Map.Entry<String, JsonNode> each : map.properties()) {
            if (each.getKey().isEmpty()
                    || each.getKey().length() > LONGEST_VALUE
                    || each.getKey().indexOf('\0') >= 0) {
                throw new Unfit("a value in `role_map` has 1 to " + LONGEST_VALUE + " characters");
            }
            roles.put(each.getKey(), roles(each.getValue()));
        }
        return roles;
    }

    private static List<Role> roles(JsonNode words) throws Unfit {
        var roles = EnumSet.noneOf(Role.class);
        for (JsonNode word : words) {
            roles.add(Role.of(word.asText()).filter(ROLES::contains).orElseThrow(IssuersHandler::noRoles));
        }
        if (!words.isArray() || roles.isEmpty()) {
            throw noRoles();
        }
        return List.copyOf(roles);
    }

    private static Unfit noRoles() {
        return new Unfit("each member of `role_map` is a list of one or more of "
                + String.join(", ", ROLES.stream().map(Role::word).toList()));
    }

    private static <T> void changed(RoutingContext ctx, Changed<T> changed, Consumer<T> done) {
        if (changed instanceof Changed.Done<T> it) {
            done.accept(it.left());
        } else if (changed instanceof Changed.Refused<T> it && it.why() == Refusal.TAKEN) {
            Problems.send(
                    ctx,
                    409,
                    "issuer_taken",
                    "this issuer is registered for this audience already, perhaps by another tenant: have it issue tokens"
                            + " for an audience of your own");
        } else if (changed instanceof Changed.Refused<T> it && it.why() == Refusal.FULL) {
            Problems.send(
                    ctx,
                    409,
                    "too_many",
                    "a tenant has at most " + IssuerStore.MAX_ISSUERS
                            + " issuers, and an issuer the persons of at most " + IssuerStore.MAX_SUBJECTS
                            + " subjects");
        } else {
            unknown(ctx);
        }
    }

    private ObjectNode view(Issuer issuer) {
        ObjectNode out = JSON.createObjectNode()
                .put("id", issuer.id().toString())
                .put("issuer", issuer.issuer())
                .put("audience", issuer.audience())
                .put("jwks_uri", issuer.terms().jwksUri().toString());
        ArrayNode algorithms = out.putArray("algorithms");
        issuer.terms().algorithms().forEach(algorithms::add);
        out.put("roles_claim", issuer.terms().rolesClaim());
        ObjectNode roleMap = out.putObject("role_map");
        issuer.terms().roleMap().forEach((value, roles) -> {
            ArrayNode words = roleMap.putArray(value);
            roles.forEach(role -> words.add(role.word()));
        });
        out.put("created_at", issuer.createdAt().toString()).put("created_by", issuer.createdBy());
        out.put("disabled", issuer.disabledAt() != null);
        put(out, "disabled_at", issuer.disabledAt());
        put(out, "disabled_by", issuer.disabledBy());
        KeySets.State state = keys.state(issuer.id());
        ObjectNode known = out.putObject("keys").put("count", state.keys());
        put(known, "read_at", state.read());
        put(known, "problem", state.problem());
        return out;
    }

    private static ObjectNode view(Subject subject) {
        ObjectNode out = JSON.createObjectNode().put("sub", subject.sub());
        out.putObject("person")
                .put("id", subject.person().id().toString())
                .put("name", subject.person().name());
        return out.put("approves", subject.approves())
                .put(
                        "caller",
                        Subject.caller(
                                subject.issuer(),
                                subject.sub(),
                                subject.person().id()))
                .put("updated_at", subject.updatedAt().toString())
                .put("updated_by", subject.updatedBy());
    }

    private static void put(ObjectNode out, String name, @Nullable Object value) {
        if (value != null) {
            out.put(name, value.toString());
        }
    }

    private @Nullable Caller caller(RoutingContext ctx) {
        return callers.require(ctx, Role.ADMIN);
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such issuer or subject here");
    }
}
