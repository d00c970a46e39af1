package dev.countersign.server.webhooks;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Somebody who is told: a server on this machine that keeps what it got and answers as it is bidden, with 200 otherwise. */
public final class Receiver implements AutoCloseable {
    /** One request that came in. */
    public record Got(Map<String, String> headers, String body) {
        /** Its {@code webhook-id}. */
        public String id() {
            return headers.get("webhook-id");
        }

        /** Whether one of the signatures is that of a secret, by the words of the specification. */
        public boolean signedWith(String secret) throws Exception {
            byte[] key = Base64.getDecoder().decode(secret.substring("whsec_".length()));
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            String signed = id() + "." + headers.get("webhook-timestamp") + "." + body;
            String expected = Base64.getEncoder().encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
            return List.of(headers.get("webhook-signature").split(" ")).contains("v1," + expected);
        }
    }

    /** An answer that it is to give. */
    public record Say(int status, Map<String, String> headers) {
        /** An answer without headers. */
        public static Say status(int status) {
            return new Say(status, Map.of());
        }
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<Say> answers = new ConcurrentLinkedQueue<>();
    public final Queue<Got> got = new ConcurrentLinkedQueue<>();
    private volatile Runnable before = () -> {};

    /** One on a free port. */
    public Receiver() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::receive);
        server.start();
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            var headers = new HashMap<String, String>();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(name.toLowerCase(), values.get(0)));
            got.add(new Got(headers, new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
            before.run();
            Say say = answers.poll();
            if (say != null) {
                say.headers().forEach(exchange.getResponseHeaders()::add);
            }
            exchange.sendResponseHeaders(say == null ? 200 : say.status(), -1);
        }
    }

    /** Has the next requests answered so, one after the other. */
    public void next(Say... says) {
        answers.addAll(List.of(says));
    }

    /** Has something done between each request and its answer. */
    void beforeAnswering(Runnable step) {
        before = step;
    }

    /** Its port. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** Where it takes requests. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + port() + "/hooks/secret-path");
    }

    List<String> ids() {
        return got.stream().map(Got::id).toList();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
