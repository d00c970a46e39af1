package dev.countersign.rules.packs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The calls that a real agent made, judged by rules written from the policy that it was told to follow. */
class AirlineTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2024-05-15T20:00:00Z");

    private final Pack pack = Shipped.pack(Shipped.path("examples/airline"));
    private final RuleBase base = RuleBase.of(List.of(pack));
    private final Evaluator evaluator = base.evaluator();

    private record Judged(String user, String tool, JsonNode arguments, Verdict verdict) {
        long certificates() {
            return arguments.path("payment_methods").findValuesAsText("payment_id").stream()
                    .filter(id -> id.startsWith("certificate_"))
                    .count();
        }
    }

    @AfterEach
    void close() {
        evaluator.close();
    }

    private static List<JsonNode> lines(String file) throws IOException {
        var out = new ArrayList<JsonNode>();
        for (String line :
                Files.readAllLines(Shipped.path("examples/airline/data").resolve(file))) {
            out.add(JSON.readTree(line));
        }
        return out;
    }

    private Judged judge(String user, String tool, JsonNode arguments) {
        var subject = JSON.createObjectNode().put("type", "agent").put("id", "airline-agent");
        subject.putObject("properties").put("principal", user);
        var resource = JSON.createObjectNode().put("type", "tool").put("id", tool);
        resource.set("properties", arguments);
        try {
            var call = Call.of(subject, JSON.createObjectNode().put("name", tool), resource, null);
            var request = new Request("airline", call, NOW, base.values(Map.of(), Map.of()));
            return new Judged(user, tool, arguments, Shipped.verdict(base, evaluator, request));
        } catch (BadCall e) {
            throw new IllegalArgumentException(tool, e);
        }
    }

    private List<Judged> calls() throws IOException {
        return lines("calls.jsonl").stream()
                .map(line ->
                        judge(line.get("user").textValue(), line.get("tool").textValue(), line.get("arguments")))
                .toList();
    }

    @Test
    void everyCallThatTheAuthorsHoldToBeRightIsAllowed() throws IOException {
        var expected = new ArrayList<Judged>();
        for (JsonNode task : lines("expected.jsonl")) {
            for (JsonNode action : task.get("actions")) {
                expected.add(
                        judge(task.get("user").textValue(), action.get("name").textValue(), action.get("kwargs")));
            }
        }
        assertThat(expected).hasSize(158);
        assertThat(expected)
                .allSatisfy(call ->
                        assertThat(call.verdict().outcome()).as("%s", call).isEqualTo(Outcome.ALLOW));
    }

    @Test
    void everyBookingThatIsPaidWithTwoCertificatesIsDenied() throws IOException {
        List<Judged> bookings = calls().stream()
                .filter(call -> call.tool().equals("book_reservation") && call.certificates() > 1)
                .toList();
        assertThat(bookings).hasSize(6);
        assertThat(bookings).allSatisfy(call -> {
            assertThat(call.verdict().outcome()).isEqualTo(Outcome.DENY);
            assertThat(call.verdict().reasons()).containsExactly("CERTIFICATES");
        });
    }

    @Test
    void whatEachRuleDeniesOfAllTheCallsStaysAsItIs() throws IOException {
        List<Judged> calls = calls();
        assertThat(calls).hasSize(1_164);
        var denied = new TreeMap<String, Integer>();
        for (Judged call : calls) {
            if (call.verdict().outcome() != Outcome.ALLOW) {
                assertThat(call.verdict().settledBy()).as("%s", call).isNotNull();
                denied.merge(call.verdict().settledBy().name(), 1, Integer::sum);
            }
        }
        assertThat(denied)
                .isEqualTo(Map.of(
                        "one travel certificate", 6,
                        "changed flights are paid by card", 4,
                        "more free bags than anybody has", 1));
    }

    @Test
    void everyRuleCitesTheWordsOfThePolicy() throws IOException {
        String policy = Files.readString(Shipped.path("examples/airline/data/policy.md"));
        assertThat(pack.rules())
                .allSatisfy(rule -> assertThat(policy)
                        .as(rule.name())
                        .contains(rule.meta().getOrDefault("cites", "this rule cites nothing")));
    }
}
