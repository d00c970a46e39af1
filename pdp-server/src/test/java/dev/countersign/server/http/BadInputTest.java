package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is no request gets an error that helps its sender, shows nothing of the inside, and holds no decision. */
@ExtendWith(PostgresExtension.class)
class BadInputTest {
    private static final String EVALUATION = "/access/v1/evaluation";
    private static final String POLICY = "/v1/policy/evaluate";
    private static final List<String> PATHS = List.of(EVALUATION, "/access/v1/evaluations", POLICY);

    private static final String GOOD = """
            {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1"}}""";

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** An error of the kind that the path has, with nothing of the inside. */
    static void failed(Reply reply, String path, int status) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        if (path.startsWith("/access/")) {
            assertThat(reply.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        } else {
            assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
            assertThat(reply.json().path("status").asInt()).isEqualTo(status);
            assertThat(reply.json().path("type").asText()).startsWith("urn:countersign:problem:");
            assertThat(reply.json().path("title").asText()).isNotEmpty();
            assertThat(reply.json().path("detail").asText()).isNotEmpty();
        }
        assertThat(reply.body())
                .isNotBlank()
                .doesNotContain("\"decision\"", "Exception", "\tat ", ".java", "com.fasterxml", "io.vertx", "dev.coun")
                .doesNotContain("JsonNode", "DeserializationFeature", "StreamRead");
    }

    private static final List<String> NOT_JSON = List.of(
            "",
            " ",
            "{",
            "{\"subject\": }",
            "nope",
            "'x'",
            "{\"a\": 1,}",
            "{\"a\": NaN}",
            "{\"a\": 01}",
            "// comment\n{}",
            "\u0000",
            GOOD + "x",
            GOOD + GOOD,
            GOOD + "]");

    static Stream<Arguments> notJson() {
        return PATHS.stream().flatMap(path -> NOT_JSON.stream().map(body -> Arguments.of(path, body)));
    }

    @ParameterizedTest
    @MethodSource("notJson")
    void whatIsNotOneJsonValueIsABadRequest(String path, String body) {
        failed(server.post(path, body), path, 400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "[{}]", "\"x\"", "1", "true", "null"})
    void aBodyMustBeAnObject(String body) {
        PATHS.forEach(path -> failed(server.post(path, body), path, 400));
    }

    private static final List<String> DUPLICATES = List.of("""
            {"subject": {"type": "user", "id": "bob"}, "subject": {"type": "user", "id": "alice"},
             "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}""", """
            {"subject": {"type": "user", "id": "mallory", "id": "alice"},
             "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}""", """
            {"subject": {"type": "user", "id": "alice", "properties": {"role": "x", "r\\u006fle": "admin"}},
             "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}""", """
            {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1"}, "context": {"list": [{"deep": {"a": 1, "a": 2}}]}}""", """
            {"evaluations": [{"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1", "id": "record-1"}}]}""");

    @ParameterizedTest
    @FieldSource("DUPLICATES")
    void duplicateMembersAreABadRequestOnEveryLevel(String body) {
        PATHS.forEach(path -> failed(server.post(path, body), path, 400));
    }

    @Test
    void nestingOfSixtyFourLevelsIsABadRequest() {
        String arrays = "[".repeat(64) + "]".repeat(64);
        String objects = "{\"a\":".repeat(64) + "1" + "}".repeat(64);
        for (String deep : List.of(arrays, objects)) {
            String body = GOOD.substring(0, GOOD.length() - 1) + ", \"context\": {\"deep\": " + deep + "}}";
            PATHS.forEach(path -> failed(server.post(path, body), path, 400));
        }
    }

    @Test
    void aBodyOfFiveMegabytesIsRefused() {
        String body = GOOD.substring(0, GOOD.length() - 1) + ", \"padding\": \"" + "x".repeat(5 << 20) + "\"}";
        for (String path : PATHS) {
            Reply reply = server.post(path, body);
            failed(reply, path, path.startsWith("/access/") ? 400 : 413);
            assertThat(reply.body()).contains("1048576");
        }
    }

    @Test
    void aChunkedBodyIsNotReadWithoutEnd() throws IOException {
        try (Socket socket = server.socket()) {
            var out = socket.getOutputStream();
            out.write(("POST " + EVALUATION + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + server.key("agent")
                            + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .getBytes(ISO_8859_1));
            String chunk = "8000\r\n" + "x".repeat(0x8000) + "\r\n";
            for (int i = 0; i < 40; i++) {
                out.write(chunk.getBytes(ISO_8859_1));
            }
            out.flush();
            byte[] start = socket.getInputStream().readNBytes(12);
            assertThat(new String(start, ISO_8859_1)).isEqualTo("HTTP/1.1 400");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text/plain", "text/json", "application/jsonx", "application/x-www-form-urlencoded", "json", ";"
            })
    void anotherContentTypeIs400OnAuthzenPathsAnd415Elsewhere(String type) {
        for (String path : PATHS) {
            Reply reply = server.send(server.request(path, server.key("agent"))
                    .header("Content-Type", type)
                    .POST(BodyPublishers.ofString(GOOD)));
            failed(reply, path, path.startsWith("/access/") ? 400 : 415);
        }
    }

    @Test
    void aMissingContentTypeIsRefusedToo() {
        for (String path : PATHS) {
            Reply reply = server.send(server.request(path, server.key("agent")).POST(BodyPublishers.ofString(GOOD)));
            failed(reply, path, path.startsWith("/access/") ? 400 : 415);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json; charset=utf-8",
                "application/json;charset=UTF-8",
                "Application/JSON",
                "application/json ; v=1"
            })
    void parametersAndCaseOfTheContentTypeDoNotMatter(String type) {
        Reply reply = server.send(server.request(EVALUATION, server.key("agent"))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(GOOD)));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isTrue();
    }

    static List<Arguments> wrongTypes() {
        var cases = new ArrayList<Arguments>();
        for (String entity : List.of("subject", "action", "resource")) {
            for (String value : List.of("null", "1", "true", "[]", "{}", "[{}]")) {
                cases.add(Arguments.of("/" + entity, value));
            }
            for (String value : List.of("1", "true", "[]", "\"x\"")) {
                cases.add(Arguments.of("/" + entity + "/properties", value));
            }
        }
        for (String member :
                List.of("/subject/type", "/subject/id", "/action/name", "/resource/type", "/resource/id")) {
            for (String value : List.of("null", "1", "true", "[]", "{}", "[\"alice\"]")) {
                cases.add(Arguments.of(member, value));
            }
        }
        for (String value : List.of("1", "true", "[]", "\"x\"")) {
            cases.add(Arguments.of("/context", value));
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("wrongTypes")
    void aMemberOfAnotherTypeIsABadRequestThatNamesIt(String member, String value) {
        var body = (ObjectNode) Reply.parse(GOOD);
        int slash = member.lastIndexOf('/');
        ((ObjectNode) body.at(member.substring(0, slash))).set(member.substring(slash + 1), Reply.parse(value));
        Reply reply = server.post(EVALUATION, body.toString());
        failed(reply, EVALUATION, 400);
        assertThat(reply.body()).contains(member.substring(1).replace('/', '.'));
    }

    @Test
    void aStringIsNoEntityOnAuthzenPathsThoughThePolicyApiTakesItForActionAndResource() {
        for (String entity : List.of("subject", "action", "resource")) {
            var body = (ObjectNode) Reply.parse(GOOD);
            body.put(entity, "x");
            failed(server.post(EVALUATION, body.toString()), EVALUATION, 400);
            Reply reply = server.post(POLICY, body.toString());
            assertThat(reply.status()).as(entity).isEqualTo(entity.equals("subject") ? 400 : 200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "\\uDBFFx", "x\\ud83d\\ud83d", "\\ude00\\ud83d"})
    void halfASurrogatePairIsABadRequestInValuesAndNames(String half) {
        String id = GOOD.replace("\"alice\"", "\"alice" + half + "\"");
        String name = GOOD.replace("\"name\"", "\"" + half + "\": 1, \"name\"");
        for (String body : List.of(id, name)) {
            failed(server.post(EVALUATION, body), EVALUATION, 400);
        }
    }

    @Test
    void wholeSurrogatePairsArePartOfAnId() {
        Reply reply = server.post(EVALUATION, GOOD.replace("alice", "\\ud83d\\ude00"));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u00ff",
                "\u00c3(",
                "\u00ed\u00a0\u0080",
                "\u00f5\u0080\u0080\u0080",
                "\u00c0\u0080",
                "\u00c1\u00a1lice"
            })
    void bytesThatAreNotUtf8AreABadRequest(String bytes) {
        Reply reply = bytes(GOOD.replace("alice", bytes).getBytes(ISO_8859_1));
        failed(reply, EVALUATION, 400);
    }

    @Test
    void textInAnotherEncodingIsABadRequest() {
        failed(bytes(GOOD.getBytes(UTF_16)), EVALUATION, 400);
    }

    @Test
    void aByteOrderMarkIsABadRequest() {
        PATHS.forEach(path -> failed(server.post(path, "\uFEFF" + GOOD), path, 400));
    }

    private static Reply bytes(byte[] body) {
        return server.send(server.request(EVALUATION, server.key("agent"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body)));
    }

    @Test
    void anIdWithNulIsJustAnotherIdAndReachesTheRecord() {
        Reply reply = server.post(EVALUATION, GOOD.replace("alice", "alice\\u0000"));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.decision()).isFalse();
        String id = reply.json().at("/context/evaluation_id").asText();
        RunningServer.until("the decision is in the table", () -> {
            Reply record = server.get("/api/v1/decisions/" + id, server.key("admin"));
            return record.status() == 200
                    && record.json().at("/subject/id").asText().equals("alice\u0000");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e400", "-1e400", "1e999999999", "123456789012345678901234567890e300"})
    void aNumberBeyondTheRangeOfDoublesIsABadRequest(String number) {
        for (String body : List.of(
                GOOD.replace("\"name\"", "\"properties\": {\"amount\": " + number + "}, \"name\""),
                GOOD.substring(0, GOOD.length() - 1) + ", \"context\": {\"list\": [" + number + "]}}")) {
            PATHS.forEach(path -> failed(server.post(path, body), path, 400));
        }
    }

    @Test
    void aNumberOfManyDigitsDoesNotKeepTheServerBusy() {
        String digits = "9".repeat(500_000);
        failed(server.post(EVALUATION, GOOD.replace("\"read\"", digits)), EVALUATION, 400);
    }

    @Test
    void unknownMembersAreIgnoredEverywhere() {
        String body = """
                {"x": null, "subject": {"x": 1, "type": "user", "id": "alice", "properties": {"x": [1, {}]}},
                 "action": {"x": {}, "name": "read"}, "resource": {"type": "record", "x": [], "id": "record-1"},
                 "context": {"x": {"y": null}}, "$schema": "x", "": 1}""";
        assertThat(server.post(EVALUATION, body).decision()).isTrue();
        assertThat(server.post("/access/v1/evaluations", body).decision()).isTrue();
        assertThat(server.post(POLICY, body).json().path("decision").asText()).isEqualTo("allow");
    }

    @Test
    void whatIsNotThereIs404AndAnotherMethodIs405WithTheOneThatIs() {
        for (String path :
                List.of("/", "/nothing", "/access/v1/nothing", "/docs/nothing.js", "/docs/..%2fopenapi.yaml")) {
            failed(server.get(path), path, 404);
        }
        for (String path : List.of(EVALUATION, POLICY, EVALUATION + "/")) {
            Reply reply = server.get(path);
            failed(reply, path, 405);
            assertThat(reply.header("Allow")).isEqualTo("POST");
        }
        Reply posted = server.post("/healthz", "{}");
        failed(posted, "/healthz", 405);
        assertThat(posted.header("Allow")).isEqualTo("GET");
    }

    @Test
    void trailingSlashesAreAccepted() {
        assertThat(server.post(EVALUATION + "/", GOOD).decision()).isTrue();
        assertThat(server.get("/healthz/").status()).isEqualTo(200);
    }

    @Test
    void clientsThatSendHalfARequestKeepNobodyElseWaiting() throws IOException {
        var slow = new ArrayList<Socket>();
        try {
            for (int i = 0; i < 20; i++) {
                Socket socket = server.socket();
                slow.add(socket);
                String head = "POST " + EVALUATION + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type:";
                String text = i % 2 == 0 ? head : head + " application/json\r\n\r\n{\"subject\"";
                socket.getOutputStream().write(text.getBytes(ISO_8859_1));
                socket.getOutputStream().flush();
            }
            for (int i = 0; i < 50; i++) {
                assertThat(server.post(EVALUATION, GOOD).decision()).isTrue();
            }
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }
}
