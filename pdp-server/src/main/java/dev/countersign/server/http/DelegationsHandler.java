package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Delegation;
import dev.countersign.server.separation.Delegations;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/delegations}: who reviews in whose place, for a time. */
final class DelegationsHandler {
    /** Where they are. */
    static final String PATH = "/api/v1/delegations";

    private final Callers callers;
    private final Delegations delegations;

    DelegationsHandler(Callers callers, Delegations delegations) {
        this.callers = callers;
        this.delegations = delegations;
    }

    /** Those of the caller, in either place; of administrators all. {@code limit}, {@code after}. */
    void list(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            UUID from = Parameters.uuid(Parameters.text(ctx, "after"));
            UUID person = caller.mayAny(Role.ADMIN) ? null : caller.person();
            Pages.send(
                    ctx,
                    "delegations",
                    (after, limit) -> delegations.store().list(caller.inTenant(), person, from, limit),
                    DelegationsHandler::view);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** {@code {to, from?, valid_from?, valid_until, scope?}}: the caller's own place, or of administrators anybody's. */
    void create(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE, Role.ADMIN);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "to", "from", "valid_from", "valid_until", "scope");
            PersonName to = members.person("to");
            PersonName from = members.person("from");
            Instant until = members.time("valid_until");
            if (to == null || until == null) {
                throw new Members.Unfit("`to`, a person's name, and `valid_until`, a time, have to be given");
            }
            if (from == null && caller.person() == null) {
                throw new Members.Unfit("`from` is missing: this key is no person's");
            }
            if (from != null && !caller.mayAny(Role.ADMIN)) {
                Problems.send(ctx, 403, "forbidden", "only an administrator gives away another's place");
                return;
            }
            Waiting.change(
                    ctx,
                    delegations.create(caller, from, to, members.time("valid_from"), until, members.text("scope")),
                    made -> created(ctx, made));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static void created(RoutingContext ctx, Delegations.Outcome outcome) {
        if (outcome instanceof Delegations.Outcome.Made made) {
            ctx.response().putHeader("Location", PATH + "/" + made.delegation().id());
            Bodies.send(ctx, 201, view(made.delegation()));
        } else if (outcome instanceof Delegations.Outcome.Unfit unfit) {
            Problems.send(ctx, 422, "invalid_body", unfit.why());
        } else {
            Problems.send(ctx, 409, "too_many_delegations", "the tenant has as many delegations as it may have");
        }
    }

    /** Ends one: for either person in it, and for administrators. */
    void revoke(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_APPROVE, Role.ADMIN);
        UUID id = caller == null ? null : Parameters.uuidOr(ctx, () -> unknown(ctx));
        if (caller != null && id != null) {
            Waiting.change(ctx, delegations.revoke(caller, id), ended -> {
                if (ended == null) {
                    unknown(ctx);
                } else {
                    Bodies.send(ctx, 200, view(ended));
                }
            });
        }
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such delegation here");
    }

    private static ObjectNode view(@Nullable Delegation delegation) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        if (delegation == null) {
            return out;
        }
        out.put("id", delegation.id().toString())
                .put("from_person", delegation.from().toString())
                .put("to_person", delegation.to().toString())
                .put("valid_from", delegation.validFrom().toString())
                .put("valid_until", delegation.validUntil().toString());
        ReceiptsHandler.put(out, "scope", delegation.scope());
        out.put("created_at", delegation.createdAt().toString()).put("created_by", delegation.createdBy());
        ReceiptsHandler.put(out, "revoked_at", delegation.revokedAt());
        ReceiptsHandler.put(out, "revoked_by", delegation.revokedBy());
        return out;
    }
}
