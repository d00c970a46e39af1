package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.decision.Body;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.signing.SigningKeyRotation;
import dev.countersign.server.signing.StoredSigningKey;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;

/** {@code /api/v1/signing-keys}: the keys that all servers sign with, which the operator rotates. */
final class SigningKeysHandler {
    static final String PATH = "/api/v1/signing-keys";

    private final Callers callers;
    private final SigningKeyRotation signing;

    SigningKeysHandler(Callers callers, SigningKeyRotation signing) {
        this.callers = callers;
        this.signing = signing;
    }

    /** All that are kept, the newest first. */
    void list(RoutingContext ctx) {
        if (callers.require(ctx, Role.OPERATOR) != null) {
            Waiting.read(ctx, signing.list(), keys -> Bodies.send(ctx, 200, view(keys)));
        }
    }

    /** {@code {revoke?}}: another key signs; with {@code revoke}, nothing is good that those before it have signed. */
    void rotate(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.OPERATOR);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            var members = new Members(body.json(), "revoke");
            boolean revoke = members.json("revoke") != null && members.bool("revoke");
            Waiting.change(ctx, signing.rotate(caller.keyId(), revoke), keys -> Bodies.send(ctx, 200, view(keys)));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static ObjectNode view(List<StoredSigningKey> keys) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        ArrayNode all = out.putArray("signing_keys");
        keys.forEach(key -> all.add(view(key)));
        return out;
    }

    private static ObjectNode view(StoredSigningKey key) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("id", key.id())
                .put("state", key.state().name().toLowerCase(Locale.ROOT))
                .put("sign_from", key.signFrom().toString())
                .put("sign_until", key.signUntil().toString())
                .put("verifies_until", key.verifiesUntil().toString())
                .put("created_at", key.createdAt().toString());
        ReceiptsHandler.put(out, "created_by", key.createdBy());
        ReceiptsHandler.put(out, "revoked_at", key.revokedAt());
        ReceiptsHandler.put(out, "revoked_by", key.revokedBy());
        return out;
    }
}
