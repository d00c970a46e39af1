package dev.countersign.server.tooling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.tools.Egress;
import dev.countersign.tools.EgressRequest;
import dev.countersign.tools.EgressResponse;
import dev.countersign.tools.Run;
import dev.countersign.tools.Tool;
import dev.countersign.tools.Tools;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ToolFileTest {
    private static final Instant NOW = Instant.parse("2030-01-02T03:04:05Z");
    private static final String SECRET = "Bearer s3cret-of-the-bank";
    private static final Map<String, String> ENV = Map.of("NOTIFY_AUTHORIZATION", SECRET, "EMPTY", "");

    @TempDir
    private Path directory;

    private final List<EgressRequest> sent = new ArrayList<>();
    private final Egress egress = request -> {
        sent.add(request);
        return CompletableFuture.completedFuture(new EgressResponse(
                200, Map.of("Content-Type", "application/json"), "{\"ok\": true}".getBytes(StandardCharsets.UTF_8)));
    };

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("tools.yaml"), text);
    }

    private Tools read(String text) throws IOException {
        return ToolFile.read(file(text), egress, ENV, InstantSource.fixed(NOW));
    }

    private static JsonNode call(Tools tools, String name) {
        Tool tool = tools.find(name).orElseThrow();
        JsonNode arguments = JsonNodeFactory.instance.objectNode().put("amount", 3);
        return tool.call(arguments, new Run("run-1", NOW.plusSeconds(600), null, null))
                .toCompletableFuture()
                .join();
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    @Test
    void noFileIsNoTools() {
        assertThat(ToolFile.read(null, egress, ENV, InstantSource.fixed(NOW)).names())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tools: {}", "tools:", "{}"})
    void aFileThatListsNothingIsNoTools(String text) throws IOException {
        assertThat(read(text).names()).isEmpty();
    }

    @Test
    void aStubAnswersWithItsArgumentsOrItsResultAndIsCalledNoSecondTimeInDoubt() throws IOException {
        Tools tools = read("tools: {pay: {stub: echo}, free: {stub: fixed, result: {ok: [1, null]}}}");
        assertThat(tools.names()).containsExactly("free", "pay");
        assertThat(call(tools, "pay")).isEqualTo(json("{\"amount\": 3}"));
        assertThat(call(tools, "free")).isEqualTo(json("{\"ok\": [1, null]}"));
        assertThat(tools.find("pay").orElseThrow().idempotent()).isFalse();
        assertThat(tools.find("free").orElseThrow().idempotent()).isFalse();
    }

    @Test
    void aUrlIsPostedToWithTheHeadersOfTheEnvironmentForTenSecondsUnlessItSaysOtherwise() throws IOException {
        Tools tools = read("""
                tools:
                  notify:
                    url: https://hooks.example.com/notify
                    headers: {Authorization: NOTIFY_AUTHORIZATION}
                  look: {url: "https://hooks.example.com/look", method: get, idempotent: true, timeout_seconds: 60}
                """);
        assertThat(call(tools, "notify")).isEqualTo(json("{\"ok\": true}"));
        assertThat(tools.find("notify").orElseThrow().idempotent()).isFalse();
        EgressRequest notify = sent.get(0);
        assertThat(notify.method()).isEqualTo("POST");
        assertThat(notify.uri()).hasToString("https://hooks.example.com/notify");
        assertThat(notify.headers()).containsEntry("Authorization", SECRET);
        assertThat(notify.timeout()).isEqualTo(Duration.ofSeconds(10));

        call(tools, "look");
        assertThat(tools.find("look").orElseThrow().idempotent()).isTrue();
        EgressRequest look = sent.get(1);
        assertThat(look.method()).isEqualTo("GET");
        assertThat(look.uri()).hasToString("https://hooks.example.com/look?amount=3");
        assertThat(look.headers()).doesNotContainKey("Authorization");
        assertThat(look.timeout()).isEqualTo(Duration.ofSeconds(60));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tools: {pay: {}}                                                 | `pay` needs a `url`, or `stub: echo` or `stub: fixed`",
                "tools: {pay: }                                                   | `pay` needs a `url`, or `stub: echo` or `stub: fixed`",
                "tools: {pay: {stub: echo, url: 'https://a.example/'}}            | `pay` needs a `url`, or `stub: echo` or `stub: fixed`",
                "tools: {pay: {stub: loud}}                                       | `pay`: `stub` is echo or fixed",
                "tools: {pay: {stub: fixed}}                                      | `pay`: `stub: fixed` needs a `result`",
                "tools: {pay: {stub: echo, retries: 3}}                           | retries",
                "tool: {pay: {stub: echo}}                                        | tool",
                "tools: {pay: {stub: echo}, pay: {stub: echo}}                    | pay",
                "tools: {pay: {url: 'https://a.example/', method: PUT}}           | `pay`: `method` is GET or POST",
                "tools: {pay: {url: 'https://a.example/', timeout_seconds: 0}}    | `pay`: `timeout_seconds` is 1 to 60",
                "tools: {pay: {url: 'https://a.example/', timeout_seconds: 61}}   | `pay`: `timeout_seconds` is 1 to 60",
                "tools: {pay: {url: 'https://a.example/', timeout_seconds: 1.5}}  | timeout_seconds",
                "tools: {pay: {url: 'https://a.example/', timeout_seconds: soon}} | timeout_seconds",
                "tools: {pay: {url: 'https://a.example/', idempotent: perhaps}}   | idempotent",
                "tools: {pay: {url: '/pay'}}                                      | pay",
                "tools: {pay: {url: 'https://a b/'}}                              | url",
                "tools: {pay: {url: 'https://me:word@a.example/'}}                | pay",
                "tools: {pay: {url: 'https://a.example/', headers: {A: NO_SUCH}}} | `pay`: the environment has no `NO_SUCH`, which holds the header `A`",
                "tools: {pay: {url: 'https://a.example/', headers: {A: EMPTY}}}   | `pay`: the environment has no `EMPTY`, which holds the header `A`",
                "tools: {pay: {url: 'https://a.example/', headers: {A: }}}        | `pay`: the header `A` needs the name of an environment variable",
                "tools: {pay: {url: 'https://a.example/', headers: {Host: NOTIFY_AUTHORIZATION}}} | Host",
                "tools: {pay: {url: 'https://a.example/', headers: NOTIFY_AUTHORIZATION}} | headers",
                "tools: [pay]                                                     | tools",
                "'tools: {pay: {stub: echo}'                                      | tools.yaml",
                "just words                                                       | tools.yaml",
            })
    void aMistakeIsNamedWithTheFileAndWhereItIs(String text, String said) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(directory.resolve("tools.yaml").toString())
                .hasMessageContaining(said);
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        Path missing = directory.resolve("missing.yaml");
        assertThatThrownBy(() -> ToolFile.read(missing, egress, ENV, InstantSource.fixed(NOW)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(missing + " cannot be read: there is no such file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{headers: {Authorization: '" + SECRET + "'}, url: 'https://a.example/'}",
                "{headers: {Authorization: ['" + SECRET + "']}, url: 'https://a.example/'}",
                "{headers: '" + SECRET + "', url: 'https://a.example/'}",
                "{url: 'https://me:" + SECRET + "@a.example/'}",
                "{url: 'https://me:s3cret-of-the-bank@a.example/'}",
                "{url: 'https://a.example/', method: PUT, headers: {Authorization: NOTIFY_AUTHORIZATION}}",
                "{url: 'https://a.example/', headers: {Host: NOTIFY_AUTHORIZATION}}"
            })
    void noMistakeTellsASecretEvenOneThatWasWrittenWhereItDoesNotBelong(String tool) {
        Throwable refused = catchThrowable(() -> read("tools: {pay: " + tool + "}"));
        assertThat(refused).isInstanceOf(IllegalArgumentException.class);
        var trace = new StringWriter();
        refused.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString()).doesNotContain("s3cret");
    }

    @Test
    void noToolAndNoRequestTellsItsSecret() throws IOException {
        Tools tools = read("tools: {pay: {url: 'https://a.example/', headers: {Authorization: NOTIFY_AUTHORIZATION}}}");
        call(tools, "pay");
        assertThat(sent.get(0).headers()).containsValue(SECRET);
        assertThat(tools + " " + tools.find("pay").orElseThrow() + " " + sent).doesNotContain("s3cret");
    }
}
