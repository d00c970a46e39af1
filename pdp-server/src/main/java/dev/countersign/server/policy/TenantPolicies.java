package dev.countersign.server.policy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What judges each tenant, as it was last read: read when first needed, bounded in memory, and swapped whole. A reader has
 * the old state or the new one, never parts of both. All methods may be called from any thread.
 */
public final class TenantPolicies {
    private static final Logger LOG = LoggerFactory.getLogger(TenantPolicies.class);
    private static final int AT_ONCE = 100;
    private static final long LIMIT_SECONDS = 5;

    /** Where states come from. */
    public interface Source {
        /**
         * The states of these tenants, all of one moment.
         *
         * @param known what is known of them so far; what has not changed need not be made again
         */
        Future<Map<String, TenantState>> read(Map<String, @Nullable TenantState> known);

        /** How often the packs in files have changed, which judge everybody. */
        default long generation() {
            return 0;
        }

        /** The same state, judged by the packs in files as they are now. */
        default TenantState remade(TenantState state) {
            return state;
        }

        /** The tenants that changed after the change of number {@code revision}, with the last number of each. */
        Future<Changes> changedSince(long revision);
    }

    /**
     * Changes of several tenants.
     *
     * @param tenants which ones, with the number of the last change of each
     * @param everyone the number of the last change of what judges every tenant; 0 if there was none
     * @param latest the highest number
     */
    public record Changes(Map<String, Long> tenants, long everyone, long latest) {
        /** The number that a state of the tenant must have at least. */
        long of(String tenant) {
            return Math.max(everyone, tenants.getOrDefault(tenant, 0L));
        }
    }

    /** A first reading that has not come back. */
    private static final class Loading {
        final Promise<TenantState> promise = Promise.promise();
        boolean outdated;
    }

    private final Source source;
    private final Cache<String, TenantState> held;
    private final Map<String, Loading> loading = new HashMap<>();

    /**
     * Nothing yet.
     *
     * @param most about how many bytes may be held; beyond it, what was not used for longest is forgotten
     */
    public TenantPolicies(Source source, long most) {
        this.source = source;
        this.held = Caffeine.newBuilder()
                .maximumWeight(most)
                .weigher((String tenant, TenantState state) -> (int) Math.min(Integer.MAX_VALUE, state.weight()))
                .executor(Runnable::run)
                .build();
    }

    /** The state of a tenant, if it is in memory. */
    public @Nullable TenantState now(String tenant) {
        return held.getIfPresent(tenant);
    }

    /** The state of a tenant; failed if it has to be read and cannot be. Many who ask at once cause one reading. */
    public Future<TenantState> get(String tenant) {
        TenantState now = now(tenant);
        if (now != null) {
            return Future.succeededFuture(now);
        }
        Loading mine = new Loading();
        synchronized (this) {
            Loading running = loading.putIfAbsent(tenant, mine);
            if (running != null) {
                return running.promise.future();
            }
        }
        load(tenant, mine);
        return mine.promise.future();
    }

    private void load(String tenant, Loading mine) {
        read(List.of(tenant)).onComplete(read -> {
            TenantState state = read.succeeded() ? read.result().get(tenant) : null;
            boolean again;
            synchronized (this) {
                again = state != null && (mine.outdated || state.packs().generation() < source.generation());
                mine.outdated = false;
                if (!again) {
                    loading.remove(tenant);
                    if (state != null) {
                        held.put(tenant, state);
                    }
                }
            }
            if (again) {
                // It changed while it was read: what was read may be from before or after.
                load(tenant, mine);
            } else if (state != null) {
                mine.promise.complete(state);
            } else {
                mine.promise.fail(
                        read.failed() ? read.cause() : new IllegalStateException("there is no tenant " + tenant));
            }
        });
    }

    /**
     * Reads again those of the held states that are not what the database holds.
     *
     * @param known the number of the last change that is known here
     * @return the number of the last change, which is known here now
     */
    public Future<Long> refresh(long known) {
        return source.changedSince(known).compose(changes -> {
            var affected = new TreeSet<String>();
            if (changes.latest() < known) {
                return forget(changes.latest());
            }
            synchronized (this) {
                loading.forEach((tenant, running) -> running.outdated |= changes.of(tenant) > 0);
            }
            // What has been read already, by a look that took too long for all, is not read again.
            held.asMap().forEach((tenant, state) -> {
                if (state.revision() < changes.of(tenant)) {
                    affected.add(tenant);
                }
            });
            return refresh(List.copyOf(affected)).map(done -> changes.latest());
        });
    }

    /** The database was put back to an older state: nothing that is held tells of it. */
    private Future<Long> forget(long latest) {
        synchronized (this) {
            loading.values().forEach(running -> running.outdated = true);
        }
        held.invalidateAll();
        return Future.succeededFuture(latest);
    }

    private Future<Void> refresh(List<String> affected) {
        if (affected.isEmpty()) {
            return Future.succeededFuture();
        }
        List<String> first = affected.subList(0, Math.min(AT_ONCE, affected.size()));
        return refreshAll(first)
                .recover(failure -> first.size() == 1 ? drop(first.get(0), failure) : eachOf(first))
                .compose(done -> refresh(affected.subList(first.size(), affected.size())));
    }

    /** One tenant that cannot be read, as it is too large, must not keep others from what is new. */
    private Future<Void> eachOf(List<String> tenants) {
        Future<Void> done = Future.succeededFuture();
        for (String tenant : tenants) {
            done = done.compose(before -> refreshAll(List.of(tenant)).recover(failure -> drop(tenant, failure)));
        }
        return done;
    }

    /** If nobody can be read, it is the database: then what is known goes on. The operator's own state is small. */
    private Future<Void> drop(String tenant, Throwable failure) {
        return read(List.of("")).transform(answers -> {
            if (answers.failed()) {
                return Future.failedFuture(failure);
            }
            LOG.warn(
                    "what judges the tenant `{}` could not be read anew, and is forgotten: {}",
                    tenant,
                    failure.toString());
            held.invalidate(tenant);
            return Future.succeededFuture();
        });
    }

    private Future<Void> refreshAll(List<String> tenants) {
        return read(tenants).compose(states -> {
            var again = new ArrayList<String>();
            // One that was forgotten meanwhile, or read anew, is left alone.
            states.forEach((tenant, state) -> held.asMap().computeIfPresent(tenant, (name, now) -> {
                if (now.packs().generation() > state.packs().generation()) {
                    again.add(tenant);
                    return now;
                }
                return now.revision() > state.revision() ? now : state;
            }));
            return refresh(again);
        });
    }

    /**
     * Has everything that is held judged by the packs in files as they are now. Takes its time. What cannot be is forgotten:
     * then nothing is decided for that tenant until it can be read, and for all others it is.
     */
    public void remake() {
        List<String> tenants;
        synchronized (this) {
            tenants = List.copyOf(held.asMap().keySet());
        }
        tenants.forEach(this::remake);
    }

    private void remake(String tenant) {
        TenantState state = now(tenant);
        try {
            while (state != null && !held.asMap().replace(tenant, state, source.remade(state))) {
                state = now(tenant);
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "what judges the tenant `{}` cannot be made with the packs in files as they are now, and is forgotten: {}",
                    tenant,
                    e.toString());
            held.invalidate(tenant);
        }
    }

    private Future<Map<String, TenantState>> read(Collection<String> tenants) {
        var known = new HashMap<String, @Nullable TenantState>();
        tenants.forEach(tenant -> known.put(tenant, now(tenant)));
        return Future.succeededFuture().compose(begun -> source.read(known)).timeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** How many tenants are held. */
    public long tenants() {
        return held.estimatedSize();
    }

    /** About how many bytes they take. */
    public long bytes() {
        return held.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }
}
