package dev.countersign.server.signing;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.function.Supplier;

/**
 * The tokens that this decision point makes and reads again: it is their issuer and their audience. They are signed and
 * verified beside the event loops, as one signature takes longer than many decisions.
 */
public final class OwnTokens {
    private final Vertx vertx;
    private final Tokens tokens;
    private final Supplier<Future<Void>> newKeys;
    private final String issuer;

    /**
     * @param newKeys has the signing keys read again
     * @param issuer what the decision point calls itself
     */
    public OwnTokens(Vertx vertx, Tokens tokens, Supplier<Future<Void>> newKeys, String issuer) {
        this.vertx = vertx;
        this.tokens = tokens;
        this.newKeys = newKeys;
        this.issuer = issuer;
    }

    /**
     * Signs.
     *
     * @param typ what it is made for
     * @param claims all but {@code iss} and {@code aud}, which are added
     * @return the token as a compact JWS; failed if there is no key that signs
     */
    public Future<String> sign(String typ, ObjectNode claims) {
        claims.put("iss", issuer).put("aud", issuer);
        return vertx.executeBlocking(() -> tokens.sign(typ, claims), false);
    }

    /**
     * What is known of a token, if need be after a look for new keys.
     *
     * @param typ what it is presented for
     * @return failed if the keys could not be looked for, as then nobody knows whether the token is good
     */
    public Future<Verified> verify(String compact, String typ) {
        return vertx.executeBlocking(() -> tokens.verify(compact, typ, issuer, issuer), false)
                .compose(verified -> verified == Verified.Bad.UNKNOWN_KEY
                        ? tokens.verify(compact, typ, issuer, issuer, newKeys)
                        : Future.succeededFuture(verified));
    }
}
