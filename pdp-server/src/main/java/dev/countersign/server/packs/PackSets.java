package dev.countersign.server.packs;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.pack.Pack;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The sets of packs that are in use: tenants with the same packs share one. All methods may be called from any thread. */
public final class PackSets {
    private final Map<String, String> env;
    private final Cache<Map<String, String>, PackSet> sets =
            Caffeine.newBuilder().weakValues().executor(Runnable::run).build();

    /** No sets yet. */
    public PackSets(Map<String, String> env) {
        this.env = env;
    }

    /**
     * The set of these packs.
     *
     * @throws IllegalArgumentException if they do not go together; the message says why
     */
    public PackSet of(List<Pack> packs) {
        var digests = new TreeMap<String, String>();
        packs.forEach(pack -> digests.put(pack.name(), pack.digest()));
        // Packs of one name do not go together: it is for the set to say so.
        return digests.size() < packs.size()
                ? PackSet.of(packs, env)
                : sets.get(digests, missing -> PackSet.of(packs, env));
    }
}
