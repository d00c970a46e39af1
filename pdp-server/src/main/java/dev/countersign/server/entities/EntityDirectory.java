package dev.countersign.server.entities;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.entities.EntityLookup;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What decisions know of entities: those of a tenant, and beneath them those that packs carry. What was asked for is held
 * in memory, also that there is no such entity, until it is changed or the bound is reached. All methods may be called from
 * any thread.
 */
public final class EntityDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(EntityDirectory.class);
    private static final long LIMIT_MILLIS = 1_000;
    /** What an entry takes beside its entity, and how much more a tree takes than its JSON; both roughly. */
    private static final int ENTRY_BYTES = 400;

    private static final int TREE_FACTOR = 4;

    private record Name(String tenant, EntityKey key) {}

    private record Carried(PackEntities packs, EntityKey key) {}

    private final EntityStore store;
    private final Cache<Name, Found> known;
    private final Cache<Carried, Found> carried;
    private final Map<Name, Future<Found>> asked = new ConcurrentHashMap<>();
    /** Up to here, what was changed has been forgotten. Guarded by this object's lock. */
    private long forgotten = -1;

    private volatile boolean away;

    /**
     * A directory that knows nothing yet.
     *
     * @param bytes how much memory it may take, roughly; packs' entities may take a quarter of that on top
     */
    public EntityDirectory(EntityStore store, long bytes) {
        this.store = store;
        this.known = cache(bytes);
        this.carried = cache(bytes / 4);
    }

    private static <K> Cache<K, Found> cache(long bytes) {
        return Caffeine.newBuilder()
                .maximumWeight(bytes)
                .<K, Found>weigher((name, found) -> ENTRY_BYTES + weight(found))
                .build();
    }

    private static int weight(Found found) {
        return found instanceof Found.Entity entity
                ? TREE_FACTOR * entity.properties().toString().length()
                : 0;
    }

    /**
     * Forgets what was changed in the database.
     *
     * @param seen the revision up to which that was done before; negative for never
     * @return the revision up to which it is done now; failed if the database does not answer
     */
    public Future<Long> forget(long seen) {
        return store.changedSince(seen).map(changed -> forget(seen, changed));
    }

    private synchronized long forget(long seen, EntityStore.Changed changed) {
        // A database that was put back to an older state counts on from there.
        forgotten = changed.revision() < seen ? changed.revision() : Math.max(forgotten, changed.revision());
        if (changed.all()) {
            known.invalidateAll();
            asked.clear();
        }
        if (!changed.tenants().isEmpty()) {
            known.asMap().keySet().removeIf(name -> changed.tenants().contains(name.tenant()));
            asked.keySet().removeIf(name -> changed.tenants().contains(name.tenant()));
        }
        changed.entities()
                .forEach((tenant, keys) -> keys.forEach(key -> {
                    known.invalidate(new Name(tenant, key));
                    asked.remove(new Name(tenant, key));
                }));
        return changed.revision();
    }

    /**
     * The call with all the entities that it needs, if they are in memory; else {@code null}.
     *
     * @param tenant the tenant in which it is made
     * @param packs the entities beneath the tenant's own
     * @param needs what the rules read that judge it
     */
    public @Nullable Call now(String tenant, PackEntities packs, EntityNeeds needs, Call call) {
        if (needs.none()) {
            return call;
        }
        EntityLookup lookup = needs.lookup(call, key -> atHand(tenant, packs, key));
        return lookup.done() ? lookup.call() : null;
    }

    /**
     * The same, asking the database for what is not in memory. It never fails: what the database does not tell within a
     * second is unavailable to the rules. If this is called from an event loop, it is done on that loop.
     */
    public Future<Call> later(String tenant, PackEntities packs, EntityNeeds needs, Call call) {
        if (needs.none()) {
            return Future.succeededFuture(call);
        }
        Promise<Call> promise = Promise.promise();
        Context loop = Vertx.currentContext();
        ask(tenant, packs, needs.lookup(call, key -> atHand(tenant, packs, key)))
                .onComplete(done -> {
                    if (loop == null || Vertx.currentContext() == loop) {
                        promise.handle(done);
                    } else {
                        loop.runOnContext(back -> promise.handle(done));
                    }
                });
        return promise.future();
    }

    private Future<Call> ask(String tenant, PackEntities packs, EntityLookup lookup) {
        return lookup.done()
                ? Future.succeededFuture(lookup.call())
                : find(tenant, packs, lookup.missing()).compose(found -> {
                    lookup.answer(found);
                    return ask(tenant, packs, lookup);
                });
    }

    private @Nullable Found atHand(String tenant, PackEntities packs, EntityKey key) {
        Found own = known.getIfPresent(new Name(tenant, key));
        return own == null ? null : over(packs, key, own);
    }

    private Found over(PackEntities packs, EntityKey key, Found own) {
        return own == Found.Nothing.UNKNOWN && packs.size() > 0
                ? carried.get(new Carried(packs, key), name -> packs.find(key))
                : own;
    }

    private Future<Map<EntityKey, Found>> find(String tenant, PackEntities packs, Set<EntityKey> keys) {
        var each = new HashMap<EntityKey, Future<Found>>();
        var missing = new HashMap<EntityKey, Promise<Found>>();
        for (EntityKey key : keys) {
            var name = new Name(tenant, key);
            Found own = known.getIfPresent(name);
            if (own != null) {
                each.put(key, Future.succeededFuture(own));
                continue;
            }
            Promise<Found> mine = Promise.promise();
            Future<Found> other = asked.putIfAbsent(name, mine.future());
            each.put(key, other == null ? mine.future() : other);
            if (other == null) {
                missing.put(key, mine);
            }
        }
        if (!missing.isEmpty()) {
            fetch(tenant, missing);
        }
        List<Future<Found>> all = new ArrayList<>(each.values());
        return Future.join(all).map(done -> {
            var found = new HashMap<EntityKey, Found>();
            each.forEach((key, one) -> found.put(key, over(packs, key, one.result())));
            return found;
        });
    }

    private void fetch(String tenant, Map<EntityKey, Promise<Found>> missing) {
        Future.succeededFuture()
                .compose(begun -> store.snapshot(tenant, missing.keySet()))
                .timeout(LIMIT_MILLIS, TimeUnit.MILLISECONDS)
                .onComplete(done -> {
                    say(done.cause());
                    EntityStore.Snapshot read = done.succeeded() ? done.result() : null;
                    missing.forEach((key, promise) -> {
                        StoredEntity entity = read == null ? null : read.found().get(key);
                        Found found = read == null
                                ? Found.Nothing.UNAVAILABLE
                                : entity == null
                                        ? Found.Nothing.UNKNOWN
                                        : new Found.Entity(key, entity.data().properties(), entity.version(), null);
                        keep(new Name(tenant, key), promise.future(), read, found);
                        promise.complete(found);
                    });
                });
    }

    /** What was changed after it was read is not kept: nobody would forget it again. */
    private synchronized void keep(Name name, Future<Found> mine, EntityStore.@Nullable Snapshot read, Found found) {
        asked.remove(name, mine);
        if (read != null && read.revision() >= forgotten) {
            known.put(name, found);
        }
    }

    private void say(@Nullable Throwable failure) {
        boolean before = away;
        away = failure != null;
        if (failure != null && !before) {
            LOG.warn(
                    "the database does not tell of entities; what rules read of them is unavailable: {}",
                    failure.toString());
        } else if (failure == null && before) {
            LOG.info("the database tells of entities again");
        }
    }
}
