package dev.countersign.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpToolTest {
    private static final String SECRET = "Bearer s3cr3t";
    private static final URI URL = URI.create("https://tools.example/act?v=1");
    private static final Run RUN = new Run("e-1", HandTimer.START.plusSeconds(30), null, null);

    private EgressRequest sent;

    @Test
    void a_post_carries_arguments_key_and_secret_over_a_real_connection() throws Exception {
        CompletableFuture<String> seen = new CompletableFuture<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            var headers = exchange.getRequestHeaders();
            seen.complete(String.join(
                    "|",
                    exchange.getRequestMethod(),
                    headers.getFirst("Idempotency-Key"),
                    headers.getFirst("Authorization"),
                    headers.getFirst("Content-Type"),
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
            byte[] answer = "{\"paid\": 1.10}".getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json; charset=utf-8");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        try {
            URI url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/pay");
            HttpTool tool = new HttpTool(
                    config(url, HttpTool.Method.POST, () -> SECRET), new JdkEgress(), InstantSource.system());
            Run run = new Run("e-1", InstantSource.system().instant().plusSeconds(30), null, null);
            JsonNode result = tool.call(json("{'amount':1.10}"), run)
                    .toCompletableFuture()
                    .get(30, TimeUnit.SECONDS);
            assertThat(result).hasToString("{\"paid\":1.10}");
            assertThat(seen.join()).isEqualTo("POST|e-1|" + SECRET + "|application/json|{\"amount\":1.10}");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_get_carries_its_arguments_in_the_query() {
        call(HttpTool.Method.GET, json("{'q':'a&b=c d','ids':[1,2],'none':null,'exact':true}"), answer(204, "", ""));
        assertThat(sent.uri()).hasToString("https://tools.example/act?v=1&q=a%26b%3Dc+d&ids=1&ids=2&exact=true");
        assertThat(sent.body()).isEmpty();
        assertThat(sent.headers()).containsEntry("Idempotency-Key", "e-1").doesNotContainKey("Content-Type");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'a':{'b':1}}", "{'a':[[1]]}", "[1]", "1"})
    void arguments_that_a_query_cannot_hold_are_refused_before_anything_is_sent(String arguments) {
        Throwable failure = failureOf(() -> call(HttpTool.Method.GET, json(arguments), answer(204, "", "")));
        assertThat(ErrorClass.of(failure)).isEqualTo(ErrorClass.INVALID_REQUEST);
        assertThat(Causes.beforeItActed(failure)).isTrue();
        assertThat(sent).isNull();
    }

    @Test
    void answers_become_json() {
        assertThat(post(answer(200, "application/json", "[1]"))).hasToString("[1]");
        assertThat(post(answer(201, "application/problem+json; charset=utf-8", "{}")))
                .hasToString("{}");
        assertThat(post(answer(200, "text/plain", "[1]"))).hasToString("{\"text\":\"[1]\"}");
        assertThat(post(answer(200, "application/json", ""))).hasToString("null");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"key\": \"s3cr3t", "{} {}", "{\"a\":1,\"a\":2}", "s3cr3t"})
    void broken_json_is_a_failure_that_says_where_and_not_what(String body) {
        Throwable failure = failureOf(() -> post(answer(200, "application/json", body)));
        assertThat(failure).isInstanceOf(ToolFailure.class).hasMessageContaining("broken JSON at line 1, column ");
        assertThat(failure).hasNoCause();
        assertThat(failure.toString()).doesNotContain("s3cr3t");
        assertThat(Causes.beforeItActed(failure)).isFalse();
    }

    @Test
    void an_answer_over_one_mebibyte_is_a_failure() {
        int most = HttpTool.MAX_ANSWER_BYTES;
        assertThat(post(answer(200, "text/plain", "x".repeat(most))).get("text").asText())
                .hasSize(most);
        assertThat(sent.maxAnswerBytes()).isEqualTo(most);
        assertThat(failureOf(() -> post(answer(200, "text/plain", "x".repeat(most + 1)))))
                .hasMessageContaining("more than 1 MiB");
    }

    @Test
    void a_status_other_than_success_is_a_failure_with_that_status_and_nothing_of_the_answer() {
        for (int status : List.of(302, 400, 401, 404, 429, 500, 503)) {
            ToolFailure failure = (ToolFailure) failureOf(() -> post(answer(status, "text/plain", "s3cr3t")));
            assertThat(failure.status()).hasValue(status);
            assertThat(failure).hasMessage("the tool 'pay' answered with status " + status);
        }
    }

    @Test
    void retry_after_is_read_as_seconds_or_as_a_date() {
        assertThat(retryAfter("7")).hasSeconds(7);
        assertThat(retryAfter("Mon, 05 Jan 2026 09:01:30 GMT")).hasSeconds(90);
        assertThat(retryAfter("Mon, 05 Jan 2026 08:00:00 GMT")).isZero();
        assertThat(retryAfter("soon")).isNull();
        assertThat(retryAfter("-1")).isNull();
    }

    private Duration retryAfter(String value) {
        EgressResponse busy = new EgressResponse(503, Map.of("retry-after", value), new byte[0]);
        return ((ToolFailure) failureOf(() -> post(busy))).retryAfter().orElse(null);
    }

    @Test
    void an_attempt_takes_no_longer_than_its_own_limit_and_the_deadline_allow() {
        post(answer(204, "", ""));
        assertThat(sent.timeout()).hasSeconds(10);
        HandTimer late = new HandTimer();
        late.advance(Duration.ofSeconds(27));
        tool(config(URL, HttpTool.Method.POST, () -> SECRET), answer(204, "", ""), late)
                .call(json("{}"), RUN);
        assertThat(sent.timeout()).hasSeconds(3);
    }

    @Test
    void no_text_of_a_request_or_an_answer_holds_a_secret() {
        EgressResponse answer = answer(200, "text/plain", "s3cr3t");
        call(HttpTool.Method.GET, json("{'key':'s3cr3t'}"), answer);
        assertThat(sent).hasToString("GET https://tools.example/act");
        assertThat(answer).hasToString("answer with status 200");
        assertThat(config(URL, HttpTool.Method.GET, () -> SECRET).toString()).doesNotContain("s3cr3t");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s3cr3t\r\nX-Admin: 1", "s3cr3t\u00e9"})
    void a_secret_that_no_header_can_carry_is_refused_without_being_shown(String secret) {
        Throwable failure = failureOf(
                () -> tool(config(URL, HttpTool.Method.POST, () -> secret), answer(204, "", ""), new HandTimer())
                        .call(json("{}"), RUN)
                        .toCompletableFuture()
                        .join());
        assertThat(failure).hasMessageContaining("Authorization").hasMessageContaining("'pay'");
        assertThat(failure.getMessage()).doesNotContain("s3cr3t");
        assertThat(sent).isNull();
    }

    @Test
    void a_tool_that_cannot_be_called_is_refused_when_it_is_configured() {
        for (String url : List.of("/act", "mailto:a@b", "https://user:pw@tools.example/", "https://tools.example/#x")) {
            assertThatThrownBy(() -> config(URI.create(url), HttpTool.Method.GET, () -> SECRET))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'pay'");
        }
        for (String header : List.of("Host", "idempotency-key", "a b", "")) {
            assertThatThrownBy(() -> new HttpTool.Config(
                            "pay", URL, HttpTool.Method.GET, Map.of(header, () -> SECRET), true, Duration.ofSeconds(1)))
                    .hasMessageContaining("cannot set the header");
        }
    }

    private JsonNode post(EgressResponse answer) {
        return call(HttpTool.Method.POST, json("{}"), answer);
    }

    private JsonNode call(HttpTool.Method method, JsonNode arguments, EgressResponse answer) {
        return tool(config(URL, method, () -> SECRET), answer, new HandTimer())
                .call(arguments, RUN)
                .toCompletableFuture()
                .join();
    }

    private HttpTool tool(HttpTool.Config config, EgressResponse answer, InstantSource clock) {
        return new HttpTool(config, request -> remember(request, answer), clock);
    }

    private CompletionStage<EgressResponse> remember(EgressRequest request, EgressResponse answer) {
        sent = request;
        return CompletableFuture.completedFuture(answer);
    }

    private static HttpTool.Config config(URI url, HttpTool.Method method, Supplier<String> secret) {
        return new HttpTool.Config("pay", url, method, Map.of("Authorization", secret), false, Duration.ofSeconds(10));
    }

    private static EgressResponse answer(int status, String type, String body) {
        return new EgressResponse(status, Map.of("content-type", type), body.getBytes(StandardCharsets.UTF_8));
    }

    private static Throwable failureOf(Runnable call) {
        return Causes.unwrap(catchThrowable(call::run));
    }

    private static JsonNode json(String text) {
        try {
            return JsonMapper.builder()
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                    .build()
                    .readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException broken) {
            throw new IllegalArgumentException(broken);
        }
    }
}
