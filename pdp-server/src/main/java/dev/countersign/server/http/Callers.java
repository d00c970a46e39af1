package dev.countersign.server.http;

import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.KeyRing;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition;
import dev.countersign.server.issuers.Recognition.Known;
import dev.countersign.server.issuers.Recognition.Refused;
import dev.countersign.server.issuers.TokenCallers;
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
    private final TokenCallers tokens;
    private final MessageDigest sha256 = Sha256.newDigest();

    /**
     * @param keys the keys as they were last read
     * @param stale whether what the server knows, keys and all else that decides, was confirmed too long ago to let
     *     anybody in
     * @param clock tells whether a key has expired
     * @param tokens tells who shows a token instead of a key
     */
    Callers(Supplier<KeyRing> keys, BooleanSupplier stale, InstantSource clock, TokenCallers tokens) {
        this.keys = keys;
        this.stale = stale;
        this.clock = clock;
        this.tokens = tokens;
    }

    /** The caller, if its key is good and has one of the roles; else the refusal is sent and the answer is null. */
    @Nullable
    Caller require(RoutingContext ctx, Role... roles) {
        if (stale.getAsBoolean()) {
            String detail = "the keys and policies could not be confirmed for too long; the database is away";
            Problems.send(ctx, 503, "stale_policy", detail);
            return null;
        }
        String authorization = ctx.request().headers().get(HttpHeaders.AUTHORIZATION);
        Caller caller = keys.get().caller(authorization, sha256, clock);
        if (caller == null) {
            caller = byToken(ctx, authorization);
        }
        if (caller != null && !caller.mayAny(roles)) {
            Problems.send(ctx, 403, "forbidden", "the key " + caller.keyId() + " does not have the role for this");
            return null;
        }
        return caller;
    }

    /** The caller, if there is a token and it is good; else the refusal is sent and the answer is null. */
    private @Nullable Caller byToken(RoutingContext ctx, @Nullable String authorization) {
        String token = TokenCallers.token(authorization);
        if (token == null) {
            Problems.send(ctx, 401, "unauthorized", NEEDED);
            return null;
        }
        Recognition recognition = tokens.recognize(token);
        if (recognition instanceof Known known) {
            return known.caller();
        }
        if (recognition == Refused.READING) {
            ctx.response().putHeader("Retry-After", "1");
        }
        ctx.response().putHeader("WWW-Authenticate", "Bearer realm=\"countersign\", error=\"invalid_token\"");
        Problems.send(ctx, 401, "invalid_token", "the token is refused: " + ((Refused) recognition).text());
        return null;
    }

    /** Whether what let a request in would let it in now: for answers that go on and on. */
    boolean still(@Nullable String authorization, Role... roles) {
        if (stale.getAsBoolean()) {
            return false;
        }
        Caller caller = keys.get().caller(authorization, sha256, clock);
        String token = caller == null ? TokenCallers.token(authorization) : null;
        if (token != null && tokens.recognize(token) instanceof Known known) {
            caller = known.caller();
        }
        return caller != null && caller.mayAny(roles);
    }
}
