package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.identity.ApiKey;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in, and what comes back with every answer. */
@ExtendWith(PostgresExtension.class)
class CallersTest {
    private static final String EVALUATION = "/access/v1/evaluation";
    private static final String POLICY = "/v1/policy/evaluate";
    private static final List<String> DECIDING = List.of(EVALUATION, "/access/v1/evaluations", POLICY);
    private static final List<String> READING =
            List.of("/api/v1/decisions", "/api/v1/decisions/x", "/api/v1/decisions/x/explain");
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

    private static Reply post(String path, String authorization, String body) {
        return server.send(server.request(path)
                .header("Content-Type", "application/json")
                .header("Authorization", authorization)
                .POST(BodyPublishers.ofString(body)));
    }

    private static void unauthorized(Reply reply, String path) {
        failed(reply, path, 401);
        assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer");
    }

    @Test
    void withoutAKeyNothingButHealthMetadataAndDocumentationIsOpen() {
        for (String path : DECIDING) {
            unauthorized(
                    server.send(server.request(path)
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString(GOOD))),
                    path);
        }
        READING.forEach(path -> unauthorized(server.get(path), path));
        unauthorized(server.get("/metrics"), "/metrics");
        for (String open :
                List.of("/healthz", "/readyz", "/.well-known/authzen-configuration", "/openapi.yaml", "/docs")) {
            assertThat(server.get(open).status()).as(open).isEqualTo(200);
        }
    }

    @Test
    void aKeyThatIsNoneIsRefusedHoweverMuchItLooksLikeOne() {
        String key = server.key("agent");
        String never = ApiKey.draw(new SecureRandom()).secret();
        String visible = key.substring(0, 12);
        for (String wrong : List.of(
                "Bearer " + never,
                "Bearer " + key + "x",
                "Bearer " + key.substring(0, key.length() - 1),
                "Bearer " + key.toUpperCase(java.util.Locale.ROOT),
                "Bearer " + visible,
                "Bearer " + visible + never.substring(12),
                "Bearer",
                "Bearer ",
                "Basic " + key,
                "Basic YWdlbnQ6YWdlbnQ=",
                "Token " + key,
                key)) {
            DECIDING.forEach(path -> unauthorized(post(path, wrong, GOOD), path));
        }
    }

    @Test
    void theSchemeIsReadInAnyCase() {
        assertThat(post(EVALUATION, "bearer " + server.key("agent"), GOOD).decision())
                .isTrue();
    }

    @Test
    void aRevokedKeyStopsWorkingByItself() {
        ApiKey key = server.addKey("demo", "short-lived", "decide");
        assertThat(post(EVALUATION, "Bearer " + key.secret(), GOOD).decision()).isTrue();
        server.revoke(key);
        RunningServer.until(
                "the revoked key is refused",
                () -> post(EVALUATION, "Bearer " + key.secret(), GOOD).status() == 401);
        unauthorized(post(EVALUATION, "Bearer " + key.secret(), GOOD), EVALUATION);
    }

    @ParameterizedTest
    @ValueSource(strings = {"operator", "author", "publisher", "admin"})
    void onlyAKeyThatMayDecideIsAnsweredWithADecision(String name) {
        for (String path : DECIDING) {
            Reply reply = post(path, "Bearer " + server.key(name), GOOD);
            failed(reply, path, 403);
            assertThat(reply.body()).contains(server.key(name).substring(0, 12)).doesNotContain(server.key(name));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"operator", "agent", "alice", "author", "publisher"})
    void onlyAuditorsAndAdministratorsReadTheRecord(String name) {
        READING.forEach(path -> failed(server.get(path, server.key(name)), path, 403));
    }

    @Test
    void theOperatorAloneReadsMetrics() {
        assertThat(server.get("/metrics", server.key("operator")).status()).isEqualTo(200);
        for (String name : List.of("agent", "admin", "alice")) {
            failed(server.get("/metrics", server.key(name)), "/metrics", 403);
        }
    }

    @Test
    void aKeyIsRefusedBeforeItsBodyIsJudged() {
        unauthorized(post(EVALUATION, "Bearer nobody", "{"), EVALUATION);
        failed(post(EVALUATION, "Bearer " + server.key("admin"), "{"), EVALUATION, 403);
    }

    @Test
    void theRequestIdComesBackWithEveryAnswer() {
        String agent = server.key("agent");
        assertThat(echo(EVALUATION, agent, GOOD, "id 1/ä".replace("ä", "~"))).isEqualTo("200 id 1/~");
        assertThat(echo(EVALUATION, agent, "{", "id-2")).isEqualTo("400 id-2");
        assertThat(echo(POLICY, "nobody", GOOD, "id-3")).isEqualTo("401 id-3");
        assertThat(echo(POLICY, server.key("admin"), GOOD, "id-4")).isEqualTo("403 id-4");
        assertThat(echo("/nothing", agent, GOOD, "id-5")).isEqualTo("404 id-5");
        assertThat(echo("/healthz", agent, GOOD, "id-6")).isEqualTo("405 id-6");
        assertThat(echo(POLICY, agent, "x".repeat(2 << 20), "id-7")).isEqualTo("413 id-7");
        assertThat(echo(EVALUATION, agent, GOOD, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))
                .isEqualTo("200 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
    }

    @Test
    void aRequestIdOfUpTo256CharactersComesBackAndALongerOneDoesNot() {
        String agent = server.key("agent");
        String longest = "x".repeat(256);
        assertThat(echo(EVALUATION, agent, GOOD, longest)).isEqualTo("200 " + longest);
        assertThat(echo(EVALUATION, agent, GOOD, longest + "x")).isEqualTo("200 ");
    }

    private static String echo(String path, String key, String body, String id) {
        Reply reply = server.send(server.request(path, key)
                .header("Content-Type", "application/json")
                .header("X-Request-ID", id)
                .POST(BodyPublishers.ofString(body)));
        return reply.status() + " " + reply.header("X-Request-ID");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a\rSet-Cookie: x=y",
                "a\nSet-Cookie: x=y",
                "a\r\n Set-Cookie: x=y",
                "a\u0000b",
                "a\u007fb",
                "a\tb",
                "\u00e5\u0098\u008aSet-Cookie: x=y",
                "\u00e9"
            })
    void anOddRequestIdNeverBecomesAHeaderOfItsOwnNorComesBack(String id) throws IOException {
        String answer =
                server.raw("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: " + id + "\r\nConnection: close\r\n\r\n");
        String head = answer.substring(0, answer.indexOf("\r\n\r\n"));
        assertThat(head.lines()).noneMatch(line -> line.startsWith("Set-Cookie"));
        // Obsolete line folding is one line with a space in it, and so is as good as any other.
        if (!id.contains("\r\n ")) {
            assertThat(head).doesNotContainIgnoringCase("x-request-id");
        }
    }
}
