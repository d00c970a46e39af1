package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A client that follows events, as the HTML Living Standard 9.2 has it. */
final class Following implements AutoCloseable {
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final HttpResponse<InputStream> response;
    private final List<JsonNode> events = new CopyOnWriteArrayList<>();
    private final List<String> ids = new CopyOnWriteArrayList<>();
    private final List<String> types = new CopyOnWriteArrayList<>();
    private volatile String lastId = "";
    private volatile boolean over;
    private volatile boolean clean;

    private Following(HttpResponse<InputStream> response) {
        this.response = response;
        var thread = new Thread(this::read, "following");
        thread.setDaemon(true);
        thread.start();
    }

    /** Follows with a key, from {@code lastId} on unless it is empty; returns once the server has begun to answer. */
    static Following of(RunningServer server, String query, String secret, String lastId) {
        HttpRequest.Builder request =
                server.request("/api/v1/events" + query, secret).header("Accept", "text/event-stream");
        if (!lastId.isEmpty()) {
            request.header("Last-Event-ID", lastId);
        }
        try {
            var following = new Following(CLIENT.send(request.build(), BodyHandlers.ofInputStream()));
            if (following.status() == 200) {
                RunningServer.until("the stream says where it begins", () -> !following.lastId.isEmpty());
            }
            return following;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private void read() {
        try (var lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            String data = null;
            String type = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("id: ")) {
                    lastId = line.substring(4);
                } else if (line.startsWith("event: ")) {
                    type = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                } else if (line.isEmpty() && data != null) {
                    ids.add(lastId);
                    types.add(type);
                    events.add(Reply.parse(data));
                    data = null;
                }
            }
            clean = true;
        } catch (IOException e) {
            // The connection was closed, by either side.
        }
        over = true;
    }

    /** Whether the end was one that HTTP knows, not a connection that broke. */
    boolean clean() {
        return clean;
    }

    int status() {
        return response.statusCode();
    }

    String header(String name) {
        return response.headers().firstValue(name).orElse("");
    }

    /** The events that have come. */
    List<JsonNode> events() {
        return List.copyOf(events);
    }

    /** The ids of the decisions that they tell of. */
    List<String> decisions() {
        return events().stream().map(event -> event.path("id").asText()).toList();
    }

    /** The cursors, one an event. */
    List<String> ids() {
        return List.copyOf(ids);
    }

    List<String> types() {
        return List.copyOf(types);
    }

    /** The cursor that came last, with or without an event. */
    String lastId() {
        return lastId;
    }

    /** Whether the server, or this client, has ended it. */
    boolean over() {
        return over;
    }

    @Override
    public void close() {
        try {
            response.body().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
