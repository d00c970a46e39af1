package dev.countersign.bench;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Clients that ask one server, each again when it has its answer, and remember every decision that they were told. */
final class Load implements AutoCloseable {
    private static final int CLIENTS = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Reads answers as they come. */
    interface Reader {
        /** An answer with a decision to what was asked at {@code asked}, by {@link System#nanoTime()}. */
        void read(long asked, JsonObject answer);
    }

    private final List<Thread> threads = new ArrayList<>();
    private final Reader reader;
    private final long pauseNanos;
    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong broken = new AtomicLong();
    private final AtomicReference<@Nullable String> failure = new AtomicReference<>();
    private final AtomicLong leaks = new AtomicLong();
    private volatile boolean stopped;

    /** Starts asking without pause; ids are added to {@code told}, a concurrent set. */
    Load(ServerUnderTest server, Set<UUID> told) {
        this(server, told, Duration.ZERO);
    }

    /** The same with a pause after each answer: two servers and all clients share a machine that must not run out of CPU. */
    Load(ServerUnderTest server, Set<UUID> told, Duration pause) {
        this(
                server,
                CLIENTS,
                pause,
                Workload.single(),
                (asked, answer) ->
                        told.add(UUID.fromString(answer.getJsonObject("context").getString("evaluation_id"))));
    }

    /** Starts asking one thing; {@code reader} is called by every client's own thread. */
    Load(ServerUnderTest server, int clients, Duration pause, String body, Reader reader) {
        this.reader = reader;
        this.pauseNanos = pause.toNanos();
        var request = HttpRequest.newBuilder(server.evaluation())
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + server.key("agent"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        for (int i = 0; i < clients; i++) {
            var thread = new Thread(() -> ask(request), "load-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
    }

    static Set<UUID> memory() {
        return ConcurrentHashMap.newKeySet();
    }

    /**
     * Each client has a connection of its own, so that every event loop of the server is asked, and speaks HTTP/2 on it: over HTTP/1.1
     * the JDK's client closes, once in a million requests, a connection on which it has just asked.
     */
    private void ask(HttpRequest request) {
        HttpClient client = HttpClient.newHttpClient();
        for (; !stopped; LockSupport.parkNanos(pauseNanos)) {
            long asked = System.nanoTime();
            try {
                HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() == 200) {
                    reader.read(asked, new JsonObject(response.body()));
                    answered.incrementAndGet();
                } else {
                    refused.incrementAndGet();
                    failure.compareAndSet(null, response.statusCode() + " " + response.body());
                    leaks.addAndGet(response.body().contains("\"decision\"") ? 1 : 0);
                }
            } catch (IOException e) {
                broken.incrementAndGet();
                failure.compareAndSet(null, e + " after " + (System.nanoTime() - asked) / 1_000_000 + " ms");
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Answers with a decision, so far. */
    long answered() {
        return answered.get();
    }

    /** Answers with a status other than 200, so far. */
    long refused() {
        return refused.get();
    }

    /** Requests that got no answer, so far. */
    long broken() {
        return broken.get();
    }

    /** The first that was refused or broken. */
    @Nullable
    String failure() {
        return failure.get();
    }

    /** Refusals that named a decision all the same. */
    long leaks() {
        return leaks.get();
    }

    @Override
    public void close() {
        stopped = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
