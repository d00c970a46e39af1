package dev.countersign.server.http;

import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.Role;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Finds out who calls and whether they may. Confined to one event loop. */
final class Callers {
    /** What to do where no good key is shown. */
    static final String NEEDED = "a valid API key is needed: Authorization: Bearer csk_...";

    private final Supplier<KeyRing> keys;
    private final BooleanSupplier stale;
    private final InstantSource clock;
    private final MessageDigest sha256 = Sha256.newDigest();

    /**
     * @param keys the keys as they were last read
     * @param stale whether what the server knows, keys and all else that decides, was confirmed too long ago to let
     *     anybody in
     * @param clock tells whether a key has expired
     */
    Callers(Supplier<KeyRing> keys, BooleanSupplier stale, InstantSource clock) {
        this.keys = keys;
        this.stale = stale;
        this.clock = clock;
    }

    /** The caller, if its key is good and has one of the roles; else the refusal is sent and the answer is null. */
    @Nullable
    Caller require(RoutingContext ctx, Role... roles) {
        if (stale.getAsBoolean()) {
            String detail = "the keys and policies could not be confirmed for too long; the database is away";
            Problems.send(ctx, 503, "stale_policy", detail);
            return null;
        }
        Caller caller = keys.get().caller(ctx.request().headers().get(HttpHeaders.AUTHORIZATION), sha256, clock);
        if (caller == null) {
            Problems.send(ctx, 401, "unauthorized", NEEDED);
            return null;
        }
        if (!caller.mayAny(roles)) {
            Problems.send(ctx, 403, "forbidden", "the key " + caller.keyId() + " does not have the role for this");
            return null;
        }
        return caller;
    }

    /** Whether what let a request in would let it in now: for answers that go on and on. */
    boolean still(@Nullable String authorization, Role... roles) {
        Caller caller = stale.getAsBoolean() ? null : keys.get().caller(authorization, sha256, clock);
        return caller != null && caller.mayAny(roles);
    }
}
