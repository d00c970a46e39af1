package dev.countersign.server;

import dev.countersign.server.egress.Egress;
import dev.countersign.server.http.HttpVerticle;
import dev.countersign.server.issuers.IssuerStore;
import dev.countersign.server.issuers.Issuers;
import dev.countersign.server.issuers.KeySets;
import dev.countersign.server.issuers.ReviewStatements;
import dev.countersign.server.issuers.TokenCallers;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.Live;
import dev.countersign.server.live.LiveFeed;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import java.time.InstantSource;
import java.util.UUID;
import java.util.function.Supplier;

/** What lets in whoever shows a token instead of a key: the registered issuers, and their keys. */
final class Issuing {
    private final KeySets keys;
    private final HttpVerticle.Tokens shared;

    Issuing(Pool pool, LiveFeed feed, Changes changes, Egress egress, Supplier<UUID> ids, InstantSource clock) {
        keys = new KeySets(egress, clock);
        var store = new IssuerStore(pool, changes, ids, clock);
        Live<Issuers> issuers =
                feed.live("issuers", Issuers.NONE, known -> store.load().onSuccess(keys::follow));
        shared = new HttpVerticle.Tokens(
                new TokenCallers(issuers::get, keys, clock),
                new ReviewStatements(issuers::get, keys, clock),
                store,
                keys,
                egress.rules());
    }

    /** Keeps the keys of the issuers that are known fresh until {@code vertx} is closed; done when they were read once. */
    Future<Void> start(Vertx vertx) {
        return keys.start(vertx);
    }

    HttpVerticle.Tokens shared() {
        return shared;
    }
}
