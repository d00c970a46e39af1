package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.sun.net.httpserver.HttpServer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ErrorClassTest {
    @ParameterizedTest
    @CsvSource({
        "302, unknown",
        "400, invalid_request",
        "401, auth",
        "403, auth",
        "404, not_found",
        "405, invalid_request",
        "408, timeout",
        "409, invalid_request",
        "410, not_found",
        "422, invalid_request",
        "429, rate_limit",
        "500, server_error",
        "502, server_error",
        "503, server_error",
        "504, timeout",
        "599, server_error"
    })
    void every_status_has_its_class(int status, String word) {
        Throwable wrapped = new CompletionException(ToolFailure.answered("no", status, null));
        assertThat(ErrorClass.of(wrapped).word()).isEqualTo(word);
    }

    static Stream<Arguments> exceptions() {
        return Stream.of(
                arguments(new HttpTimeoutException("late"), ErrorClass.TIMEOUT),
                arguments(new SocketTimeoutException("late"), ErrorClass.TIMEOUT),
                arguments(new TimeoutException("late"), ErrorClass.TIMEOUT),
                arguments(new ConnectException("refused"), ErrorClass.NETWORK),
                arguments(new UnknownHostException("nowhere"), ErrorClass.NETWORK),
                arguments(new EOFException("end"), ErrorClass.NETWORK),
                arguments(new SocketException("Connection reset"), ErrorClass.NETWORK),
                arguments(new UncheckedIOException(new SocketException("reset")), ErrorClass.NETWORK),
                arguments(new IOException("gone", new TimeoutException()), ErrorClass.NETWORK),
                arguments(new ExecutionException(new RuntimeException(new TimeoutException())), ErrorClass.TIMEOUT),
                arguments(new IllegalArgumentException("amount"), ErrorClass.INVALID_REQUEST),
                arguments(ToolFailure.refused("amount"), ErrorClass.INVALID_REQUEST),
                arguments(ToolFailure.unreadable("too long"), ErrorClass.UNKNOWN),
                arguments(new IllegalStateException("bug"), ErrorClass.UNKNOWN),
                arguments(new StackOverflowError(), ErrorClass.UNKNOWN));
    }

    @ParameterizedTest
    @MethodSource("exceptions")
    void every_exception_has_its_class(Throwable failure, ErrorClass expected) {
        assertThat(ErrorClass.of(failure)).isEqualTo(expected);
    }

    @Test
    void only_what_may_pass_is_retryable() {
        assertThat(Arrays.stream(ErrorClass.values()).filter(ErrorClass::retryable))
                .containsExactly(
                        ErrorClass.TIMEOUT, ErrorClass.NETWORK, ErrorClass.RATE_LIMIT, ErrorClass.SERVER_ERROR);
    }

    @Test
    void work_that_was_interrupted_is_never_retried() {
        List<Throwable> interrupted = List.of(
                new InterruptedException(),
                new IOException("gone", new InterruptedException()),
                new TimeoutException().initCause(new InterruptedException()),
                new ClosedByInterruptException(),
                new InterruptedIOException());
        assertThat(interrupted)
                .allSatisfy(failure ->
                        assertThat(ErrorClass.of(failure).retryable()).isFalse());
    }

    @Test
    void broken_json_is_not_taken_for_a_broken_connection() {
        Throwable broken = Assertions.catchThrowable(() -> new JsonMapper().readTree("{"));
        assertThat(broken).isInstanceOf(IOException.class);
        assertThat(ErrorClass.of(broken)).isEqualTo(ErrorClass.UNKNOWN);
    }

    @Test
    void a_circle_of_causes_ends() {
        RuntimeException one = new RuntimeException("one");
        RuntimeException two = new RuntimeException("two", one);
        one.initCause(two);
        assertThat(ErrorClass.of(one)).isEqualTo(ErrorClass.UNKNOWN);
        CompletionException first = new CompletionException() {};
        first.initCause(new CompletionException(first));
        assertThat(Causes.unwrap(first)).isSameAs(first);
    }

    @Test
    void a_refused_connection_is_network_and_certainly_did_nothing() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        Throwable failure = failureOf(port, Duration.ofSeconds(20));
        assertThat(ErrorClass.of(failure)).isEqualTo(ErrorClass.NETWORK);
        assertThat(Causes.beforeItActed(failure)).isTrue();
    }

    @Test
    void a_server_that_never_answers_is_a_timeout_and_leaves_a_doubt() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Throwable failure = failureOf(silent.getLocalPort(), Duration.ofMillis(200));
            assertThat(ErrorClass.of(failure)).isEqualTo(ErrorClass.TIMEOUT);
            assertThat(Causes.beforeItActed(failure)).isFalse();
        }
    }

    @Test
    void a_connection_that_breaks_after_the_request_is_network_and_leaves_a_doubt() throws Exception {
        try (ServerSocket rude = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread server = new Thread(() -> {
                try (var connection = rude.accept()) {
                    connection.getInputStream().read();
                } catch (IOException closed) {
                    throw new UncheckedIOException(closed);
                }
            });
            server.start();
            Throwable failure = failureOf(rude.getLocalPort(), Duration.ofSeconds(20));
            server.join();
            assertThat(ErrorClass.of(failure)).isEqualTo(ErrorClass.NETWORK);
            assertThat(Causes.beforeItActed(failure)).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({"500, server_error, false", "429, rate_limit, true"})
    void a_server_that_answers_with_an_error_has_the_class_of_its_status(int status, String word, boolean nothingDone)
            throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        try {
            Throwable failure = failureOf(server.getAddress().getPort(), Duration.ofSeconds(20));
            assertThat(ErrorClass.of(failure).word()).isEqualTo(word);
            assertThat(Causes.beforeItActed(failure)).isEqualTo(nothingDone);
        } finally {
            server.stop(0);
        }
    }

    private static Throwable failureOf(int port, Duration timeout) {
        URI url = URI.create("http://127.0.0.1:" + port + "/act");
        HttpTool tool = new HttpTool(
                new HttpTool.Config("real", url, HttpTool.Method.POST, Map.of(), false, timeout),
                new JdkEgress(),
                InstantSource.system());
        Run run = new Run("e-1", Instant.now().plusSeconds(60), null, null);
        return Assertions.catchThrowable(() ->
                tool.call(NullNode.getInstance(), run).toCompletableFuture().get(30, TimeUnit.SECONDS));
    }
}
