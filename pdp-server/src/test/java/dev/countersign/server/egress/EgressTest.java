package dev.countersign.server.egress;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsServer;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.net.TrustOptions;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.ExtendedSSLSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls to real servers on this machine, and that none goes where it must not. */
class EgressTest {
    private static final int MAX = 1_000;

    private final Vertx vertx = Vertx.vertx();
    private final List<AutoCloseable> closing = new ArrayList<>();
    private final Queue<String> seen = new ConcurrentLinkedQueue<>();

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : closing) {
            each.close();
        }
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private int serve(String address, HttpHandler handler) throws IOException {
        return serve(HttpServer.create(new InetSocketAddress(address, 0), 0), handler);
    }

    private int serve(HttpServer server, HttpHandler handler) {
        server.createContext("/", exchange -> {
            seen.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            try (exchange) {
                handler.handle(exchange);
            }
        });
        server.start();
        closing.add(() -> server.stop(0));
        return server.getAddress().getPort();
    }

    /** A server that says one thing to whoever connects, and then leaves the connection open. */
    private int say(String text) throws IOException {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        closing.add(server);
        Thread thread = new Thread(() -> {
            try {
                while (!server.isClosed()) {
                    Socket socket = server.accept();
                    closing.add(socket);
                    socket.getOutputStream().write(text.getBytes(US_ASCII));
                    socket.getOutputStream().flush();
                }
            } catch (IOException closed) {
                seen.add("closed");
            }
        });
        thread.setDaemon(true);
        thread.start();
        return server.getLocalPort();
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        exchange.sendResponseHeaders(status, body.isEmpty() ? -1 : body.getBytes(UTF_8).length);
        if (!body.isEmpty()) {
            exchange.getResponseBody().write(body.getBytes(UTF_8));
        }
    }

    private Egress egress(String... rules) {
        return new Egress(vertx, EgressRules.parse(List.of(rules)), null);
    }

    private Egress egress(TrustOptions trust, Resolver resolver, String... rules) {
        return new Egress(vertx, EgressRules.parse(List.of(rules)), trust, resolver);
    }

    private static Call get(String url) {
        return get(url, Duration.ofSeconds(20));
    }

    private static Call get(String url, Duration timeout) {
        return new Call(HttpMethod.GET, URI.create(url), Map.of(), Buffer.buffer(), timeout, MAX);
    }

    private static Answer send(Egress egress, Call call) throws Exception {
        try {
            return egress.send(call).toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private static List<InetAddress> addresses(String... texts) throws UnknownHostException {
        var addresses = new ArrayList<InetAddress>();
        for (String text : texts) {
            addresses.add(InetAddress.getByName(text));
        }
        return addresses;
    }

    @Test
    void aCallArrivesAsItWasMadeAndTheAnswerComesBackWhole() throws Exception {
        int port = serve("127.0.0.1", exchange -> {
            seen.add(exchange.getRequestHeaders().getFirst("Content-Type"));
            seen.add(exchange.getRequestHeaders().getFirst("Host"));
            seen.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            exchange.getResponseHeaders().add("X-Two", "a");
            exchange.getResponseHeaders().add("X-Two", "b");
            answer(exchange, 422, "{\"ä\":1}");
        });
        Answer answer = send(
                egress("http://127.0.0.1:" + port),
                new Call(
                        HttpMethod.POST,
                        URI.create("http://127.0.0.1:" + port + "/a%2Fb?q=%20"),
                        Map.of("Content-Type", "text/plain"),
                        Buffer.buffer("grüße"),
                        Duration.ofSeconds(20),
                        MAX));
        assertThat(seen).containsExactly("POST /a%2Fb?q=%20", "text/plain", "127.0.0.1:" + port, "grüße");
        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.successful()).isFalse();
        assertThat(answer.headers().get("x-two")).containsExactly("a", "b");
        assertThat(answer.header("X-TWO")).isEqualTo("a");
        assertThat(answer.body().toString()).isEqualTo("{\"ä\":1}");
    }

    @Test
    void aRedirectIsAnAnswerAndIsNotFollowed() throws Exception {
        int port = serve("127.0.0.1", exchange -> {
            exchange.getResponseHeaders().add("Location", "/elsewhere");
            answer(exchange, 302, "");
        });
        Answer answer = send(egress("http://127.0.0.1:" + port), get("http://127.0.0.1:" + port + "/here"));
        assertThat(answer.status()).isEqualTo(302);
        assertThat(answer.header("location")).isEqualTo("/elsewhere");
        assertThat(seen).containsExactly("GET /here");
    }

    @Test
    void noCookieIsKept() throws Exception {
        int port = serve("127.0.0.1", exchange -> {
            seen.add(String.valueOf(exchange.getRequestHeaders().getFirst("Cookie")));
            exchange.getResponseHeaders().add("Set-Cookie", "a=b");
            answer(exchange, 200, "");
        });
        Egress egress = egress("http://127.0.0.1:" + port);
        send(egress, get("http://127.0.0.1:" + port + "/"));
        send(egress, get("http://127.0.0.1:" + port + "/"));
        assertThat(seen).containsExactly("GET /", "null", "GET /", "null");
    }

    @Test
    void aNameIsCalledAtTheVeryAddressThatWasChecked() throws Exception {
        int port = serve("127.0.0.1", exchange -> answer(exchange, 200, "not this one"));
        HttpServer other = HttpServer.create(new InetSocketAddress("127.0.0.2", port), 0);
        serve(
                other,
                exchange -> answer(exchange, 200, exchange.getRequestHeaders().getFirst("Host")));
        var asked = new AtomicInteger();
        Egress egress = egress(
                null,
                host -> asked.getAndIncrement() == 0 ? addresses("127.0.0.2") : addresses("127.0.0.1"),
                "http://receiver.example:" + port,
                "127.0.0.2/32");
        String url = "http://receiver.example:" + port + "/";
        assertThat(send(egress, get(url)).body().toString()).isEqualTo("receiver.example:" + port);
        assertThat(asked).hasValue(1);
        assertThatThrownBy(() -> send(egress, get(url)))
                .isInstanceOf(RefusedDestinationException.class)
                .hasMessageContaining("127.0.0.1 (127.0.0.0/8, loopback)");
        assertThat(seen).hasSize(1);
    }

    @Test
    void oneForbiddenAddressAmongOthersRefusesTheName() throws Exception {
        int port = serve("127.0.0.1", exchange -> answer(exchange, 200, "reached"));
        Egress egress =
                egress(null, host -> addresses("93.184.216.34", "127.0.0.1"), "http://receiver.example:" + port);
        assertThatThrownBy(() -> send(egress, get("http://receiver.example:" + port + "/")))
                .isInstanceOf(RefusedDestinationException.class);
        assertThat(seen).isEmpty();
    }

    @Test
    void whereNobodyIsAtTheFirstAddressTheNextIsTried() throws Exception {
        int port = serve("127.0.0.1", exchange -> answer(exchange, 200, "reached"));
        Egress egress = egress(
                null, host -> addresses("127.0.0.3", "127.0.0.1"), "http://receiver.example:" + port, "127.0.0.0/8");
        assertThat(send(egress, get("http://receiver.example:" + port + "/")).status())
                .isEqualTo(200);
    }

    @Test
    void aCertificateIsHeldToTheNameAndTheNameIsToldToTheServer(@TempDir Path directory) throws Exception {
        Certificate certificate = Certificate.of("receiver.example", directory);
        HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(certificate.server()));
        int port = serve(server, exchange -> {
            var session = (ExtendedSSLSession) ((HttpsExchange) exchange).getSSLSession();
            answer(exchange, 200, session.getRequestedServerNames().toString());
        });
        String[] rules = {"receiver.example:" + port, "other.example:" + port, "127.0.0.1/32"};
        Resolver here = host -> addresses("127.0.0.1");
        Egress trusting = egress(certificate.trusted(), here, rules);
        assertThat(send(trusting, get("https://receiver.example:" + port + "/"))
                        .body()
                        .toString())
                .contains("receiver.example");
        assertThatThrownBy(() -> send(trusting, get("https://other.example:" + port + "/")))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(RefusedDestinationException.class);
        assertThatThrownBy(() -> send(egress(null, here, rules), get("https://receiver.example:" + port + "/")))
                .isInstanceOf(IOException.class);
        assertThat(seen).hasSize(1);
    }

    @Test
    void anAnswerThatIsTooLongFailsTheCall() throws Exception {
        int port = serve("127.0.0.1", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] part = new byte[MAX];
            for (int i = 0; i < 10_000; i++) {
                exchange.getResponseBody().write(part);
            }
        });
        int exact = serve("127.0.0.1", exchange -> answer(exchange, 200, "x".repeat(MAX)));
        assertThatThrownBy(() -> send(egress("http://127.0.0.1:" + port), get("http://127.0.0.1:" + port + "/")))
                .isInstanceOf(IOException.class)
                .hasMessage("the answer is longer than " + MAX + " bytes");
        assertThat(send(egress("http://127.0.0.1:" + exact), get("http://127.0.0.1:" + exact + "/"))
                        .body()
                        .length())
                .isEqualTo(MAX);
    }

    @Test
    void headersThatAreTooLongFailTheCall() throws Exception {
        int port = say("HTTP/1.1 200 OK\r\nX: " + "x".repeat(100_000) + "\r\n\r\n");
        assertThatThrownBy(() -> send(egress("http://127.0.0.1:" + port), get("http://127.0.0.1:" + port + "/")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void anAnswerThatIsNotThereInTimeFailsTheCall() throws Exception {
        Duration little = Duration.ofMillis(300);
        for (String said : List.of("", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")) {
            int port = say(said);
            assertThatThrownBy(() ->
                            send(egress("http://127.0.0.1:" + port), get("http://127.0.0.1:" + port + "/", little)))
                    .as(said)
                    .isInstanceOf(HttpTimeoutException.class);
        }
    }

    @Test
    void aNameThatIsNotResolvedInTimeFailsTheCall() {
        Egress egress = egress(
                null,
                host -> {
                    try {
                        TimeUnit.MINUTES.sleep(1);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    throw new UnknownHostException(host);
                },
                "slow.example");
        assertThatThrownBy(() -> send(egress, get("https://slow.example/", Duration.ofMillis(300))))
                .isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void aConnectionThatBreaksFailsTheCall() throws Exception {
        int port = serve("127.0.0.1", exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write(1);
        });
        assertThatThrownBy(() -> send(egress("http://127.0.0.1:" + port), get("http://127.0.0.1:" + port + "/")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void whoCannotBeReachedIsToldApartFromWhoMayNotBeCalled() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        Egress egress = egress(
                null,
                host -> {
                    throw new UnknownHostException(host);
                },
                "http://127.0.0.1:" + port,
                "receiver.example");
        assertThatThrownBy(() -> send(egress, get("http://127.0.0.1:" + port + "/")))
                .isInstanceOf(ConnectException.class);
        assertThatThrownBy(() -> send(egress, get("https://receiver.example/")))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("receiver.example");
        assertThatThrownBy(() -> send(egress, get("https://other.example/")))
                .isInstanceOf(RefusedDestinationException.class);
    }
}
