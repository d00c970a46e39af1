package dev.countersign.server.events;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who waits on this server for something to happen to a topic, a bounded number for each tenant and for all together. All
 * methods may be called from any thread.
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
    private final Map<String, Integer> places = new HashMap<>();
    private int count;

    /** Nobody yet; at most {@code most} together, and at most {@code mostOfTenant} of one tenant. */
    public Followers(int most, int mostOfTenant) {
        this.most = most;
        this.mostOfTenant = mostOfTenant;
    }

    /** Has {@code wake}, which must not wait, called whenever something may have happened to the topic. */
    public synchronized Admission join(String tenant, String topic, Runnable wake) {
        if (places.getOrDefault(tenant, 0) >= mostOfTenant) {
            return Admission.TENANT_FULL;
        }
        if (count >= most) {
            return Admission.SERVER_FULL;
        }
        waiting.computeIfAbsent(topic, first -> new ArrayList<>()).add(wake);
        places.merge(tenant, 1, Integer::sum);
        count++;
        return Admission.ADMITTED;
    }

    /** Ends what was admitted with these very arguments; for others it does nothing. */
    public synchronized void leave(String tenant, String topic, Runnable wake) {
        List<Runnable> ofTopic = waiting.get(topic);
        if (ofTopic != null && ofTopic.remove(wake)) {
            places.computeIfPresent(tenant, (same, held) -> held == 1 ? null : held - 1);
            count--;
            if (ofTopic.isEmpty()) {
                waiting.remove(topic);
            }
        }
    }

    /** Something may have happened to the topic. */
    public void heard(String topic) {
        List<Runnable> now;
        synchronized (this) {
            now = List.copyOf(waiting.getOrDefault(topic, List.of()));
        }
        now.forEach(Runnable::run);
    }

    /** How many follow at the moment. */
    public synchronized int count() {
        return count;
    }
}
