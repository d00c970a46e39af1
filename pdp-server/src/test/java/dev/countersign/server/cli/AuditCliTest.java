package dev.countersign.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.server.Server;
import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.identity.KeyStore;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code countersign audit} says offline of the export of a real server, and of what somebody made of it. */
class AuditCliTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final int ROUNDS = 3;

    @TempDir
    private static Path directory;

    private static Server server;
    /** The lines of the export, and what was kept elsewhere. */
    private static List<String> lines;

    private static String kept;
    private static String jwks;

    @BeforeAll
    static void audit() throws Exception {
        Path packs = RunningServer.checkout("rules/packs/base");
        var config =
                ServerConfig.of(0, directory, null, List.of(packs), Map.of("COUNTERSIGN_CHECKPOINT_INTERVAL", "1"));
        server = Server.start(config, new PackReader(new Diagnostics()).read(List.of(packs)));
        try {
            send("PUT", "/api/v1/entities/agent/planner", "admin", "{\"owner\": \"carol\"}");
            for (int round = 1; round <= ROUNDS; round++) {
                long before = newest();
                approve(round);
                RunningServer.until("there is a checkpoint of it", () -> newest() > before && proven());
            }
            jwks = send("GET", "/access/v1/jwks", "agent", "").toString();
            kept = send("GET", "/api/v1/audit/checkpoints", "admin", "").toString();
            lines = export();
        } finally {
            server.close();
        }
    }

    private static JsonNode send(String method, String path, String key, String body) {
        String secret = server.demoKeys().stream()
                .filter(each -> each.name().equals(key))
                .map(KeyStore.NewKey::key)
                .findFirst()
                .orElseThrow()
                .secret();
        try {
            var reply = CLIENT.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                            .header("Authorization", "Bearer " + secret)
                            .header("Content-Type", "application/json")
                            .method(method, BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(reply.statusCode()).as(reply.body()).isBetween(200, 299);
            return JSON.readTree(reply.body());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** A call that is denied, asked for, and approved by alice: three decisions' and approvals' worth of entries. */
    private static void approve(int round) throws IOException {
        var call = (ObjectNode) JSON.readTree("""
                {"subject": {"type": "agent", "id": "planner"}, "action": {"name": "pay"},
                 "resource": {"type": "tool", "id": "pay", "properties": {"amount": %d}},
                 "context": {"confidence": 0.5}}""".formatted(round));
        JsonNode denied =
                send("POST", "/access/v1/evaluation", "agent", call.toString()).path("context");
        ObjectNode denial = call.putObject("denial");
        denial.set("evaluation_id", denied.path("evaluation_id"));
        denial.set("expires_at", denied.at("/access_request/expires_at"));
        denial.set("binding_token", denied.at("/access_request/binding_token"));
        String id = send("POST", "/access/v1/requests", "agent", call.toString())
                .at("/task/id")
                .asText();
        send("POST", "/api/v1/approvals/" + id + "/approve", "alice", "{}");
    }

    private static long newest() {
        JsonNode all = send("GET", "/api/v1/audit/checkpoints", "operator", "").path("checkpoints");
        return all.isEmpty() ? 0 : all.get(all.size() - 1).path("number").asLong();
    }

    /** Whether checkpoints name all that there is. */
    private static boolean proven() {
        String said = verify(export()).out();
        return said.contains(" 0 after it not sealed yet")
                && said.lines()
                        .filter(line -> line.startsWith("segment "))
                        .allMatch(line -> line.replaceAll(
                                        ".*complete up to (\\d+), under a checkpoint up to (\\d+)", "$1=$2")
                                .matches("(\\d+)=\\1"));
    }

    private static List<String> export() {
        Path file = directory.resolve("export.jsonl");
        CliTest.Ran ran = CliTest.run("audit", "export", "--data", directory.toString(), "--out", file.toString());
        assertThat(ran.code()).as(ran.err()).isZero();
        return read(file);
    }

    private static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String write(String name, String text) {
        try {
            return Files.writeString(directory.resolve(name), text).toString();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static CliTest.Ran verify(List<String> export, String... more) {
        var arguments = new ArrayList<>(
                List.of("audit", "verify", "--export", write("changed.jsonl", String.join("\n", export))));
        arguments.addAll(List.of(more));
        return CliTest.run(arguments.toArray(String[]::new));
    }

    private static CliTest.Ran verifyWithWhatWasKept(List<String> export) {
        return verify(export, "--jwks", write("jwks.json", jwks), "--checkpoint", write("kept.json", kept));
    }

    private static void wrong(CliTest.Ran ran, String verdict, String line) {
        assertThat(ran.code()).as(ran.out()).isEqualTo(2);
        assertThat(ran.out()).contains("NOT OK: " + verdict).containsPattern(line);
    }

    /** The export with the last line of a kind changed. */
    private static List<String> with(Predicate<String> kind, UnaryOperator<String> change) {
        var changed = new ArrayList<>(lines);
        for (int i = changed.size() - 1; i >= 0; i--) {
            if (kind.test(changed.get(i))) {
                changed.set(i, change.apply(changed.get(i)));
                assertThat(changed).isNotEqualTo(lines);
                return changed;
            }
        }
        throw new AssertionError("there is no such line");
    }

    private static List<String> without(Predicate<String> kind) {
        List<String> rest = lines.stream().filter(kind.negate()).toList();
        assertThat(rest).hasSizeLessThan(lines.size());
        return rest;
    }

    private static boolean checkpoint(String line, long number) {
        return line.startsWith("{\"checkpoint\":" + number + ",");
    }

    private static boolean event(String line) {
        return line.contains("\"event\":");
    }

    private static boolean decision(String line) {
        return line.startsWith("{\"segment\":") && line.contains("\\\"decision\\\":") && !event(line);
    }

    private static long lastCheckpoint() {
        return lines.stream()
                .filter(line -> line.startsWith("{\"checkpoint\":"))
                .count();
    }

    @Test
    @DisplayName(
            "anchor 21: the decision log and the approval events are complete, by signed checkpoints kept elsewhere")
    void theExportOfAServerIsComplete() {
        CliTest.Ran ran = verifyWithWhatWasKept(lines);
        assertThat(ran.code()).as(ran.out()).isZero();
        assertThat(ran.out())
                .contains("OK: ", " 0 after it not sealed yet", " kept checkpoints are the same here")
                .doesNotContain("NOT OK");
        assertThat(lines.stream().filter(AuditCliTest::event).count()).isGreaterThanOrEqualTo(2 * ROUNDS);
        assertThat(lines.stream().filter(AuditCliTest::decision).count()).isGreaterThanOrEqualTo(ROUNDS);
        assertThat(lastCheckpoint()).isGreaterThanOrEqualTo(ROUNDS);
        assertThat(verify(lines).out()).contains("give --jwks to know who signed");
    }

    @Test
    @DisplayName("anchor 21: one changed character of a decision, an event or an entry shows, and where")
    void aChangedCharacterIsFound() {
        wrong(
                verify(with(AuditCliTest::decision, line -> line.replace("\\\"planner\\\"", "\\\"plamner\\\""))),
                "changed",
                "NOT OK: changed at \\d+");
        wrong(
                verify(with(AuditCliTest::event, line -> line.replaceFirst("(\"event\":.*)planner", "$1plamner"))),
                "changed",
                "NOT OK: changed: event \\d+ \\(entry \\d+\\) is not what was sealed");
        wrong(
                verify(with(AuditCliTest::event, line -> line.replaceFirst("approval\\.", "approvel."))),
                "changed",
                "NOT OK: changed at \\d+");
    }

    @Test
    @DisplayName("anchor 21: an entry that was put behind the last of a log shows")
    void whatIsAddedAtTheEndIsFound() {
        wrong(
                verify(with(line -> line.contains("\"shipped_seq\":"), line -> {
                    var last = Pattern.compile("(.*\"shipped_seq\":)(\\d+)(.*)").matcher(line);
                    assertThat(last.matches()).isTrue();
                    return last.group(1) + (Long.parseLong(last.group(2)) - 1) + last.group(3);
                })),
                "surplus",
                "there are 1 entries more than were shipped");
    }

    @Test
    @DisplayName("anchor 21: what was cut off at the end of a log or of the events shows")
    void whatIsCutOffAtTheEndIsFound() {
        List<String> events = lines.stream().filter(AuditCliTest::event).toList();
        String last = events.get(events.size() - 1);
        wrong(
                verify(without(last::equals)),
                "truncated",
                "checkpoint \\d+ names entry \\d+, and \\d+ is the last here");
        List<String> decisions = lines.stream().filter(AuditCliTest::decision).toList();
        String segment = decisions.get(decisions.size() - 1).substring(0, 50);
        List<String> unshipped = without(line -> line.startsWith(segment) && decision(line)).stream()
                .map(line -> line.replaceAll(",\"shipped_seq\".*}", "}"))
                .toList();
        wrong(verify(unshipped), "truncated", "checkpoint \\d+ names entry \\d+, and 0 is the last here");
        wrong(verify(without(line -> line.startsWith(segment))), "truncated", "names entry \\d+, and nothing is here");
    }

    @Test
    @DisplayName("anchor 21: a checkpoint that is missing shows, in the middle by itself, at the end by what was kept")
    void aMissingCheckpointIsFound() {
        wrong(verify(without(line -> checkpoint(line, 2))), "gap", "checkpoint 2 is missing");
        wrong(verify(without(line -> checkpoint(line, 1))), "gap", "checkpoint 1 is missing");
        long last = lastCheckpoint();
        List<String> cut = without(line -> checkpoint(line, last));
        assertThat(verify(cut).code()).isZero();
        wrong(verifyWithWhatWasKept(cut), "truncated", "checkpoint " + last + " was kept, and the export ends with");
        wrong(verifyWithWhatWasKept(without(line -> line.startsWith("{\"checkpoint\":"))), "truncated", "ends with 0");
    }

    @Test
    @DisplayName("anchor 21: a checkpoint that was forged, or signed with another key, shows")
    void aForgedCheckpointIsFound() throws Exception {
        long last = lastCheckpoint();
        wrong(
                verify(with(
                        line -> checkpoint(line, last), line -> line.substring(0, line.length() - 10) + "AAAAAAAA\"}")),
                "forged",
                "forged: checkpoint " + last + " was not signed with the key ");
        wrong(
                verify(with(
                        line -> checkpoint(line, 1), line -> line.substring(0, line.length() - 10) + "AAAAAAAA\"}")),
                "changed, forged",
                "changed: checkpoint 2 names another checkpoint 1 than this one");
        var other = new JWKSet(
                new ECKeyGenerator(Curve.P_256).keyID("other").generate().toPublicJWK());
        wrong(
                verify(lines, "--jwks", write("other.json", other.toString())),
                "unknown key",
                "unknown key: checkpoint 1 names the key .*, which is none of those given");
        wrong(
                verify(
                        lines,
                        "--checkpoint",
                        write("other.txt", kept.replaceFirst("\"jws\":\"([^\"]{200})[^\"]{2}", "\"jws\":\"$1xx"))),
                "",
                "kept");
    }

    @Test
    void whatWasKeptIsTakenFromTheServersLogToo() {
        String log = lines.stream()
                .filter(line -> line.startsWith("{\"checkpoint\":"))
                .map(line -> "2026-03-02T09:00:00.000Z INFO  Checkpoints checkpoint 1 "
                        + line.replaceAll(".*\"jws\":\"|\"}", ""))
                .reduce("2026-03-02T08:00:00.000Z INFO  Server ready\n", (all, line) -> all + line + "\n");
        CliTest.Ran ran = verify(lines, "--checkpoint", write("server.log", log));
        assertThat(ran.code()).as(ran.out()).isZero();
        assertThat(ran.out()).contains(lastCheckpoint() + " kept checkpoints are the same here");
    }

    @Test
    void checkpointsThatComeAfterWhatTheyProveAreRefused() {
        var moved = new ArrayList<>(without(line -> checkpoint(line, 1)));
        moved.addAll(lines.stream().filter(line -> checkpoint(line, 1)).toList());
        wrong(verify(moved), "", "line " + moved.size() + " of the export cannot be read, or is out of place");
    }

    @Test
    void optionsThatCannotBeUsedExitWith1AndSaySo() {
        String empty = write("empty.txt", "nothing here");
        assertThat(verify(lines, "--checkpoint", empty)).satisfies(ran -> {
            assertThat(ran.code()).isEqualTo(1);
            assertThat(ran.err()).contains("empty.txt holds no checkpoint");
        });
        assertThat(verify(lines, "--jwks", empty).err()).contains("empty.txt is not a JWK Set");
        assertThat(verify(lines, "--events-since", "yesterday").err()).contains("--events-since is a day or a time");
        assertThat(CliTest.run("audit", "verify", "--jwks", empty).err()).contains("go with --export");
        assertThat(CliTest.run("audit", "verify", "--export", empty + "x").err())
                .contains("empty.txtx: there is no such file or folder");
    }
}
