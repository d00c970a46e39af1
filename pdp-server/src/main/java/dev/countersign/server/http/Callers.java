package dev.countersign.server.http;

import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.Role;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Finds out who calls and whether they may. Confined to one event loop. */
final class Callers {
    private final Supplier<KeyRing> keys;
    private final Supplier<Instant> confirmed;
    private final Duration maxStaleness;
    private final InstantSource clock;
    private final MessageDigest sha256 = Sha256.newDigest();

    /**
     * @param keys the keys as they were last read
     * @param confirmed when what the server knows, keys and all else that decides, was last confirmed
     * @param maxStaleness how long ago that may be; beyond it nobody is let in
     */
    Callers(Supplier<KeyRing> keys, Supplier<Instant> confirmed, Duration maxStaleness, InstantSource clock) {
        this.keys = keys;
        this.confirmed = confirmed;
        this.maxStaleness = maxStaleness;
        this.clock = clock;
    }

    /** The caller, if its key is good and has one of the roles; else the refusal is sent and the answer is null. */
    @Nullable
    Caller require(RoutingContext ctx, Role... roles) {
        if (confirmed.get().isBefore(clock.instant().minus(maxStaleness))) {
            String detail = "the keys and settings could not be confirmed for too long; the database is away";
            Problems.send(ctx, 503, "stale_policy", detail);
            return null;
        }
        Caller caller = keys.get().caller(ctx.request().headers().get(HttpHeaders.AUTHORIZATION), sha256);
        if (caller == null) {
            Problems.send(ctx, 401, "unauthorized", "a valid API key is needed: Authorization: Bearer csk_...");
            return null;
        }
        if (!caller.mayAny(roles)) {
            Problems.send(ctx, 403, "forbidden", "the key " + caller.keyId() + " does not have the role for this");
            return null;
        }
        return caller;
    }
}
