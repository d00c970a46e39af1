package dev.countersign.bench;

import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Clients that ask one server the question of a pack over and over, and see which version each answer is of. */
final class Watch implements AutoCloseable {
    private static final int CLIENTS = 4;
    private static final Duration PAUSE = Duration.ofMillis(5);
    /** So long nothing but the new version has answered before a server counts as obeying. */
    private static final long QUIET_NANOS = 200_000_000;

    private final LivePack pack;
    private final Map<Integer, Long> asked = new ConcurrentHashMap<>();
    private final Map<Integer, Long> came = new ConcurrentHashMap<>();
    private final AtomicLong halves = new AtomicLong();
    private final AtomicReference<@Nullable String> half = new AtomicReference<>();
    private final Load load;
    private volatile long settled = Long.MAX_VALUE;

    Watch(ServerUnderTest server, LivePack pack) {
        this.pack = pack;
        load = new Load(server, CLIENTS, PAUSE, pack.question(), this::read);
    }

    private void read(long at, JsonObject answer) {
        int version = pack.version(answer);
        if (version == LivePack.HALF || version == LivePack.NONE && at > settled) {
            halves.incrementAndGet();
            half.compareAndSet(null, answer.encode());
        }
        asked.merge(version, at, Math::max);
        came.merge(version, System.nanoTime(), Math::max);
    }

    /** From now on some version of the pack judges at any time, and every answer must be of one. */
    void settled() {
        settled = System.nanoTime();
    }

    /** Whether nothing but this version has answered for a while, of what was asked after {@code since}. */
    boolean obeys(int version, long since) {
        Long newest = asked.get(version);
        return newest != null && newest > since && System.nanoTime() - otherCame(version) > QUIET_NANOS;
    }

    /** When the last answer by another version came, by {@link System#nanoTime()}. */
    long otherCame(int version) {
        return otherLast(came, version);
    }

    /** When what another version answered last was asked. */
    long otherAsked(int version) {
        return otherLast(asked, version);
    }

    private static long otherLast(Map<Integer, Long> times, int version) {
        return times.entrySet().stream()
                .filter(entry -> entry.getKey() != version)
                .mapToLong(Map.Entry::getValue)
                .max()
                .orElse(Long.MIN_VALUE / 2);
    }

    /** The versions that have answered, with {@link LivePack#NONE} and {@link LivePack#HALF} if there were such answers. */
    Set<Integer> versions() {
        return asked.keySet();
    }

    /** Answers that were by half a change, or by none of the versions when one had to judge. */
    long halves() {
        return halves.get();
    }

    /** The first of them. */
    @Nullable
    String half() {
        return half.get();
    }

    Load load() {
        return load;
    }

    @Override
    public void close() {
        load.close();
    }
}
