package dev.countersign.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.Reply;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a shell sees them: what they print, where to, and how they exit. */
class CliTest {
    private static final String CERTIFICATION =
            RunningServer.checkout("examples/authzen-certification").toString();
    private static final String AIRLINE =
            RunningServer.checkout("examples/airline").toString();
    private static final String GOOD = "{\"subject\": {\"type\": \"user\", \"id\": \"alice\"},"
            + " \"action\": {\"name\": \"read\"}, \"resource\": {\"type\": \"record\", \"id\": \"record-1\"}}";

    @TempDir
    private Path directory;

    record Ran(int code, String out, String err) {}

    static Ran run(String... args) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        var printed = new ByteArrayOutputStream();
        var complained = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, UTF_8));
            System.setErr(new PrintStream(complained, true, UTF_8));
            return new Ran(Main.run(args), printed.toString(UTF_8), complained.toString(UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private String file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content).toString();
    }

    private String broken() throws IOException {
        Path pack = Files.createDirectory(directory.resolve("broken"));
        RunningServer.pack(
                pack,
                "name: broken\nversion: 1.0.0\n",
                "package broken\n\nrule \"x\"\nwhen Request( nothing == 1 )\nthen decision.allow(\"A\"); end\n");
        return pack.toString();
    }

    @Test
    void checkNamesEveryPackOnceWithItsDigest() {
        Ran ran = run("check", CERTIFICATION, AIRLINE);
        assertThat(ran.code()).isZero();
        assertThat(ran.out().lines()).hasSize(2);
        assertThat(ran.out()).contains("authzen-certification 1.0.0: 4 rules, digest ", "airline 2.0.0: ");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void checkExitsWith1AndSaysWhereTheMistakeIs() throws IOException {
        Ran ran = run("check", broken());
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("rules.drl:4:", "error", "nothing");
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void testExitsWith0WhenAllCasesPassAndWith2WhenOneFails() throws IOException {
        assertThat(run("test", CERTIFICATION).code()).isZero();
        Path pack =
                Files.createDirectories(directory.resolve("failing/scenarios")).getParent();
        RunningServer.pack(
                pack,
                "name: failing\nversion: 1.0.0\n",
                "package failing\n\nrule \"x\"\nwhen Request( action == \"a\" )\nthen decision.allow(\"A\"); end\n");
        Files.writeString(pack.resolve("scenarios/s.yaml"), """
                suite: s
                clock: 2026-03-02T09:00:00Z
                fixtures:
                  subjects: {u: {type: user, id: u}}
                  actions: {b: {name: b}}
                  resources: {r: {type: thing, id: r}}
                defaults: {subject: u, action: b, resource: r}
                cases:
                  - {name: it is allowed, expect: {decision: allow}}
                """);
        Ran ran = run("test", pack.toString());
        assertThat(ran.code()).as(ran.out() + ran.err()).isEqualTo(2);
        assertThat(ran.out()).contains("it is allowed");
    }

    @Test
    void evalPrintsOneAnswerALineInTheOrderOfTheRequests() throws IOException {
        String requests = file(
                "requests.jsonl", GOOD + "\n" + GOOD.replace("alice", "mallory") + "\n" + GOOD.replace("alice", "bob"));
        Ran ran = run("eval", "--packs", CERTIFICATION, "--jsonl", requests);
        assertThat(ran.code()).isZero();
        assertThat(ran.out().lines().map(Reply::parse).map(Reply::decision)).containsExactly(true, false, true);
    }

    @Test
    void evalAnswersABadLineWithAnErrorInItsPlaceGoesOnAndExitsWith1() throws IOException {
        String requests = file("requests.jsonl", GOOD + "\n{\"subject\": 1}\nnope\n\n" + GOOD + "\n");
        Ran ran = run("eval", "--packs", CERTIFICATION, "--jsonl", requests);
        assertThat(ran.code()).isEqualTo(1);
        List<JsonNode> answers = ran.out().lines().map(Reply::parse).toList();
        assertThat(answers).hasSize(5);
        assertThat(Reply.decision(answers.get(0))).isTrue();
        assertThat(Reply.decision(answers.get(4))).isTrue();
        for (JsonNode wrong : answers.subList(1, 4)) {
            assertThat(wrong.has("decision")).isFalse();
            assertThat(wrong.at("/error/status").asInt()).isEqualTo(400);
            assertThat(wrong.at("/error/message").asText()).isNotEmpty();
        }
    }

    @Test
    void evalAndExplainKnowTheEntitiesOfThePacksAndBelieveNoCaller() throws IOException {
        Path pack = Files.createDirectories(directory.resolve("staff/entities")).getParent();
        RunningServer.pack(
                pack,
                "name: staff\nversion: 1.0.0\n",
                "package staff\n\nrule \"x\"\nwhen Request( roles contains \"boss\" )\nthen decision.allow(\"A\"); end\n");
        Files.writeString(
                pack.resolve("entities/users.jsonl"),
                "{\"type\": \"user\", \"id\": \"alice\", \"roles\": [\"boss\"]}\n");
        String claims = GOOD.replace("\"alice\"", "\"bob\", \"properties\": {\"roles\": [\"boss\"]}");
        Ran ran = run("eval", "--packs", pack.toString(), "--jsonl", file("requests.jsonl", GOOD + "\n" + claims));
        assertThat(ran.out().lines().map(Reply::parse).map(Reply::decision)).containsExactly(true, false);
        Ran told = run("explain", "--packs", pack.toString(), "--request", file("request.json", claims));
        assertThat(told.out()).contains("roles").contains("absent");
        Files.writeString(pack.resolve("entities/users.jsonl"), "{\"type\": \"user\"}\n");
        Ran wrong = run("check", pack.toString());
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).contains("entities/users.jsonl:1:1: error Y003");
    }

    @Test
    void evalAnswersASingleRequest() throws IOException {
        Ran ran = run("eval", "--packs", CERTIFICATION, "--request", file("request.json", GOOD));
        assertThat(ran.code()).isZero();
        assertThat(Reply.decision(Reply.parse(ran.out()))).isTrue();
        assertThat(run("eval", "--packs", CERTIFICATION, "--request", file("bad.json", "{}"))
                        .code())
                .isEqualTo(1);
    }

    @Test
    void explainTellsWhichRuleSettledIt() throws IOException {
        Ran ran = run("explain", "--packs", CERTIFICATION, "--request", file("request.json", GOOD));
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("known users read");
        Ran bad = run("explain", "--packs", CERTIFICATION, "--request", file("bad.json", "{\"subject\": {}}"));
        assertThat(bad.code()).isEqualTo(1);
        assertThat(bad.err()).contains("bad.json", "subject");
        assertThat(bad.out()).isEmpty();
    }

    @Test
    void whatIsMissingIsSaidWithoutAStackTrace() throws IOException {
        String broken = broken();
        for (Ran ran : List.of(
                run("nothing"),
                run("eval", "--packs", CERTIFICATION),
                run("eval", "--jsonl", "x"),
                run(
                        "eval",
                        "--packs",
                        CERTIFICATION,
                        "--jsonl",
                        directory.resolve("none").toString()),
                run("explain", "--packs", broken, "--request", "x"),
                run("check", directory.resolve("none").toString()),
                run("check"))) {
            assertThat(ran.code()).isEqualTo(1);
            assertThat(ran.err()).isNotBlank().doesNotContain("\tat ");
            assertThat(ran.out()).isEmpty();
        }
    }

    @Test
    void twoPacksWithOneNameAreAMistakeAndNothingIsJudgedOrServedByThem() throws IOException {
        for (String folder : List.of("first", "second")) {
            RunningServer.pack(
                    Files.createDirectories(directory.resolve("twins").resolve(folder)),
                    "name: twin\nversion: 1.0.0\n",
                    "package twin\n\nrule \"x\"\nwhen Request( action == \"a\" )\nthen decision.allow(\"A\"); end\n");
        }
        String twins = directory.resolve("twins").toString();
        String request = file("request.json", GOOD);
        String data = directory.resolve("data").toString();
        for (Ran ran : List.of(
                run("check", twins),
                run("eval", "--packs", twins, "--request", request),
                run("explain", "--packs", twins, "--request", request),
                run("serve", "--port", "0", "--data", data, "--packs", twins))) {
            assertThat(ran.code()).as(ran.out() + ran.err()).isEqualTo(1);
            assertThat(ran.err())
                    .contains(
                            Path.of("second", "pack.yaml") + ":1:1: error Y001: ", "another pack with the name `twin`")
                    .doesNotContain("\tat ");
            assertThat(ran.out()).isEmpty();
        }
    }

    @Test
    void packsThatDeclareOneNameWithTwoTypesAreAMistakeBeforeTheyAreServed() throws IOException {
        String rule = "\n\nrule \"x\"\nwhen Request( action == \"a\" )\nthen decision.allow(\"A\"); end\n";
        for (String pack : List.of(
                "one/params: {limit: {type: number, default: 1}, home: {type: text, default: eu}}",
                "other/params: {limit: {type: text, default: a}, home: {type: text, default: us}}",
                "third/lists: {home: {default: [eu]}}")) {
            String name = pack.substring(0, pack.indexOf('/'));
            RunningServer.pack(
                    Files.createDirectories(directory.resolve("mixed").resolve(name)),
                    "name: " + name + "\nversion: 1.0.0\n" + pack.substring(name.length() + 1) + "\n",
                    "package " + name + rule);
        }
        Path mixed = directory.resolve("mixed");
        String data = directory.resolve("data").toString();
        for (Ran ran : List.of(
                run("check", mixed.toString()),
                run(
                        "check",
                        mixed.resolve("one").toString(),
                        mixed.resolve("other").toString(),
                        mixed.resolve("third").toString()),
                run("serve", "--port", "0", "--data", data, "--packs", mixed.toString()))) {
            assertThat(ran.code()).as(ran.out() + ran.err()).isEqualTo(1);
            assertThat(ran.err().lines())
                    .filteredOn(line -> line.contains(" error "))
                    .hasSize(2);
            assertThat(ran.err())
                    .contains(
                            Path.of("other", "pack.yaml") + ":1:1: error Y001: the packs `one` and `other` both declare"
                                    + " `limit`, as number and as text",
                            Path.of("third", "pack.yaml") + ":1:1: error Y001: the packs `one` and `third` both declare"
                                    + " `home`, as text and as list")
                    .doesNotContain("\tat ");
            assertThat(ran.out()).isEmpty();
        }
        assertThat(run("check", mixed.resolve("one").toString()).code()).isZero();
    }

    @Test
    void helpIsHelpAndNoMistake() {
        Ran ran = run("--help");
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("serve", "check", "test", "eval", "explain", "audit");
    }

    @Test
    @ExtendWith(PostgresExtension.class)
    void evalAndTheServerGiveTheSameAnswersToAllCallsOfTheAirlinesAgent(@AsOwner PostgresAddress database)
            throws IOException {
        List<String> requests = airlineCalls();
        Ran ran = run("eval", "--packs", AIRLINE, "--jsonl", file("calls.jsonl", String.join("\n", requests)));
        assertThat(ran.code()).isZero();
        List<JsonNode> evaluated = ran.out().lines().map(CliTest::timeless).toList();
        var served = new ArrayList<JsonNode>();
        try (var server = RunningServer.start(database, Path.of(AIRLINE))) {
            for (String request : requests) {
                served.add(
                        timeless(server.post("/access/v1/evaluation", request).body()));
            }
        }
        assertThat(evaluated).hasSizeGreaterThan(1_000).isEqualTo(served);
        assertThat(served).extracting(Reply::decision).contains(true, false);
    }

    private static List<String> airlineCalls() throws IOException {
        var requests = new ArrayList<String>();
        for (String line : Files.readAllLines(Path.of(AIRLINE, "data", "calls.jsonl"))) {
            JsonNode call = Reply.parse(line);
            String tool = call.path("tool").asText();
            ObjectNode request = JsonNodeFactory.instance.objectNode();
            request.putObject("subject")
                    .put("type", "agent")
                    .put("id", "airline-agent")
                    .putObject("properties")
                    .put("principal", call.path("user").asText());
            request.putObject("action").put("name", tool);
            request.putObject("resource").put("type", "tool").put("id", tool).set("properties", call.path("arguments"));
            requests.add(request.toString());
        }
        return requests;
    }

    private static JsonNode timeless(String answer) {
        JsonNode parsed = Reply.parse(answer);
        ((ObjectNode) parsed.path("context")).remove(List.of("evaluation_id", "evaluated_at"));
        if (parsed.at("/context/access_request") instanceof ObjectNode asking) {
            asking.remove(List.of("expires_at", "binding_token"));
        }
        return parsed;
    }
}
