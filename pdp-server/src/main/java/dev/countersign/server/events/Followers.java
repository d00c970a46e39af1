package dev.countersign.server.events;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who waits for new events on this server, a bounded number for each tenant and for all together. All methods may be
 * called from any thread.
 */
public final class Followers {
    /** The channel on which PostgreSQL notifies of the tenants that have new events. */
    public static final String CHANNEL = "countersign_events";

    /** What became of the wish to follow. */
    public enum Admission {
        /** It is granted; {@link #leave} gives the place back. */
        ADMITTED,
        /** The tenant has as many followers here as one may have. */
        TENANT_FULL,
        /** The server has as many as it can bear. */
        SERVER_FULL
    }

    private final int most;
    private final int mostOfTenant;
    private final Map<String, List<Runnable>> waiting = new HashMap<>();
    private int count;

    /** Nobody yet; at most {@code most} together, and at most {@code mostOfTenant} of one tenant. */
    public Followers(int most, int mostOfTenant) {
        this.most = most;
        this.mostOfTenant = mostOfTenant;
    }

    /** Has {@code wake}, which must not wait, called whenever the tenant may have new events. */
    public synchronized Admission join(String tenant, Runnable wake) {
        List<Runnable> ofTenant = waiting.getOrDefault(tenant, List.of());
        if (ofTenant.size() >= mostOfTenant) {
            return Admission.TENANT_FULL;
        }
        if (count >= most) {
            return Admission.SERVER_FULL;
        }
        waiting.computeIfAbsent(tenant, first -> new ArrayList<>()).add(wake);
        count++;
        return Admission.ADMITTED;
    }

    /** Ends what was admitted with this very {@code wake}; for another it does nothing. */
    public synchronized void leave(String tenant, Runnable wake) {
        List<Runnable> ofTenant = waiting.get(tenant);
        if (ofTenant != null && ofTenant.remove(wake)) {
            count--;
            if (ofTenant.isEmpty()) {
                waiting.remove(tenant);
            }
        }
    }

    /** The tenant may have new events. */
    public void heard(String tenant) {
        List<Runnable> now;
        synchronized (this) {
            now = List.copyOf(waiting.getOrDefault(tenant, List.of()));
        }
        now.forEach(Runnable::run);
    }

    /** How many follow at the moment. */
    public synchronized int count() {
        return count;
    }
}
