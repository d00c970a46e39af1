package dev.countersign.bench;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A person at the HTTP API: one request after the other. */
final class Api {
    /** How long anything is waited for. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /** What is waited for. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private final HttpClient client = HttpClient.newHttpClient();

    /** Waits until something holds, and answers after how many milliseconds it did; it is no longer than the patience. */
    static double until(Condition condition) throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (!condition.holds() && System.nanoTime() - began < PATIENCE.toNanos()) {
            Thread.sleep(2);
        }
        return (System.nanoTime() - began) / 1e6;
    }

    /**
     * Makes a change that is in force, or reads.
     *
     * @throws IOException if the server refuses, or waits for another person
     */
    HttpResponse<String> send(
            ServerUnderTest server, String method, String path, String secret, @Nullable JsonObject body)
            throws IOException, InterruptedException {
        HttpResponse<String> response = propose(server, method, path, secret, body);
        if (response.statusCode() == 202) {
            throw new IOException(method + " " + path + " waits for another person: " + response.body());
        }
        return response;
    }

    /**
     * The same where the change may also be a proposal, with status 202, that waits for another person.
     *
     * @throws IOException if the server refuses
     */
    HttpResponse<String> propose(
            ServerUnderTest server, String method, String path, String secret, @Nullable JsonObject body)
            throws IOException, InterruptedException {
        var publisher =
                body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body.encode());
        HttpResponse<String> response = exchange(request(server, path, secret).method(method, publisher));
        if (response.statusCode() >= 300) {
            throw new IOException(method + " " + path + ": " + response.statusCode() + " " + response.body());
        }
        return response;
    }

    /** The status with which a key is answered. */
    int status(ServerUnderTest server, String secret) throws IOException, InterruptedException {
        var request = request(server, "/v1/policy/evaluate", secret)
                .POST(HttpRequest.BodyPublishers.ofString("{\"action\": \"live\"}"));
        return exchange(request).statusCode();
    }

    /** Whether a server knows a key, whatever it may do. */
    boolean knows(ServerUnderTest server, String secret) throws IOException, InterruptedException {
        return exchange(request(server, "/api/v1/decisions", secret).GET()).statusCode() != 401;
    }

    private HttpResponse<String> exchange(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(ServerUnderTest server, String path, String secret) {
        return HttpRequest.newBuilder(URI.create(server.url() + path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + secret)
                .header("Content-Type", "application/json");
    }
}
