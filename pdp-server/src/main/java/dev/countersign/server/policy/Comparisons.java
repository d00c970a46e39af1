package dev.countersign.server.policy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Comparisons of changes with what is in force. Of one plane one runs at a time, so whoever has many leaves a thread to others;
 * what was compared just now is not compared again: an upload, its publishing and its activation are one comparison.
 */
final class Comparisons {
    private static final Logger LOG = LoggerFactory.getLogger(Comparisons.class);
    private static final Duration LONG = Duration.ofSeconds(3);
    private static final int AT_ONCE = 2;
    private static final int MOST_OF_ONE = 20;
    private static final int MOST_OF_ALL = 1_000;
    private static final int STATES_KNOWN = 32;
    private static final int KNOWN_OF_ONE = 4;

    private final WorkerExecutor comparing;
    private final Turns turns = new Turns(MOST_OF_ONE, MOST_OF_ALL);

    /** By the effect of the change, as long as what it was compared with is held. */
    private final Cache<TenantState, Map<String, Difference>> known =
            Caffeine.newBuilder().weakKeys().maximumSize(STATES_KNOWN).build();

    /** Comparisons on threads of their own: they take long, and reading what judges a tenant must not wait for them. */
    Comparisons(Vertx vertx) {
        this.comparing = vertx.createSharedWorkerExecutor("comparing", AT_ONCE);
    }

    /** What a change does to this state; failed with {@link Turns.TooMany} if too many wait, or if it cannot be made. */
    Future<Difference> of(TenantState now, PolicyChange<?> change) {
        Map<String, Difference> lately = known.get(now, made -> new ConcurrentHashMap<>());
        String effect = change.effect();
        Difference before = lately.get(effect);
        return before != null
                ? Future.succeededFuture(before)
                : turns.after(now.tenant(), () -> inTurn(now, change, effect, lately));
    }

    private Future<Difference> inTurn(
            TenantState now, PolicyChange<?> change, String effect, Map<String, Difference> lately) {
        Difference meanwhile = lately.get(effect); // who asked the same and was before us in turn
        if (meanwhile != null) {
            return Future.succeededFuture(meanwhile);
        }
        return comparing.executeBlocking(() -> timed(now, change), false).map(difference -> {
            if (lately.size() >= KNOWN_OF_ONE) {
                lately.clear();
            }
            lately.put(effect, difference);
            return difference;
        });
    }

    private static Difference timed(TenantState now, PolicyChange<?> change) {
        long began = System.nanoTime();
        try {
            return Difference.of(now, change);
        } finally {
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            if (took.compareTo(LONG) > 0) {
                LOG.warn(
                        "comparing a change of the {} `{}` of {} took {} ms; meanwhile, others waited for theirs",
                        change.kind().word(),
                        change.name(),
                        now.tenant().isEmpty() ? "the operator" : "the tenant " + now.tenant(),
                        took.toMillis());
            }
        }
    }
}
