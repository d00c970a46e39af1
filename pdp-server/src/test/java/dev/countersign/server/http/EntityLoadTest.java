package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Managing.KEYS;
import static dev.countersign.server.http.Managing.made;
import static dev.countersign.server.http.Managing.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many entities come in as lines, and the answer tells how it goes. */
@ExtendWith(PostgresExtension.class)
class EntityLoadTest {
    private static final String ENTITIES = "/api/v1/entities";

    private static Cable cable;
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) throws IOException {
        cable = new Cable(database.host(), database.port());
        server = RunningServer.start(database, cable.port(), Map.of(), RunningServer.checkout("rules/packs/base"));
    }

    @AfterEach
    void mend() {
        cable.mend();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        cable.close();
    }

    private static Reply load(String secret, String lines) {
        return server.send(server.request(ENTITIES, secret)
                .header("Content-Type", "application/x-ndjson")
                .POST(BodyPublishers.ofString(lines)));
    }

    private static JsonNode last(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        List<JsonNode> lines = reply.lines();
        assertThat(lines.subList(0, lines.size() - 1)).noneMatch(line -> line.has("done"));
        return lines.get(lines.size() - 1);
    }

    private static String line(String type, int id, String more) {
        return "{\"type\":\"" + type + "\",\"id\":\"" + id + "\"" + more + "}\n";
    }

    private static JsonNode get(String secret, String path) {
        Reply reply = server.get(ENTITIES + path, secret);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void thousandsOfLinesAreStoredAndEveryMistakeIsSaidWithItsLine() {
        String admin = tenant(server, "thousands");
        var lines = new StringBuilder();
        for (int i = 1; i <= 6_000; i++) {
            lines.append(
                    switch (i % 1_000) {
                        case 7 -> "\n";
                        case 500 -> "nonsense\n";
                        case 501 -> line("user", i, ",\"rolls\":[]");
                        default ->
                            line(
                                    "user",
                                    i,
                                    ",\"attributes\":{\"n\":" + i + ",\"text\":\"" + "x".repeat(i % 200)
                                            + "\"},\"roles\":[\"r" + i % 7 + "\"],\"owner\":\"bo\"");
                    });
        }
        Reply reply = load(admin, lines.toString());
        JsonNode last = last(reply);
        assertThat(last.path("done").asBoolean()).isTrue();
        assertThat(last.path("lines").asInt()).isEqualTo(6_000);
        assertThat(last.path("refused").asInt()).isEqualTo(12);
        assertThat(last.path("stored").asInt()).isEqualTo(6_000 - 12 - 6);
        assertThat(last.path("mistakes"))
                .extracting(mistake -> mistake.path("line").asInt())
                .containsExactly(500, 501, 1500, 1501, 2500, 2501, 3500, 3501, 4500, 4501, 5500, 5501);
        assertThat(last.path("mistakes").get(0).path("message").asText()).contains("not valid JSON at column 1");
        assertThat(last.path("mistakes").get(1).path("message").asText()).contains("no member `rolls`");
        assertThat(reply.lines()).as("it tells how it goes").hasSizeGreaterThan(2);
        JsonNode one = get(admin, "/user/5999");
        assertThat(one.at("/attributes/n").asInt()).isEqualTo(5_999);
        assertThat(one.path("roles").toString()).isEqualTo("[\"r0\"]");
        assertThat(one.path("owner").asText()).isEqualTo("bo");
    }

    @Test
    void ofTwoLinesForOneEntityTheLastCounts() {
        String admin = tenant(server, "twice");
        JsonNode last = last(load(
                admin,
                line("user", 1, ",\"attributes\":{\"a\":1}")
                        + line("user", 2, "")
                        + line("user", 1, ",\"attributes\":{\"a\":2}").trim()));
        assertThat(last.path("stored").asInt()).isEqualTo(3);
        assertThat(get(admin, "/user/1").at("/attributes/a").asInt()).isEqualTo(2);
    }

    @Test
    void aLoadThatIsRepeatedChangesNothing() {
        String admin = tenant(server, "again");
        String lines = line("user", 1, ",\"roles\":[\"a\"]") + line("user", 2, "");
        last(load(admin, lines));
        JsonNode before = get(admin, "/user/1");
        assertThat(last(load(admin, lines)).path("stored").asInt()).isEqualTo(2);
        assertThat(get(admin, "/user/1")).isEqualTo(before);
    }

    @Test
    void onlyAnAdministratorLoadsRelations() {
        String admin = tenant(server, "relations");
        String writer = made(server.post(KEYS, admin, "{\"name\": \"w\", \"roles\": [\"policy.write\"]}"))
                .path("secret")
                .asText();
        last(load(admin, line("user", 1, ",\"roles\":[\"boss\"]") + line("user", 2, ",\"owner\":\"bo\"")));
        JsonNode last = last(load(
                writer,
                line("user", 1, ",\"roles\":[\"boss\"],\"attributes\":{\"a\":1}")
                        + line("user", 2, ",\"attributes\":{\"a\":1}")
                        + line("user", 3, ",\"groups\":[\"g\"]")
                        + line("user", 4, ",\"attributes\":{\"a\":1}")));
        assertThat(last.path("stored").asInt()).isEqualTo(2);
        assertThat(last.path("mistakes"))
                .extracting(mistake -> mistake.path("line").asInt())
                .containsExactly(2, 3);
        assertThat(get(admin, "/user/2").path("owner").asText()).isEqualTo("bo");
        assertThat(get(admin, "/user/4").at("/attributes/a").asInt()).isEqualTo(1);
        failed(server.get(ENTITIES + "/user/3", admin), ENTITIES, 404);
    }

    @Test
    void aLineThatIsTooLongIsLeftOutAndTheNextIsRead() {
        String admin = tenant(server, "long");
        JsonNode last = last(load(
                admin, line("user", 1, "") + "x".repeat(3 << 20) + "\n" + line("user", 2, "") + "y".repeat(2 << 20)));
        assertThat(last.path("lines").asInt()).isEqualTo(4);
        assertThat(last.path("stored").asInt()).isEqualTo(2);
        assertThat(last.path("mistakes"))
                .extracting(mistake -> mistake.path("line").asInt())
                .containsExactly(2, 4);
    }

    @Test
    void anotherSpellingOfThePathIsTheSameLoad() {
        Reply reply = server.send(server.request("/api/v1//entities/", server.key("admin"))
                .header("Content-Type", "application/x-ndjson")
                .POST(BodyPublishers.ofString(line("user", 1, ""))));
        assertThat(last(reply).path("stored").asInt()).isEqualTo(1);
    }

    @Test
    void aLoadOfNothingIsDone() {
        JsonNode last = last(load(server.key("admin"), ""));
        assertThat(last.path("done").asBoolean()).isTrue();
        assertThat(last.path("lines").asInt()).isZero();
    }

    @Test
    void aLoadNeedsARoleAndLines() {
        failed(load(server.key("agent"), line("user", 1, "")), ENTITIES, 403);
        failed(load("csk_nobody", line("user", 1, "")), ENTITIES, 401);
        failed(server.post(ENTITIES, server.key("admin"), "{\"type\": \"user\", \"id\": \"1\"}"), ENTITIES, 415);
    }

    @Test
    void withoutTheDatabaseALoadSaysSo() {
        cable.cut();
        failed(load(server.key("admin"), line("user", 1, "")), ENTITIES, 503);
    }

    /** Sends a megabyte and more, reads nothing meanwhile, and is told in the end all the same. */
    @Test
    void aClientThatReadsLateHoldsUpNothing() throws IOException {
        String admin = tenant(server, "late");
        try (Socket socket = server.socket()) {
            OutputStream out = socket.getOutputStream();
            out.write(
                    ("POST " + ENTITIES + "/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + admin
                                    + "\r\nContent-Type: application/x-ndjson; charset=utf-8\r\nExpect: 100-continue\r\n"
                                    + "Transfer-Encoding: chunked\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            out.flush();
            InputStream in = socket.getInputStream();
            var first = new String(in.readNBytes("HTTP/1.1 100 Continue".length()), StandardCharsets.US_ASCII);
            assertThat(first).isEqualTo("HTTP/1.1 100 Continue");
            for (int i = 0; i < 4_000; i++) {
                byte[] line = line("user", i, ",\"attributes\":{\"a\":\"" + "x".repeat(300) + "\"}")
                        .getBytes(StandardCharsets.UTF_8);
                out.write((Integer.toHexString(line.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                out.write(line);
                out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
            }
            out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            String answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).contains("\"lines\":4000,\"stored\":4000,\"refused\":0,\"done\":true,\"mistakes\":[]");
        }
        assertThat(get(admin, "/user/3999").path("id").asText()).isEqualTo("3999");
    }

    @Test
    void aLoadThatLosesTheDatabaseSaysHowFarItCame() throws IOException {
        String admin = tenant(server, "lost");
        try (Socket socket = server.socket()) {
            OutputStream out = socket.getOutputStream();
            out.write(("POST " + ENTITIES + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
                            + admin + "\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000000\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            byte[] part = line("user", 1, ",\"attributes\":{\"a\":\"" + "x".repeat(1_000) + "\"}")
                    .repeat(1_000)
                    .getBytes(StandardCharsets.UTF_8);
            out.write(part);
            out.flush();
            var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String said = in.readLine();
            while (!said.contains("\"stored\"")) {
                said = in.readLine();
            }
            cable.cut();
            out.write(part);
            out.flush();
            while (!said.contains("\"done\"")) {
                said = in.readLine();
            }
            assertThat(said)
                    .contains("\"done\":false", "urn:countersign:problem:database_away", "send all of them again");
        }
    }
}
