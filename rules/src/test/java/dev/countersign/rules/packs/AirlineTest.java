package dev.countersign.rules.packs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.packs.AirlineReport.Judged;
import dev.countersign.rules.verdict.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The calls that a real agent made, judged by rules written from the policy that it was told to follow. Each call is judged
 * on the bookings as the earlier calls of its conversation left them, for that is what the airline has stored by then.
 */
class AirlineTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2024-05-15T20:00:00Z");
    private static final Path REPORT = Shipped.path("examples/airline/report.md");

    private final Pack pack = Shipped.pack(Shipped.path("examples/airline"));
    private final RuleBase base = RuleBase.of(List.of(pack));
    private final EntityNeeds needs = EntityNeeds.ofRules(pack.rules());
    private final Evaluator evaluator = base.evaluator();

    @AfterEach
    void close() {
        evaluator.close();
    }

    private List<Judged> judge(List<AirlineCall> calls) {
        var bookings = new HashMap<AirlineCall.Conversation, AirlineBookings>();
        var out = new ArrayList<Judged>();
        for (AirlineCall call : calls) {
            AirlineBookings now =
                    bookings.computeIfAbsent(call.conversation(), key -> new AirlineBookings(pack.entities()));
            out.add(judge(call, now));
            now.apply(call);
        }
        return out;
    }

    private Judged judge(AirlineCall call, AirlineBookings bookings) {
        var subject = JSON.createObjectNode().put("type", "agent").put("id", "airline-agent");
        subject.putObject("properties").put("principal", call.user());
        var resource = JSON.createObjectNode().put("type", "tool").put("id", call.tool());
        resource.set("properties", call.arguments());
        try {
            Call asked = Call.of(subject, JSON.createObjectNode().put("name", call.tool()), resource, null);
            Call resolved = needs.resolve(asked, bookings::find);
            var request = new Request("airline", resolved, NOW, base.values(Map.of(), Map.of()));
            return new Judged(call, Shipped.verdict(base, evaluator, request));
        } catch (BadCall e) {
            throw new IllegalArgumentException(call.toString(), e);
        }
    }

    @Test
    void noCallThatTheAuthorsHoldToBeRightIsDenied() throws IOException {
        List<Judged> expected = judge(AirlineCall.expected());
        assertThat(expected).hasSize(158);
        assertThat(expected)
                .allSatisfy(
                        one -> assertThat(one.verdict().outcome()).as("%s", one).isNotEqualTo(Outcome.DENY));
    }

    @Test
    void aCallIsJudgedOnTheBookingsAsTheEarlierCallsOfItsConversationLeftThem() throws IOException {
        List<AirlineCall> upgradeFirst = AirlineCall.expected().stream()
                .filter(call -> call.task() == 22 && call.tool().equals("update_reservation_flights"))
                .toList();
        assertThat(upgradeFirst).hasSize(2);
        assertThat(judge(upgradeFirst))
                .extracting(one -> one.verdict().outcome())
                .containsExactly(Outcome.ALLOW, Outcome.ALLOW);
        assertThat(judge(upgradeFirst.subList(1, 2)))
                .extracting(one -> one.verdict().reasons())
                .containsExactly(List.of("BASIC_ECONOMY"));
    }

    @Test
    void everyBookingThatIsPaidWithTwoCertificatesIsDenied() throws IOException {
        List<Judged> bookings = judge(AirlineCall.recorded()).stream()
                .filter(one -> one.call().tool().equals("book_reservation"))
                .filter(one -> one.call().texts("payment_id").stream()
                                .filter(id -> id.startsWith("certificate_"))
                                .count()
                        > 1)
                .toList();
        assertThat(bookings).hasSize(6);
        assertThat(bookings).allSatisfy(one -> {
            assertThat(one.verdict().outcome()).isEqualTo(Outcome.DENY);
            assertThat(one.verdict().reasons()).contains("CERTIFICATES");
        });
    }

    @Test
    void theReportSaysWhatEachRuleWouldHaveStopped() throws IOException {
        List<Judged> recorded = judge(AirlineCall.recorded());
        assertThat(recorded).hasSize(1_164);
        String report = AirlineReport.of(recorded, judge(AirlineCall.expected()));
        Path made = Path.of("target", "airline-report.md");
        Files.writeString(made, report);
        assertThat(Files.readString(REPORT))
                .as("%s is out of date: copy %s there", REPORT, made)
                .isEqualTo(report);
    }

    @Test
    void theReadmeJudgesTwentyStoppedCallsThatWereDrawnByLot() throws IOException {
        List<String> drawn = AirlineReport.drawn(judge(AirlineCall.recorded()), 20, 20240515L);
        assertThat(drawn).hasSize(20);
        List<String> read = Files.readAllLines(Shipped.path("examples/airline/README.md")).stream()
                .filter(line -> line.matches("\\| \\d+\\.\\d+\\.\\d+ \\|.*\\| (right|wrong) \\|.*"))
                .map(line -> line.split(" ", 3)[1])
                .toList();
        assertThat(read).as("the calls that the README reads").isEqualTo(drawn);
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
