package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.identity.Role;
import dev.countersign.server.sealing.Checkpoints;
import io.vertx.ext.web.RoutingContext;

/**
 * {@code GET /api/v1/audit/checkpoints}: the signed checkpoints of the audit trail, for whoever keeps them elsewhere. They
 * tell nothing of a tenant, so that all may have them.
 */
final class CheckpointsHandler {
    static final String PATH = "/api/v1/audit/checkpoints";

    private final Callers callers;
    private final Checkpoints checkpoints;

    CheckpointsHandler(Callers callers, Checkpoints checkpoints) {
        this.callers = callers;
        this.checkpoints = checkpoints;
    }

    /** A page: {@code after} (the number of the last one that the client has) and {@code limit}. */
    void list(RoutingContext ctx) {
        if (callers.require(ctx, Role.OPERATOR, Role.AUDIT_READ, Role.ADMIN) == null) {
            return;
        }
        try {
            long after = Parameters.number(ctx, "after");
            Waiting.read(ctx, checkpoints.page(after, Parameters.limit(ctx)), page -> {
                ObjectNode out = JsonNodeFactory.instance.objectNode();
                ArrayNode all = out.putArray("checkpoints");
                long next = after;
                for (Checkpoints.Kept each : page) {
                    next = each.number();
                    all.addObject()
                            .put("number", next)
                            .put("at", each.at().toString())
                            .put("jws", each.jws());
                }
                Bodies.send(ctx, 200, out.put("next", Long.toString(next)));
            });
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }
}
